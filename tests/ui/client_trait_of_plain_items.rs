// A client's stream may be cut, and has to say so.
use futures::Stream;
use handover::prelude::*;

#[service(client_trait)]
trait Numbers {
    fn all(&self) -> impl Stream<Item = u32>;
}

fn main() {}

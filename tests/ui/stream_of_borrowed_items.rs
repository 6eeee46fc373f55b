// What travels owns its data.
use futures::Stream;
use handover::prelude::*;

#[service]
trait Names {
    fn all(&self) -> impl Stream<Item = &str>;
    async fn add(&self, names: impl Stream<Item = [u8]>);
}

fn main() {}

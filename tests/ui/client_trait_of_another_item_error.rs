// A client's stream may be cut, and has to say so.
use futures::Stream;
use handover::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Refused;

#[service(client_trait)]
trait Numbers {
    fn all(&self) -> impl Stream<Item = Result<u32, Refused>>;
}

fn main() {}

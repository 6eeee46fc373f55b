// A bound that is not serde's says nothing about travelling.
use handover::prelude::*;

#[service]
trait Contacts<T: Clone> {
    async fn add(&self, entry: T) -> T;
}

fn main() {}

// A bound goes on the trait.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, name: String)
    where
        Self: Clone;
}

fn main() {}

// What travels is written and read by serde, whatever it will be.
use handover::prelude::*;

#[service]
trait Contacts {
    type Key: Clone;
    async fn add(&self, key: Self::Key) -> Option<Self::Key>;
    async fn find(&self, key: Self::Key) -> bool;
}

fn main() {}

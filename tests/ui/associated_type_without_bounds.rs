// What travels is written and read by serde, whatever it will be.
use handover::prelude::*;

#[service]
trait Contacts {
    type Key;
    async fn add(&self, key: Self::Key);
}

fn main() {}

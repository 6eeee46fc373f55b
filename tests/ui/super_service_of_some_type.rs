// A client has to know what the super-service's associated type is.
use handover::prelude::*;

#[service]
trait Kv {
    type Key: handover::rpc::Wire;
    async fn get(&self, key: Self::Key) -> u32;
}

#[service]
trait Contacts: Kv<Key: Clone> {
    async fn count(&self) -> u32;
}

fn main() {}

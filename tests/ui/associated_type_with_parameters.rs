// Both ends know one type.
use handover::prelude::*;

#[service]
trait Contacts {
    type Key<T>: handover::rpc::Wire;
    async fn count(&self) -> u32;
}

fn main() {}

// Ids are looked at also where types are left open.
use handover::prelude::*;

#[service]
trait Log<T: handover::rpc::Wire> {
    async fn count(&self) -> T;
}

#[service]
trait Contacts {
    async fn count(&self) -> u32;
}

#[service]
trait Admin: Log<u8> + Contacts {
    async fn clear(&self);
}

fn main() {}

// One port leads to one service of a kind.
use handover::prelude::*;

#[service]
trait Log<T: handover::rpc::Wire> {
    async fn log(&self, entry: T);
}

#[service]
trait Contacts: Log<u8> + Log<u16> {
    async fn count(&self) -> u32;
}

fn main() {}

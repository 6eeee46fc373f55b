// Both ends have to know of it.
use handover::prelude::*;

#[service]
trait Contacts {
    #[cfg(test)]
    type Key: handover::rpc::Wire;
    async fn count(&self) -> u32;
}

fn main() {}

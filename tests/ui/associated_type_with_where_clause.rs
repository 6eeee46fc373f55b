// Its bounds are where its name is.
use handover::prelude::*;

#[service]
trait Contacts {
    type Key: handover::rpc::Wire
    where
        Self: Sized;
    async fn count(&self) -> u32;
}

fn main() {}

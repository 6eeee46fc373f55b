// The number is the FNV-1a hash of `add`.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, name: String);
    #[rpc(id = 0x3b391274)]
    async fn remove(&self, name: String);
}

fn main() {}

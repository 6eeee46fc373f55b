// An id has 32 bits.
use handover::prelude::*;

#[service]
trait Contacts {
    #[rpc(id = 7u8)]
    async fn add(&self, name: String);
}

fn main() {}

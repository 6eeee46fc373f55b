// Nobody waits for an answer.
use handover::prelude::*;

#[service]
trait Contacts {
    #[rpc(oneway)]
    async fn add(&self, name: String) -> u32;
}

fn main() {}

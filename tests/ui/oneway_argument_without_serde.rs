// What travels is written and read by serde.
use handover::prelude::*;

struct Entry {
    name: String,
}

#[service]
trait Contacts {
    #[rpc(oneway)]
    async fn add(&self, entry: Entry);
}

fn main() {}

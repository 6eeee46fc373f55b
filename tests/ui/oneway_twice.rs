// Once is enough.
use handover::prelude::*;

#[service]
trait Contacts {
    #[rpc(oneway, oneway)]
    async fn add(&self, name: String);
}

fn main() {}

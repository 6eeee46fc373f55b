// Each method has an id of its own.
use handover::prelude::*;

#[service]
trait Contacts {
    #[rpc(id = 7)]
    async fn add(&self, name: String);
    #[rpc(id = 7)]
    async fn remove(&self, name: String);
}

fn main() {}

// A method has one id.
use handover::prelude::*;

#[service]
trait Contacts {
    #[rpc(id = 1)]
    #[rpc(id = 2)]
    async fn add(&self, name: String);
}

fn main() {}

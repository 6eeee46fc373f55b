// The attribute of a method has two options.
use handover::prelude::*;

#[service]
trait Contacts {
    #[rpc(timeout = 5)]
    async fn add(&self, name: String);
}

fn main() {}

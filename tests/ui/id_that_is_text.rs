// An id is a number.
use handover::prelude::*;

#[service]
trait Contacts {
    #[rpc(id = "add")]
    async fn add(&self, name: String);
}

fn main() {}

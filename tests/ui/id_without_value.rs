// An id is a number.
use handover::prelude::*;

#[service]
trait Contacts {
    #[rpc(id)]
    async fn add(&self, name: String);
}

fn main() {}

// An option that is a word takes no value.
use handover::prelude::*;

#[service]
trait Contacts {
    #[rpc(ordered = true)]
    async fn add(&self, name: String);
}

fn main() {}

// `oneway` is said or left out.
use handover::prelude::*;

#[service]
trait Contacts {
    #[rpc(oneway = true)]
    async fn add(&self, name: String);
}

fn main() {}

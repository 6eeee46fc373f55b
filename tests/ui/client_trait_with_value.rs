// An option that is a word takes no value.
use handover::prelude::*;

#[service(client_trait = true)]
trait Contacts {
    #[rpc(oneway)]
    async fn touch(&self);
}

fn main() {}

// Once is enough.
use handover::prelude::*;

#[service(client_trait, client_trait)]
trait Contacts {
    #[rpc(oneway)]
    async fn touch(&self);
}

fn main() {}

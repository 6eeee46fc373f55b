// The client has to be what every service is.
use handover::prelude::*;

#[service(client_trait)]
trait Contacts: Default {
    #[rpc(oneway)]
    async fn touch(&self);
}

fn main() {}

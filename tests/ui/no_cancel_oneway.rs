// What nobody waits for is not cancelled.
use handover::prelude::*;

#[service]
trait Contacts {
    #[rpc(oneway, no_cancel)]
    async fn touch(&self);
}

fn main() {}

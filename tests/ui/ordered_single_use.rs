// A method that runs alone is in order.
use handover::prelude::*;

#[service]
trait Contacts {
    #[rpc(ordered)]
    async fn close(self);
}

fn main() {}

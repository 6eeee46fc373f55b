// Our attribute is read before the condition is looked at.
use handover::prelude::*;

#[service]
trait Contacts {
    #[cfg_attr(test, rpc(oneway))]
    async fn touch(&self);
}

fn main() {}

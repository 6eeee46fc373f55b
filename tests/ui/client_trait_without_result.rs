// A call can fail, and the trait's method has to be able to say so.
use handover::prelude::*;

#[service(client_trait)]
trait Contacts {
    async fn count(&self) -> u32;
}

fn main() {}

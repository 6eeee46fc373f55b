// Calls run concurrently, so none has the service to itself.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&mut self, name: String);
}

fn main() {}

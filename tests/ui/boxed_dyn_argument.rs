// It can neither be sent to another thread nor be written by serde, and each is told.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, name: Box<dyn ToString>);
}

fn main() {}

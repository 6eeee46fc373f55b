// A client could not know the type.
use handover::prelude::*;

#[service]
trait Contacts {
    type Key;
    async fn add(&self, name: String);
}

fn main() {}

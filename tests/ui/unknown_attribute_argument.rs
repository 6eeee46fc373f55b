// The attribute has one argument, `crate`.
use handover::prelude::*;

#[service(name = "contacts")]
trait Contacts {
    async fn add(&self, name: String);
}

fn main() {}

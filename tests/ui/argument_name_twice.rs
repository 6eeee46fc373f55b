// The compiler says it of two arguments with one name, once, where it matters.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, _name: String, _name: String) {}
}

fn main() {}

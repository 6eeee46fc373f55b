// The compiler says it of two arguments with one name, once.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, name: String, name: String);
}

fn main() {}

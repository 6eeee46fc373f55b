// The compiler says it of a method with a visibility, once.
use handover::prelude::*;

#[service]
trait Contacts {
    pub async fn add(&self, name: String);
}

fn main() {}

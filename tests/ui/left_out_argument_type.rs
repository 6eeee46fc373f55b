// The compiler says it of a type that is left out, once.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, name: _);
}

fn main() {}

// The compiler says it of a type that is incomplete, once.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, names: Vec);
}

fn main() {}

// The compiler says it of a method with any number of arguments, once.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, names: ...);
}

fn main() {}

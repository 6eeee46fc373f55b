// The compiler says it of a type that is not there, once.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn get(&self) -> Contact;
}

fn main() {}

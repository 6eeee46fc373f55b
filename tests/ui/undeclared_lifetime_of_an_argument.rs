// The compiler says it of a lifetime that is not there, once.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, name: &'a str);
}

fn main() {}

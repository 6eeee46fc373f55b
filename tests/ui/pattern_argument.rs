// The compiler says it of a pattern, once.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, (name, city): (String, String));
}

fn main() {}

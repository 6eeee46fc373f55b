// The compiler says it of a path that is wrong, once.
use handover::prelude::*;

#[service(crate = crate::nowhere)]
trait Contacts {
    async fn add(&self, name: String);
}

fn main() {}

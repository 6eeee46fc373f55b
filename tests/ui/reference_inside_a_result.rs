// What travels owns its data, all through.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn names(&self) -> Vec<&str>;
}

fn main() {}

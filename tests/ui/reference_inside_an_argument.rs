// What travels owns its data, all through.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, name: Option<&str>);
}

fn main() {}

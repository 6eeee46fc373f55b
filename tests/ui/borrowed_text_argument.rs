// What travels owns its data.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, name: &str);
}

fn main() {}

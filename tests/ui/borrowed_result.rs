// What travels owns its data.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn name(&self) -> &str;
}

fn main() {}

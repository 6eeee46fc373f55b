// What travels owns its data.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, photo: &[u8]);
}

fn main() {}

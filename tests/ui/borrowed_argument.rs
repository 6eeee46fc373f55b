// What travels owns its data.
use handover::prelude::*;

struct Entry;

#[service]
trait Contacts {
    async fn add(&self, entry: &Entry);
}

fn main() {}

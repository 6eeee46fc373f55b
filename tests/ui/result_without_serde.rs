// What travels is written and read by serde.
use handover::prelude::*;

struct Entry {
    name: String,
}

#[service]
trait Contacts {
    async fn get(&self, name: String) -> Entry;
}

fn main() {}

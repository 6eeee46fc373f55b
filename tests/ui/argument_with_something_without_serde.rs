// What travels is written and read by serde.
use handover::prelude::*;

struct Entry {
    name: String,
}

#[service]
trait Contacts {
    async fn add(&self, entries: Vec<Entry>);
}

fn main() {}

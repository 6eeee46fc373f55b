// What travels is written and read by serde.
use handover::prelude::*;

#[derive(serde::Serialize)]
struct Entry {
    name: String,
}

#[service]
trait Contacts {
    async fn add(&self, entry: Entry);
}

fn main() {}

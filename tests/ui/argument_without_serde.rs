// What travels is written and read by serde.
use handover::prelude::*;

struct Entry {
    name: String,
}

#[service]
trait Contacts {
    async fn count(&self) -> u32;
    async fn add(&self, city: String, entry: Entry, photo: Vec<u8>);
}

fn main() {}

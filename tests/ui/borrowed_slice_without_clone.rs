// A slice becomes a vector of its own.
use handover::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
struct Entry;

#[service]
trait Contacts {
    async fn add(&self, city: &str, entries: &[Entry]);
}

fn main() {}

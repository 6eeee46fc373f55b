// What is behind a reference becomes a value of its own.
use handover::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
struct Entry;

#[service]
trait Contacts {
    async fn add(&self, entry: &Entry);
}

fn main() {}

// What owns the data has to travel.
use handover::prelude::*;

#[derive(Clone)]
struct Entry;

#[service]
trait Contacts {
    async fn add(&self, entry: &Entry, names: &[String]);
}

fn main() {}

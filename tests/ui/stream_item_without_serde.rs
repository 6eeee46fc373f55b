// What travels derives serde's traits.
use futures::Stream;
use handover::prelude::*;

struct Entry;

struct Refused;

#[service]
trait Contacts {
    async fn add(&self, entries: impl Stream<Item = Entry>) -> u32;
    fn all(&self) -> impl Stream<Item = Entry>;
    fn some(&self) -> impl Stream<Item = Result<u32, Refused>>;
}

fn main() {}

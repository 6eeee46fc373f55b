// A client could not know the value.
use handover::prelude::*;

#[service]
trait Contacts {
    const LIMIT: u32;
    async fn add(&self, name: String);
}

fn main() {}

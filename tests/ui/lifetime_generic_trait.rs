// What travels borrows nothing.
use handover::prelude::*;

#[service]
trait Contacts<'a> {
    async fn add(&self, name: String);
}

fn main() {}

// A view has methods of the service only.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn count(&self) -> u32;
    async fn add(&self, name: &str);
}

#[service(view_of = Contacts)]
trait ContactsReader {
    async fn count(&self) -> u32;
    async fn names(&self) -> Vec<String>;
}

fn main() {}

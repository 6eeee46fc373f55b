// A method of a view takes what the service's takes.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn find(&self, name: String) -> u32;
    async fn add(&self, name: &str);
}

#[service(view_of = Contacts)]
trait ContactsReader {
    async fn find(&self, number: u64) -> u32;
}

fn main() {}

// A method of a view returns what the service's returns.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn count(&self) -> u32;
    async fn add(&self, name: &str);
}

#[service(view_of = Contacts)]
trait ContactsReader {
    async fn count(&self) -> u64;
}

fn main() {}

// A method of a view has the id that the service has it by.
use handover::prelude::*;

#[service]
trait Contacts {
    #[rpc(id = 7)]
    async fn count(&self) -> u32;
    async fn add(&self, name: &str);
}

#[service(view_of = Contacts)]
trait ContactsReader {
    async fn count(&self) -> u32;
}

fn main() {}

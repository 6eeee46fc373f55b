// A client is handed on, not lent.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn count(&self) -> u32;
}

#[service]
trait Game {
    async fn play(&self, contacts: &ContactsClient);
}

fn main() {}

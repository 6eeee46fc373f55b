// A mistake in the arguments of the attribute leaves the client whole.
use handover::prelude::*;

#[service(name = "contacts")]
trait Contacts {
    async fn count(&self) -> u32;
}

async fn count(contacts: ContactsClient) -> Result<u32, CallError> {
    contacts.count().await
}

fn main() {}

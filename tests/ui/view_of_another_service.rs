// A right is granted by a view of its own service, not by any client.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn count(&self) -> u32;
}

#[service]
trait Notes {
    async fn count(&self) -> u32;
}

fn read(host: &handover::Host<ContactsClient>) -> NotesClient {
    host.grant().view().client()
}

fn main() {}

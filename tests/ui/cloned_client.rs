// C8: there is no second client to keep when one is handed on.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn count(&self) -> u32;
}

#[service]
trait Directory {
    async fn register(&self, contacts: ContactsClient);
}

async fn hand_on(directory: DirectoryClient, contacts: ContactsClient) {
    let _ = directory.register(contacts.clone()).await;
}

fn main() {}

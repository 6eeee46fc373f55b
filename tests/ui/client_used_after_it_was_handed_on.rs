// C8: whoever hands on a client cannot call it any more.
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
    let _ = directory.register(contacts).await;
    let _ = contacts.count().await;
}

fn main() {}

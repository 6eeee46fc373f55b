// Neither do the parameters of the trait lead to a second message.
use handover::prelude::*;

#[service]
trait Contacts<K> {
    async fn find(&self, key: K) -> bool;
}

struct Book;

impl Contacts<u32> for Book {
    async fn find(&self, key: u32) -> bool {
        key == 7
    }
}

fn connected() -> (ContactsClient, impl Future<Output = ()>) {
    let (ours, theirs) = MessageChannel::new().into_ports();
    (ContactsClient::from(ours), ContactsServer::new(Book).serve(theirs))
}

fn main() {}

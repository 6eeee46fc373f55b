// A mistake does not lead to a second message where the names are used, with the trait's parameters.
use handover::prelude::*;

#[service]
trait Contacts<K: handover::rpc::Wire> {
    async fn find(&self, key: K) -> &str;
}

struct Book;

impl Contacts<u32> for Book {
    async fn find(&self, _: u32) -> &str {
        "Tell"
    }
}

fn connected() -> (ContactsClient<u32>, impl Future<Output = ()>) {
    let (ours, theirs) = MessageChannel::new().into_ports();
    (ContactsClient::from(ours), ContactsServer::<_, u32>::new(Book).serve(theirs))
}

fn main() {}

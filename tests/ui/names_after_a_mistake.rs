// The one mistake is told, and nothing about the code that uses what the service would have generated.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn count(&mut self) -> u32;
}

struct Book;

impl Contacts for Book {
    async fn count(&mut self) -> u32 {
        7
    }
}

/// Hands clients of the service on.
#[service]
trait Directory {
    async fn find(&self, name: String) -> Option<ContactsClient>;
    async fn register(&self, contacts: ContactsClient);
}

async fn spawned() -> ContactsClient {
    handover::in_process::spawn(|port| ContactsServer::new(Book).serve(port))
}

fn connected() -> (ContactsClient, impl Future<Output = ()>) {
    let (ours, theirs) = MessageChannel::new().into_ports();
    let server = ContactsServer::new(Book);
    println!("{server:?}");
    (ContactsClient::from(ours), server.serve(theirs))
}

fn named() -> [handover::rpc::MethodId; 2] {
    [ContactsMethod::Count.into(), DirectoryMethod::Find.into()]
}

fn taken_apart(client: ContactsClient) -> MessagePort {
    println!("{client:?} {:?}", client.port());
    client.into_port()
}

fn main() {}

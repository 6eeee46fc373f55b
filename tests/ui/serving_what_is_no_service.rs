// What is served implements the trait.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn count(&self) -> u32;
}

struct Book;

fn serve(port: MessagePort) -> impl Future<Output = ()> {
    ContactsServer::new(Book).serve(port)
}

fn main() {}

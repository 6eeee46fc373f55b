// What is served implements the trait.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn count(&self) -> u32;
}

struct Book;

async fn serve(port: MessagePort) {
    ContactsServer::new(Book).serve(port).await;
}

fn main() {}

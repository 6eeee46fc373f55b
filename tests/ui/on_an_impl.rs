// The attribute goes on the trait, not on what implements it.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn count(&self) -> u32;
}

struct Book;

#[service]
impl Contacts for Book {
    async fn count(&self) -> u32 {
        7
    }
}

fn main() {}

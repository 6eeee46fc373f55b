// Only a type of this trait is a parameter of its client.
use handover::prelude::*;

#[service]
trait Contacts: Iterator {
    async fn next_one(&self) -> Self::Item;
}

fn main() {}

// What is exempted is named.
use handover::prelude::*;

#[service(plain)]
trait Contacts: Send {
    async fn count(&self) -> u32;
}

fn main() {}

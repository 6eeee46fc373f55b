// What is exempted is there.
use handover::prelude::*;

#[service(plain(Titled))]
trait Contacts {
    async fn count(&self) -> u32;
}

fn main() {}

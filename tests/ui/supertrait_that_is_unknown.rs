// The compiler says it of a trait that is not there, and its client is not there either.
use handover::prelude::*;

#[service(plain(Titled))]
trait Contacts: Titled {
    async fn count(&self) -> u32;
}

fn main() {}

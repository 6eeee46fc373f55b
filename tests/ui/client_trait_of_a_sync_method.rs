// A client waits for its answer.
use handover::prelude::*;

#[service(client_trait)]
trait Contacts {
    fn count(&self) -> Result<u32, String>;
}

fn main() {}

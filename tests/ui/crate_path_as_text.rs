// A path, not a text, says where `handover` is.
use handover::prelude::*;

#[service(crate = "handover")]
trait Contacts {
    async fn add(&self, name: String);
}

fn main() {}

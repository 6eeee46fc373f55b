// A service does not live forever.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&'static self, name: String);
}

fn main() {}

// A service is called by reference, or consumed.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(self: Box<Self>, name: String);
}

fn main() {}

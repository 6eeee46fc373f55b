// There has to be a service that is called.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(name: String);
}

fn main() {}

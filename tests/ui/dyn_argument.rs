// The service has to know the type that comes.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, name: dyn ToString);
}

fn main() {}

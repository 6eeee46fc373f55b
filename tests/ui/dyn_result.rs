// The caller has to know the type that comes.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn name(&self) -> Box<dyn ToString>;
}

fn main() {}

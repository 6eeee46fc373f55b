// A supertrait is a service; one that is none is named so.
use handover::prelude::*;

trait Titled {
    fn title(&self) -> String;
}

#[service]
trait Contacts: Titled {
    async fn count(&self) -> u32;
}

fn main() {}

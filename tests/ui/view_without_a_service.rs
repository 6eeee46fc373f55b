// A view is of a service.
use handover::prelude::*;

#[service(view_of)]
trait ContactsReader {
    async fn count(&self) -> u32;
}

fn main() {}

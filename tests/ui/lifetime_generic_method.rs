// What follows from the parameters is not told a second time.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add<'a>(&'a self, name: String);
}

fn main() {}

// The compiler says it of a lifetime that is left out, once.
use handover::prelude::*;

struct Entry<'a>(&'a str);

#[service]
trait Contacts {
    async fn add(&self, entry: Entry);
}

fn main() {}

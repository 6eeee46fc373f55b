// What is not the caller's comes before what is.
use handover::prelude::*;

struct CallContext;

#[service]
trait Contacts {
    async fn add(&self, name: String, context: CallContext);
}

fn main() {}

// The service itself does not travel.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn merge(&self, other: Self);
}

fn main() {}

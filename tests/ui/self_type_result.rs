// The service itself does not travel.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn copy(&self) -> Self;
}

fn main() {}

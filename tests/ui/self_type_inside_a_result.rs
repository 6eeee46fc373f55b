// The service itself does not travel, nor inside something else.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn copies(&self) -> Vec<Self>;
}

fn main() {}

// A bound goes on the type that implements the service, or on the trait itself.
use handover::prelude::*;

#[service]
trait Contacts
where
    Self: Clone,
{
    async fn add(&self, name: String);
}

fn main() {}

// The caller has to know the type that comes.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn names(&self) -> impl Iterator<Item = String>;
}

fn main() {}

// A service keeps nothing that is lent to it.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, name: &'static str);
}

fn main() {}

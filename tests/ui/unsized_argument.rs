// What travels has a size.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, name: str);
}

fn main() {}

// `crate` says where `handover` is, or it is left out.
use handover::prelude::*;

#[service(crate)]
trait Contacts {
    async fn add(&self, name: String);
}

fn main() {}

// A method that never returns says so in no other way than not to.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn run(&self) -> !;
}

fn main() {}

// A method that never returns has no result to name.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn run(&self) -> !;
}

fn main() {}

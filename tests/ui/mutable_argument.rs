// What is changed at the other end is not changed here.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn sort(&self, names: &mut Vec<String>);
}

fn main() {}

// What is behind one reference owns its data.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, name: &&str, names: &[&str]);
}

fn main() {}

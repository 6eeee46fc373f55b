// What travels is written and read by serde, also where an alias hides it.
use std::io;

use handover::prelude::*;

#[service]
trait Contacts {
    async fn get(&self, name: String) -> io::Result<u32>;
}

fn main() {}

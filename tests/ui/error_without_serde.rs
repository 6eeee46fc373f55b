// What travels is written and read by serde.
use handover::prelude::*;

struct NotFound;

#[service]
trait Contacts {
    async fn get(&self, name: String) -> Result<u32, NotFound>;
}

fn main() {}

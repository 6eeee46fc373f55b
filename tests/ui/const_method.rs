// The compiler says it of a `const` method, once.
use handover::prelude::*;

#[service]
trait Contacts {
    const fn count(&self) -> u32;
}

fn main() {}

// How a call is made is up to the generated code.
use handover::prelude::*;

#[service]
trait Contacts {
    async extern "C" fn count(&self) -> u32;
}

fn main() {}

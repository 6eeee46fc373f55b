// A method may have to be waited for.
use handover::prelude::*;

#[service]
trait Contacts {
    fn count(&self) -> u32;
}

fn main() {}

// Whoever calls is elsewhere, and can promise nothing.
use handover::prelude::*;

#[service]
trait Contacts {
    async unsafe fn count(&self) -> u32;
}

fn main() {}

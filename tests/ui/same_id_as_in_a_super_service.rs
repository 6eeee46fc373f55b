// The later method is shown.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn count(&self) -> u32;
}

#[service]
trait Admin: Contacts {
    async fn clear(&self);
    async fn count(&self) -> u64;
}

fn main() {}

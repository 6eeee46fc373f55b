// The later super-service is shown.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn count(&self) -> u32;
}

#[service]
trait Log {
    async fn count(&self) -> u32;
}

#[service]
trait Admin: Contacts + Log {
    async fn clear(&self);
}

fn main() {}

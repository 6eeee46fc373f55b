// Whoever calls is elsewhere, and can promise nothing.
use handover::prelude::*;

#[service]
unsafe trait Contacts {
    async fn add(&self, name: String);
}

fn main() {}

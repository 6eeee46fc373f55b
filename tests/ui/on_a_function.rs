// Only a trait can be a service.
use handover::prelude::*;

#[service]
async fn contacts(name: String) -> u32 {
    7
}

fn main() {}

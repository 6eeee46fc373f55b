// Only a trait can be a service.
use handover::prelude::*;

#[service]
async fn count(names: Vec<String>) -> usize {
    names.len()
}

fn main() {}

// Only a trait can be a service.
use handover::prelude::*;

#[service]
struct Contacts {
    names: Vec<String>,
}

fn main() {}

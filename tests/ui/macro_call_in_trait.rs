// The attribute comes before the macro, so it cannot see its methods.
use handover::prelude::*;

macro_rules! methods {
    () => {
        async fn remove(&self, name: String);
    };
}

#[service]
trait Contacts {
    methods!();
    async fn add(&self, name: String);
}

fn main() {}

// A client of a single use is handed on, not lent: what is lent is cloned.
use handover::prelude::*;

#[service]
trait AddOne {
    async fn add(self, name: String);
}

#[service]
trait Game {
    async fn play(&self, right: &AddOneClient);
}

fn main() {}

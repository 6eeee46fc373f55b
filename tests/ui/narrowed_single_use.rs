// Of what is good for one use there is no second client, also none that is narrower.
use handover::prelude::*;

#[service]
trait AddOne {
    async fn add(self, name: String);
}

fn expiring(one: &AddOneClient) -> AddOneClient {
    one.narrow().calls(1).client()
}

fn main() {}

// C8: there is no second client of a single use to keep when one is handed on, also where the one method is a super-service's.
use handover::prelude::*;

#[service]
trait AddOne {
    async fn add(self, name: String);
}

#[service]
trait AddOneOrCount: AddOne {
    async fn count(&self) -> u32;
}

fn copy(one: &AddOneClient) -> AddOneClient {
    one.clone()
}

fn copy_what_has_it(one: &AddOneOrCountClient) -> AddOneOrCountClient {
    one.clone()
}

fn main() {}

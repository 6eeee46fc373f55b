// What comes back owns its data.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn longer<'a>(&self, one: &'a str, other: &'a str) -> &'a str;
}

fn main() {}

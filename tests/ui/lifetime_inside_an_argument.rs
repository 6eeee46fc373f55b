// A lifetime of a method is for references, and for nothing inside of what travels.
use handover::prelude::*;

use std::borrow::Cow;

#[service]
trait Contacts {
    async fn add<'a>(&self, city: &'a str, name: Cow<'a, str>);
}

fn main() {}

// A type that borrows need not have a `&` in it.
use std::borrow::Cow;

use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, name: Cow<'_, str>);
}

fn main() {}

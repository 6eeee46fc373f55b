// A parameter has to be read too.
use handover::prelude::*;
use serde::Serialize;

#[service]
trait Contacts<K>
where
    K: Clone + Serialize,
{
    async fn find(&self, key: K) -> bool;
}

fn main() {}

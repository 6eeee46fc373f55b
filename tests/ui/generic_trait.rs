// Both ends have to know the types.
use handover::prelude::*;

#[service]
trait Contacts<K> {
    async fn find(&self, key: K) -> bool;
}

fn main() {}

// What travels is written and read by serde, whatever it will be.
use handover::prelude::*;

#[service]
trait Contacts<K> {
    async fn find(&self, key: K) -> bool;
    async fn add(&self, keys: Vec<K>) -> Option<K>;
}

fn main() {}

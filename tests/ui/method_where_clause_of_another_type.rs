// A bound that is not about a parameter does nothing here.
use handover::prelude::*;

#[service]
trait Contacts<K: handover::rpc::Wire> {
    async fn add(&self, key: K)
    where
        String: Clone;
}

fn main() {}

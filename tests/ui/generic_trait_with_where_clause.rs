// What follows from the parameters is not told a second time.
use handover::prelude::*;

#[service]
trait Contacts<K>
where
    K: Clone,
{
    async fn find(&self, key: K) -> bool;
}

fn main() {}

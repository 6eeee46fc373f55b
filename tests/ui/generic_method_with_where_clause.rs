// What follows from the parameters is not told a second time.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add<T>(&self, entry: T)
    where
        T: Clone;
}

fn main() {}

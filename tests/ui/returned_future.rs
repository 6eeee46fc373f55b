// A method is an `async fn`, not a function that returns a future.
use handover::prelude::*;

#[service]
trait Contacts {
    fn count(&self) -> impl Future<Output = u32>;
}

fn main() {}

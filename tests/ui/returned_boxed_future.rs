// A future does not travel: what it resolves to does.
use handover::prelude::*;

use std::pin::Pin;

#[service]
trait Contacts {
    fn count(&self) -> Pin<Box<dyn Future<Output = u32>>>;
}

fn main() {}

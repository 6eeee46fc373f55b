// The box is the service's own affair.
use std::pin::Pin;

use futures::Stream;
use handover::prelude::*;

#[service]
trait Numbers {
    async fn sum(&self, numbers: Box<dyn Stream<Item = u32>>) -> u32;
    async fn all(&self) -> Pin<Box<dyn Stream<Item = u32> + Send>>;
    async fn some(&self, numbers: dyn Stream<Item = u32>);
}

fn main() {}

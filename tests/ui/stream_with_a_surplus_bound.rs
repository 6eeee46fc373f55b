// What the service gets is made here.
use futures::Stream;
use handover::prelude::*;

#[service]
trait Numbers {
    async fn sum(&self, numbers: impl Stream<Item = u32> + Send + Clone + 'static) -> u32;
}

fn main() {}

// A stream is used up by whoever reads it.
use futures::Stream;
use handover::prelude::*;

#[service]
trait Numbers {
    async fn sum(&self, numbers: &mut (impl Stream<Item = u32> + Unpin)) -> u32;
}

fn main() {}

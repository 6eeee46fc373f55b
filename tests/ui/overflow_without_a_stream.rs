// There is nothing to read too slowly.
use futures::Stream;
use handover::prelude::*;

#[service]
trait Numbers {
    #[rpc(overflow = KeepLatest)]
    async fn sum(&self, numbers: impl Stream<Item = u32>) -> u32;
}

fn main() {}

// Nobody awaits the call, so nobody feeds the stream.
use futures::Stream;
use handover::prelude::*;

#[service]
trait Numbers {
    #[rpc(oneway)]
    async fn add(&self, numbers: impl Stream<Item = u32>);
}

fn main() {}

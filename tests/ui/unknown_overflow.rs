// There are five.
use futures::Stream;
use handover::prelude::*;

#[service]
trait Numbers {
    #[rpc(overflow = DropAll)]
    fn all(&self) -> impl Stream<Item = u32>;
    #[rpc(overflow = DropOldest(8))]
    fn some(&self) -> impl Stream<Item = u32>;
    #[rpc(overflow)]
    fn more(&self) -> impl Stream<Item = u32>;
    #[rpc(overflow = End, overflow = End)]
    fn most(&self) -> impl Stream<Item = u32>;
}

fn main() {}

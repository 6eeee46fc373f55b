// Inside another type it is a value, which has a name.
use futures::Stream;
use handover::prelude::*;

#[service]
trait Numbers {
    async fn sum(&self, numbers: Option<impl Stream<Item = u32>>) -> u32;
    async fn all(&self) -> (u32, impl Stream<Item = u32>);
    async fn maybe(&self) -> Result<Option<impl Stream<Item = u32>>, String>;
}

fn main() {}

// The service has to know the type of what comes.
use futures::Stream;
use handover::prelude::*;

#[service]
trait Numbers {
    async fn sum(&self, numbers: impl Stream) -> u32;
    fn all(&self) -> impl Stream + Send;
}

fn main() {}

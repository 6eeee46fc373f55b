// All mistakes are told in one go, each once and at its place.
use handover::prelude::*;

#[service(name = "contacts")]
trait Contacts<'a> {
    type Key<T>;
    const LIMIT: u32;
    fn count(&self) -> impl Future<Output = u32>;
    /// Even in one line.
    async fn add(&mut self, name: &mut str, photo: Option<&[u8]>);
    async fn make() -> u32;
    #[rpc(oneway, urgent)]
    async fn touch(&self) -> bool;
    async fn find(&self) -> &str;
    #[rpc(id = 7)]
    async fn first(&self);
    #[rpc(id = 7)]
    async fn second(&self);
}

fn main() {}

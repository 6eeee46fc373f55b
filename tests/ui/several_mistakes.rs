// All mistakes are told in one go.
use handover::prelude::*;

#[service(name = "contacts")]
trait Contacts<K> {
    type Key;

    fn count(&self) -> u32;

    async fn add(&mut self, name: &str, photo: Option<&[u8]>);

    #[rpc(oneway, urgent)]
    async fn remove(name: String) -> bool;

    #[rpc(id = 1)]
    async fn first(&self) -> String;

    #[rpc(id = 1)]
    async fn last(&self) -> &str;
}

fn main() {}

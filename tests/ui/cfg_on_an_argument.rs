// An argument that one end has and the other has not would be read as another.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, name: String, #[cfg(any())] photo: Vec<u8>);
}

fn main() {}

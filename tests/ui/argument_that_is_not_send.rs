// What travels may go to another thread.
use std::marker::PhantomData;

use handover::prelude::*;
use serde::{Deserialize, Serialize};

/// The mark keeps it on its thread.
#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    mark: PhantomData<*const ()>,
}

#[service]
trait Contacts {
    async fn count(&self) -> u32;
    async fn add(&self, city: String, entry: Entry, photo: Vec<u8>);
}

fn main() {}

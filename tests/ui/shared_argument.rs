// It can neither be sent to another thread nor be written by serde, and each is told.
use std::rc::Rc;

use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, name: Rc<String>);
}

fn main() {}

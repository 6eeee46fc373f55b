// What lacks everything is told once.
use std::rc::Rc;

use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, name: Rc<String>);
}

fn main() {}

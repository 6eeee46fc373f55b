// The compiler says it of two methods with one name, once.
use handover::prelude::*;

#[service]
trait Contacts {
    async fn add(&self, name: String);
    async fn add(&self, name: String, city: String);
}

fn main() {}

// Values of JavaScript's are there in a browser only.
use handover::{browser::StructuredClone, prelude::*};

#[service]
trait Gallery {
    async fn hang(&self, picture: StructuredClone<u32>);
}

fn main() {}

// Arrays of every length are not serde's, so the trait has to ask for it.
use handover::prelude::*;

#[service]
trait Chunks<const N: usize> {
    async fn next(&self, after: [u8; N]) -> u32;
}

fn main() {}

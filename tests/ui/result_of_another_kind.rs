// `Result` is taken for the `Result` that it usually is.
use handover::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
enum Result<T, E> {
    Good(T),
    Bad(E),
}

#[service]
trait Contacts {
    async fn count(&self) -> Result<u32, String>;
}

fn main() {}

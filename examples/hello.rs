//! The shortest whole program: a service on a thread of its own, and a call.

use handover::prelude::*;

/// Greets people.
#[service]
pub trait Greeter {
    /// Greets somebody.
    async fn greet(&self, name: String) -> String;
}

struct Polite;

impl Greeter for Polite {
    async fn greet(&self, name: String) -> String {
        format!("Good day, {name}.")
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let greeter: GreeterClient =
        handover::worker_thread::spawn("greeter", |port| GreeterServer::new(Polite).serve(port))?;
    let greeting = handover::block_on(greeter.greet("Mr Tell".to_owned()))?;
    println!("{greeting}");
    Ok(())
}

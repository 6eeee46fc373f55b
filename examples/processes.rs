//! A service in a process of its own: the program starts itself once more, and the two talk over the child's standard streams.
//!
//! `cargo run --example processes --features byte-stream`
//!
//! The caller hands the child a client of its own: that travels like any argument, and the child calls back by it. Then the child
//! falls over in the middle of a call, and the caller is told.

use std::{env, error::Error, process::Stdio};

use handover::{
    OrReport, Report,
    byte_stream::{self, ConnectionOptions},
    prelude::*,
};
use tokio::process::Command;
use tokio_util::compat::{TokioAsyncReadCompatExt, TokioAsyncWriteCompatExt};

#[service]
trait Words {
    /// Counts the words of a text, and says how far it is.
    async fn count(&self, text: String, progress: ProgressClient) -> Result<usize, Report>;
    /// Ends the process, in the middle of the call.
    async fn fall_over(&self);
}

#[service]
trait Progress {
    async fn is_at(&self, line: usize);
}

const CHILD: &str = "as-a-child";

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let is_child = env::args().any(|argument| argument == CHILD);
    let result = if is_child { runtime.block_on(child()) } else { runtime.block_on(parent()) };
    // Tokio reads the standard input on a thread, which may be waiting there.
    runtime.shutdown_background();
    result
}

async fn parent() -> Result<(), Box<dyn Error>> {
    let mut child =
        Command::new(env::current_exe()?).arg(CHILD).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (from, to) = child.stdout.take().zip(child.stdin.take()).ok_or("the child has no standard streams")?;
    let (port, connection) = byte_stream::connect(from.compat(), to.compat_write(), ConnectionOptions::default());
    let connection = tokio::spawn(connection);
    let words = WordsClient::from(port);

    let (progress, theirs) = MessageChannel::new().into_ports();
    tokio::spawn(ProgressServer::new(Printed).serve(theirs));
    let text = "to be or not to be\nthat is the question".to_owned();
    println!("the child counted {} words", words.count(text, progress.into()).await?);

    if let Err(error) = words.fall_over().await {
        println!("{error}");
    }
    if let Err(error) = connection.await? {
        println!("the connection has ended: {error}");
    }
    println!("the child ended with {}", child.wait().await?.code().unwrap_or_default());
    Ok(())
}

/// Serves whoever is at the other end of the standard streams, until it goes.
async fn child() -> Result<(), Box<dyn Error>> {
    let (input, output) = (tokio::io::stdin().compat(), tokio::io::stdout().compat_write());
    let (port, connection) = byte_stream::connect(input, output, ConnectionOptions::default());
    tokio::spawn(WordsServer::new(Counter).serve(port));
    Ok(connection.await?)
}

/// In the parent: prints how far the child is.
struct Printed;

impl Progress for Printed {
    async fn is_at(&self, line: usize) {
        println!("the child is at line {line}");
    }
}

/// In the child.
struct Counter;

impl Words for Counter {
    async fn count(&self, text: String, progress: ProgressClient) -> Result<usize, Report> {
        let mut words = 0;
        for (number, line) in (1..).zip(text.lines()) {
            progress.is_at(number).await.or_report()?;
            words += line.split_whitespace().count();
        }
        Ok(words)
    }

    async fn fall_over(&self) {
        std::process::exit(3);
    }
}

//! The program that drives a browser.

use std::env;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// How long it may take until it answers.
const START: Duration = Duration::from_secs(30);

/// How often to try whether it does.
const TRY_EVERY: Duration = Duration::from_millis(50);

/// A driver that answers on a port. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Driver {
    process: Child,
    address: SocketAddr,
}

impl Driver {
    /// Starts the driver that `cargo xtask browser` has found.
    pub(crate) async fn start() -> Self {
        let address = free_address();
        let process = Command::new(variable("HANDOVER_DRIVER"))
            .arg(format!("--port={}", address.port()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the driver can be started");
        let driver = Self { process, address };
        timeout(START, driver.answers()).await.expect("the driver answers in time");
        driver
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    async fn answers(&self) {
        while TcpStream::connect(self.address).await.is_err() {
            sleep(TRY_EVERY).await;
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        match self.process.kill() {
            Err(error) if error.kind() != ErrorKind::InvalidInput => {
                eprintln!("the driver could not be ended: {error}")
            }
            _ => drop(self.process.wait()),
        }
    }
}

/// What `cargo xtask browser` says by the environment.
pub(crate) fn variable(name: &str) -> String {
    env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set; run this by `cargo xtask browser -p handover-end-to-end`"))
}

/// An address that was free just now. Somebody else may take it before the driver does, who then does not answer as one.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    listener.local_addr().expect("a listener has an address")
}

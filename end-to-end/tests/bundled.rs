//! The example with a bundler, `examples/vite`: its page and its worker, as Vite serves them and as it builds them.
//!
//! `cargo xtask browser` installs Vite and says so where it cannot; then there is nothing to test here.

use std::env;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use handover_end_to_end::run;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

#[test]
fn a_page_calls_its_worker_as_vite_serves_them() {
    call_by(&[]);
}

#[test]
fn a_page_calls_its_worker_as_vite_builds_them() {
    let Some(folder) = folder() else { return };
    let built = vite(&folder, &["build"]).status().expect("node runs");
    assert!(built.success(), "vite has built nothing");

    call_by(&["preview"]);
}

/// Opens the page by one of Vite's servers.
fn call_by(server: &[&str]) {
    let Some(folder) = folder() else { return };
    run(async |browser| {
        let server = Server::start(&folder, server).await;

        browser.open(&format!("http://127.0.0.1:{}/", server.port)).await;

        browser.wait_for("the sum is 5").await;
    });
}

/// Where the example is with all that it needs. `None` if npm was not there.
fn folder() -> Option<PathBuf> {
    env::var_os("HANDOVER_VITE").map(PathBuf::from)
}

fn vite(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("node");
    command.arg("node_modules/vite/bin/vite.js").args(arguments).current_dir(folder).stdout(Stdio::null());
    command
}

/// One of Vite's servers. It ends when it is dropped.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    async fn start(folder: &Path, arguments: &[&str]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let port = listener.local_addr().expect("a listener has an address").port();
        drop(listener);
        let mut command = vite(folder, arguments);
        command.args(["--host", "127.0.0.1", "--strictPort", "--port", &port.to_string()]);
        let server = Self { process: command.stdin(Stdio::null()).spawn().expect("node runs"), port };
        let answers = async {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(Duration::from_secs(20), answers).await.expect("vite answers in time");
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

//! What workers run on, and code that blocks.
#![cfg(all(feature = "tokio", feature = "smol", feature = "blocking"))]

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::mpsc,
    time::Duration,
};

use handover::{
    CallError, Interruption, MessagePort, block_on, blocking, context, in_process, service,
    worker_thread::{Worker, WorkerBuilder, executor},
};

/// Needs timers and sockets.
#[service]
trait Network {
    /// Reads what a server says to whoever connects.
    async fn greeting(&self, of: String) -> Result<String, String>;
    /// Answers later.
    async fn later(&self) -> u32;
}

#[derive(Clone)]
struct OnTokio;

impl Network for OnTokio {
    async fn greeting(&self, of: String) -> Result<String, String> {
        let stream = tokio::net::TcpStream::connect(of).await.map_err(said)?;
        let mut read = Vec::new();
        loop {
            stream.readable().await.map_err(said)?;
            let mut part = [0; 64];
            match stream.try_read(&mut part) {
                Ok(0) => break,
                Ok(size) => read.extend_from_slice(&part[..size]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(said(error)),
            }
        }
        String::from_utf8(read).map_err(|error| error.to_string())
    }

    async fn later(&self) -> u32 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        // The other way to run something beside: what tokio spawns is in the context too.
        let spawned = tokio::task::spawn_local(async {
            let port: MessagePort = in_process::spawn(async |port| port.post_message(&[4]).unwrap());
            port.start();
            port.recv().await.unwrap().data()[0]
        });
        u32::from(spawned.await.unwrap())
    }
}

#[derive(Clone)]
struct OnSmol;

impl Network for OnSmol {
    async fn greeting(&self, of: String) -> Result<String, String> {
        let address: SocketAddr = of.parse().map_err(|_| "no address")?;
        let stream = async_io::Async::<std::net::TcpStream>::connect(address).await.map_err(said)?;
        let mut read = Vec::new();
        loop {
            let mut part = [0; 64];
            match stream.read_with(|mut stream| io::Read::read(&mut stream, &mut part)).await.map_err(said)? {
                0 => break,
                size => read.extend_from_slice(&part[..size]),
            }
        }
        String::from_utf8(read).map_err(|error| error.to_string())
    }

    async fn later(&self) -> u32 {
        async_io::Timer::after(Duration::from_millis(1)).await;
        4
    }
}

fn said(error: io::Error) -> String {
    error.to_string()
}

/// A server that greets one client.
fn greeter() -> (std::thread::JoinHandle<()>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        io::Write::write_all(&mut stream, b"good day").unwrap();
    });
    (served, address)
}

fn check(network: Worker<NetworkClient>) {
    block_on(async {
        let (served, address) = greeter();
        assert_eq!(network.greeting(address).await, Ok("good day".to_owned()));
        served.join().unwrap();
        assert_eq!(network.later().await, Ok(4));
        assert_eq!(network.join().await, Ok(()));
    });
}

#[test]
fn timers_and_sockets_of_tokio_work_in_the_services_of_a_worker() {
    let builder = WorkerBuilder::new("tokio").executor(executor::tokio);

    check(builder.spawn(|_, port| NetworkServer::new(OnTokio).serve(port)).unwrap());
}

#[test]
fn timers_and_sockets_of_smol_work_in_the_services_of_a_worker() {
    let builder = WorkerBuilder::new("smol").executor(executor::smol);

    check(builder.spawn(|_, port| NetworkServer::new(OnSmol).serve(port)).unwrap());
}

#[test]
fn a_worker_on_another_executor_ends_like_any() {
    for builder in
        [WorkerBuilder::new("tokio").executor(executor::tokio), WorkerBuilder::new("smol").executor(executor::smol)]
    {
        let worker: Worker = builder
            .spawn(async |_, port| {
                port.post_message("up").unwrap();
                std::future::pending().await
            })
            .unwrap();
        block_on(worker.recv()).unwrap();

        worker.terminate();

        assert!(block_on(worker.join()).is_err());
    }
}

#[test]
fn a_task_of_another_executor_can_be_a_context() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();

    let answer = runtime.block_on(context::run(async {
        let network: NetworkClient = in_process::spawn(|port| NetworkServer::new(OnSmol).serve(port));
        network.later().await
    }));

    assert_eq!(answer, Ok(4));
}

/// Blocks.
#[service]
trait Files {
    /// Answers when the test says so.
    async fn blocked(&self) -> u32;
    /// Answers at once.
    async fn quick(&self) -> u32;
    /// Panics where it blocks.
    async fn broken(&self) -> u32;
}

struct Disk(std::sync::Arc<std::sync::Mutex<mpsc::Receiver<u32>>>);

impl Files for Disk {
    async fn blocked(&self) -> u32 {
        let wait = self.0.clone();
        blocking::unblock(move || wait.lock().unwrap().recv().unwrap()).await
    }

    async fn quick(&self) -> u32 {
        1
    }

    async fn broken(&self) -> u32 {
        blocking::unblock(|| panic!("bad sector")).await
    }
}

#[test]
fn a_handler_that_blocks_elsewhere_does_not_stall_its_context() {
    block_on(async {
        let (go, gone) = mpsc::channel();
        let disk = Disk(std::sync::Arc::new(gone.into()));
        let files: FilesClient = in_process::spawn(|port| FilesServer::new(disk).serve(port));
        let mut blocked = files.blocked();
        assert!(futures::poll!(&mut blocked).is_pending());

        assert_eq!(files.quick().await, Ok(1));
        assert_eq!(files.broken().await, Err(CallError::Unknown(Interruption::Panicked("bad sector".to_owned()))));

        go.send(7).unwrap();
        assert_eq!(blocked.await, Ok(7));
    });
}

//! Several services behind one port, found by name.

mod common;

use common::over_every_way;
use handover::{Directory, DirectoryClient, context, prelude::*, rpc::NoSuchService};

#[service]
trait Adder {
    async fn add(&self, a: u32, b: u32) -> u32;
}

#[service]
trait Greeter {
    async fn greet(&self, name: &str) -> String;
}

struct Plain;

impl Adder for Plain {
    async fn add(&self, a: u32, b: u32) -> u32 {
        a + b
    }
}

impl Greeter for Plain {
    async fn greet(&self, name: &str) -> String {
        format!("hello, {name}")
    }
}

fn directory() -> Directory {
    Directory::new()
        .with("adder", |port| context::spawn_local(AdderServer::new(Plain).serve(port)))
        .with("greeter", |port| context::spawn_local(GreeterServer::new(Plain).serve(port)))
}

#[test]
fn each_service_behind_a_port_is_found_by_its_name() {
    over_every_way(async |way| {
        let client: DirectoryClient = way.spawn(|port| directory().serve(port));

        let adder: AdderClient = client.open("adder").await.unwrap();
        let greeter: GreeterClient = client.open("greeter").await.unwrap();

        assert_eq!(adder.add(2, 3).await, Ok(5));
        assert_eq!(greeter.greet("Tell").await.unwrap(), "hello, Tell");
        assert_eq!(client.names().await.unwrap(), ["adder", "greeter"]);
    });
}

#[test]
fn a_name_that_nobody_has_is_an_error_that_says_it() {
    over_every_way(async |way| {
        let client: DirectoryClient = way.spawn(|port| directory().serve(port));

        let error = client.open::<AdderClient>("ladder").await.unwrap_err();

        assert_eq!(error, RpcError::Service(NoSuchService("ladder".into())));
        assert_eq!(error.to_string(), "there is no service `ladder` here");
    });
}

#[test]
fn each_who_asks_has_a_service_of_his_own() {
    over_every_way(async |way| {
        let client: DirectoryClient = way.spawn(|port| directory().serve(port));

        let first: AdderClient = client.open("adder").await.unwrap();
        let second: AdderClient = client.open("adder").await.unwrap();
        drop(first);

        assert_eq!(second.add(2, 3).await, Ok(5));
    });
}

//! Arguments that are lent: borrowed at the client, owned on the way, borrowed at the service.
#![forbid(unsafe_code)]
#![deny(
    warnings,
    future_incompatible,
    rust_2024_compatibility,
    missing_docs,
    single_use_lifetimes,
    unreachable_pub,
    unused,
    clippy::pedantic
)]

mod common;

use std::{
    ffi::CStr,
    path::{Path, PathBuf},
};

use common::over_every_way;
use handover::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Contact {
    name: String,
}

#[service]
#[expect(clippy::ptr_arg, clippy::ref_option, reason = "any type can be lent")]
trait Lending {
    async fn text(&self, text: &str) -> usize;
    async fn bytes(&self, bytes: &[u8], and: Vec<u8>) -> u32;
    async fn slice(&self, contacts: &[Contact], at: u32) -> Option<Contact>;
    async fn value(&self, contact: &Contact) -> String;
    async fn path(&self, path: &Path, name: &CStr) -> PathBuf;
    async fn tuple(&self, pair: &(String, u8), number: &u64, list: &Vec<u8>, flag: &Option<bool>) -> String;
    async fn named<'a>(&self, one: &'a str, other: &'a str) -> String;
    async fn of_self<'a>(&'a self, one: &'a str) -> String;
    async fn elsewhere(&self, text: &std::primitive::str) -> Result<(), String>;
    #[rpc(oneway)]
    async fn told(&self, text: &str);
    async fn later(&self, text: &str) -> String;
    async fn last(self, text: &str) -> String;
}

struct Borrower;

impl Lending for Borrower {
    async fn text(&self, text: &str) -> usize {
        text.len()
    }

    async fn bytes(&self, bytes: &[u8], and: Vec<u8>) -> u32 {
        bytes.iter().chain(&and).map(|byte| u32::from(*byte)).sum()
    }

    async fn slice(&self, contacts: &[Contact], at: u32) -> Option<Contact> {
        contacts.get(at as usize).cloned()
    }

    async fn value(&self, contact: &Contact) -> String {
        contact.name.clone()
    }

    async fn path(&self, path: &Path, name: &CStr) -> PathBuf {
        path.join(name.to_str().unwrap())
    }

    async fn tuple(&self, pair: &(String, u8), number: &u64, list: &Vec<u8>, flag: &Option<bool>) -> String {
        format!("{pair:?} {number} {list:?} {flag:?}")
    }

    async fn named<'a>(&self, one: &'a str, other: &'a str) -> String {
        let longer: &'a str = if one.len() < other.len() { other } else { one };
        longer.to_owned()
    }

    async fn of_self<'a>(&'a self, one: &'a str) -> String {
        one.to_owned()
    }

    async fn elsewhere(&self, text: &str) -> Result<(), String> {
        Err(text.to_owned())
    }

    async fn told(&self, text: &str) {
        assert_eq!(text, "told");
    }

    async fn later(&self, text: &str) -> String {
        common::turn().await;
        text.to_owned()
    }

    async fn last(self, text: &str) -> String {
        common::turn().await;
        text.to_owned()
    }
}

#[test]
fn what_the_caller_lends_the_service_borrows() {
    over_every_way(async |way| {
        let client: LendingClient = way.spawn(|port| LendingServer::new(Borrower).serve(port));
        let tell = Contact { name: "Tell".into() };

        assert_eq!(client.text("twelve chars").await, Ok(12));
        assert_eq!(client.bytes(&[1, 2], vec![3]).await, Ok(6));
        assert_eq!(client.slice(std::slice::from_ref(&tell), 0).await, Ok(Some(tell.clone())));
        assert_eq!(client.slice(std::slice::from_ref(&tell), 1).await, Ok(None));
        assert_eq!(client.value(&tell).await.unwrap(), "Tell");
        assert_eq!(client.path("a/b".as_ref(), c"c").await.unwrap(), Path::new("a/b/c"));
        let tuple = client.tuple(&("x".into(), 1), &2, &vec![3], &Some(true)).await;
        assert_eq!(tuple.unwrap(), r#"("x", 1) 2 [3] Some(true)"#);
        assert_eq!(client.named("ab", "abc").await.unwrap(), "abc");
        assert_eq!(client.of_self("ab").await.unwrap(), "ab");
        assert_eq!(client.elsewhere("why not").await, Err(RpcError::Service("why not".into())));
        assert_eq!(client.told("told").await, Ok(()));
        assert_eq!(client.later("later").await.unwrap(), "later");
        assert_eq!(client.last("last").await.unwrap(), "last");
    });
}

#[test]
fn what_is_lent_is_needed_no_longer_once_the_call_is_made() {
    over_every_way(async |way| {
        let client: LendingClient = way.spawn(|port| LendingServer::new(Borrower).serve(port));

        let call = {
            let text = String::from("gone");
            client.later(&text)
        };

        assert_eq!(call.await.unwrap(), "gone");
    });
}

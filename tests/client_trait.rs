//! `#[service(client_trait)]`: a client is a service, so code that is generic over a service takes clients and mocks alike.
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

use std::{cell::RefCell, error::Error, fmt};

use common::over_every_way;
use handover::{prelude::*, rpc::Wire};
use serde::{Deserialize, Serialize};

/// The service's own error, which can say too that a call failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum BookError {
    Nameless,
    Unreachable(String),
}

impl fmt::Display for BookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Error for BookError {}

impl From<CallError> for BookError {
    fn from(error: CallError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

type Result<T, E = BookError> = std::result::Result<T, E>;

#[service(client_trait)]
trait Contacts: fmt::Debug {
    /// Adds a contact.
    async fn add(&self, name: &str) -> std::result::Result<u32, BookError>;
    async fn all(&self) -> Result<Vec<String>>;
    #[rpc(oneway)]
    async fn touch(&self, name: String);
    async fn close(self) -> Result<u32>;
    async fn twice(&self, name: &str) -> Result<u32> {
        self.add(name).await?;
        self.add(name).await
    }
}

#[derive(Debug, Default)]
struct Book(RefCell<Vec<String>>);

impl Contacts for Book {
    async fn add(&self, name: &str) -> Result<u32> {
        if name.is_empty() {
            return Err(BookError::Nameless);
        }
        self.0.borrow_mut().push(name.to_owned());
        Ok(u32::try_from(self.0.borrow().len()).unwrap())
    }

    async fn all(&self) -> Result<Vec<String>> {
        Ok(self.0.borrow().clone())
    }

    async fn touch(&self, name: String) {
        self.0.borrow_mut().retain(|known| *known != name);
    }

    async fn close(self) -> Result<u32> {
        Ok(u32::try_from(self.0.into_inner().len()).unwrap())
    }
}

/// A service that is none: it says what a test wants to hear.
#[derive(Debug)]
struct Mock;

impl Contacts for Mock {
    async fn add(&self, _: &str) -> Result<u32> {
        Ok(7)
    }

    async fn all(&self) -> Result<Vec<String>> {
        Ok(vec!["mocked".into()])
    }

    async fn touch(&self, _: String) {}

    async fn close(self) -> Result<u32> {
        Err(BookError::Nameless)
    }
}

/// Code that does not know where the contacts are.
async fn import<C: Contacts>(contacts: &C, names: &[&str]) -> Result<String> {
    for name in names {
        contacts.add(name).await?;
    }
    Ok(contacts.all().await?.join(", "))
}

#[test]
fn code_that_is_generic_over_a_service_takes_the_service_a_mock_or_a_client() {
    over_every_way(async |way| {
        let client: ContactsClient = way.spawn(|port| ContactsServer::new(Book::default()).serve(port));

        assert_eq!(import(&Book::default(), &["Tell", "Fürst"]).await.unwrap(), "Tell, Fürst");
        assert_eq!(import(&client, &["Tell", "Fürst"]).await.unwrap(), "Tell, Fürst");
        assert_eq!(import(&Mock, &["Tell"]).await.unwrap(), "mocked");
        assert_eq!(import(&client, &[""]).await, Err(BookError::Nameless));
    });
}

#[test]
fn a_client_is_a_service_with_methods_of_every_kind() {
    over_every_way(async |way| {
        let client: ContactsClient = way.spawn(|port| ContactsServer::new(Book::default()).serve(port));

        assert_eq!(Contacts::twice(&client, "Tell").await, Ok(2));
        Contacts::touch(&client, "Tell".into()).await;
        assert_eq!(Contacts::all(&client).await, Ok(vec![]));
        assert_eq!(Contacts::add(&client, "Fürst").await, Ok(1));
        assert_eq!(Contacts::close(client).await, Ok(1));
    });
}

#[test]
fn a_call_that_fails_is_an_error_of_the_service() {
    over_every_way(async |_| {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let client = ContactsClient::from(ours);
        drop(theirs);

        let failed = import(&client, &["Tell"]).await;

        let BookError::Unreachable(why) = failed.unwrap_err() else { panic!("not said to be a failed call") };
        assert!(why.contains("not sent"), "{why}");
        // One-way: there is nobody to tell.
        Contacts::touch(&client, "Tell".into()).await;
    });
}

#[test]
fn a_client_may_be_served_itself_which_passes_calls_on() {
    over_every_way(async |way| {
        let far: ContactsClient = way.spawn(|port| ContactsServer::new(Book::default()).serve(port));

        let near: ContactsClient = way.spawn(|port| ContactsServer::new(far).serve(port));

        assert_eq!(near.add("Tell").await, Ok(1));
        assert_eq!(near.add("").await, Err(RpcError::Service(BookError::Nameless)));
        assert_eq!(near.all().await, Ok(vec!["Tell".into()]));
        assert_eq!(near.close().await, Ok(1));
    });
}

/// A client with types that are left open is a service too.
#[service(client_trait)]
trait Kv<V: Wire> {
    type Key: Wire + Clone;
    async fn get(&self, key: &Self::Key) -> Result<(Self::Key, Option<V>)>;
}

struct Constant(u8);

impl Kv<u8> for Constant {
    type Key = String;

    async fn get(&self, key: &String) -> Result<(String, Option<u8>)> {
        Ok((key.clone(), Some(self.0)))
    }
}

async fn look<S: Kv<u8, Key = String>>(kv: S) -> Option<u8> {
    kv.get(&"key".into()).await.ok()?.1
}

#[test]
fn a_client_of_a_service_with_open_types_is_a_service() {
    over_every_way(async |way| {
        let client: KvClient<u8, String> = way.spawn(|port| KvServer::new(Constant(7)).serve(port));

        assert_eq!(look(client).await, Some(7));
        assert_eq!(look(Constant(8)).await, Some(8));
    });
}

/// The client of a sub-service is one if it is told how to be the super-service.
#[service(client_trait)]
trait Admin: Contacts {
    async fn clear(&self) -> Result<()>;
}

impl Contacts for AdminClient {
    async fn add(&self, name: &str) -> Result<u32> {
        Contacts::add(AsRef::<ContactsClient>::as_ref(self), name).await
    }

    async fn all(&self) -> Result<Vec<String>> {
        Contacts::all(AsRef::<ContactsClient>::as_ref(self)).await
    }

    async fn touch(&self, name: String) {
        Contacts::touch(AsRef::<ContactsClient>::as_ref(self), name).await;
    }

    async fn close(self) -> Result<u32> {
        Contacts::close(ContactsClient::from(self)).await
    }
}

impl Admin for Book {
    async fn clear(&self) -> Result<()> {
        self.0.borrow_mut().clear();
        Ok(())
    }
}

#[test]
fn a_client_of_a_sub_service_is_one_where_it_is_the_super_service_too() {
    async fn replace<A: Admin>(admin: &A, name: &str) -> Result<Vec<String>> {
        admin.clear().await?;
        admin.add(name).await?;
        admin.all().await
    }

    over_every_way(async |way| {
        let admin: AdminClient = way.spawn(|port| AdminServer::new(Book::default()).serve(port));
        admin.add("Tell").await.unwrap();

        assert_eq!(replace(&admin, "Fürst").await, Ok(vec!["Fürst".into()]));
    });
}

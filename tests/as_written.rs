//! The program that the project was begun for, as it was written before there was anything to compile it with.
#![allow(missing_docs, reason = "it is as it was written")]

use std::{cell::RefCell, error::Error, fmt, rc::Rc};

use handover::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contact(String);

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContactId(usize);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddError;

impl fmt::Display for AddError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no")
    }
}

impl Error for AddError {}

#[service]
pub trait Contacts {
    /// Adds a contact and tells its number.
    async fn add(&self, contact: Contact) -> Result<ContactId, AddError>;
    /// How many contacts there are.
    async fn count(&self) -> u32;
    /// A right to add one contact, and nothing else.
    async fn grant_add(&self) -> AddOneClient;
    /// Told, not asked: no reply.
    #[rpc(oneway)]
    async fn touch(&self, id: ContactId);
}

#[service]
pub trait AddOne {
    async fn add(self, contact: Contact) -> Result<ContactId, AddError>;
}

#[service]
pub trait Game {
    async fn play(&self, one: AddOneClient) -> Result<ContactId, AddError>;
}

/// Not `Send`: it is served on the thread that made it.
#[derive(Clone, Default)]
struct Book(Rc<RefCell<Vec<Contact>>>);

impl Contacts for Book {
    async fn add(&self, contact: Contact) -> Result<ContactId, AddError> {
        if contact.0.is_empty() {
            return Err(AddError);
        }
        self.0.borrow_mut().push(contact);
        Ok(ContactId(self.0.borrow().len()))
    }

    async fn count(&self) -> u32 {
        self.0.borrow().len() as u32
    }

    async fn grant_add(&self) -> AddOneClient {
        let ticket = Ticket(self.clone());
        handover::in_process::spawn(|port| AddOneServer::new(ticket).serve(port))
    }

    async fn touch(&self, _id: ContactId) {}
}

struct Ticket(Book);

impl AddOne for Ticket {
    async fn add(self, contact: Contact) -> Result<ContactId, AddError> {
        Contacts::add(&self.0, contact).await
    }
}

struct Archery;

impl Game for Archery {
    async fn play(&self, one: AddOneClient) -> Result<ContactId, AddError> {
        one.add(Contact("Walter".to_owned())).await.map_err(|_| AddError)
    }
}

#[test]
fn a_trait_is_called_in_another_context_and_a_single_use_right_is_handed_on() -> Result<(), Box<dyn Error>> {
    let game: GameClient = handover::worker_thread::spawn("game", |port| GameServer::new(Archery).serve(port))?;
    let tell = Contact("Guillaume Tell".to_owned());

    handover::block_on(async {
        // A context of its own; `contacts` is a ContactsClient.
        let contacts: ContactsClient =
            handover::worker_thread::spawn("contacts", |port| ContactsServer::new(Book::default()).serve(port))?;
        let id: ContactId = contacts.add(tell).await?; // Err is RpcError<AddError>: the service's own error, or CallError
        let one: AddOneClient = contacts.grant_add().await?; // owns a port
        let added = game.play(one).await?; // the port moves into the game's context
        contacts.touch(added).await?;

        assert_eq!((id, added), (ContactId(1), ContactId(2)));
        assert_eq!(contacts.count().await?, 2);
        assert_eq!(contacts.add(Contact(String::new())).await, Err(RpcError::Service(AddError)));
        Ok(())
    })
}

//! The contacts provider: it has the book, and decides who may do what.

use std::{cell::RefCell, error::Error, fmt, fs, rc::Rc};

use handover::{in_process, prelude::*};
use serde::{Deserialize, Serialize};

use super::{
    AddError, AddOne, AddOneClient, AddOneServer, Contact, ContactId, Contacts, ContactsClient, ContactsServer, Rights,
    cards,
};

/// Opens books.
#[service]
pub(crate) trait Provider {
    /// Loads a file of vCards, and gives all rights on what was in it.
    async fn open(&self, file: String) -> Result<ContactsClient, LoadError>;
}

/// A file that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoadError {
    file: String,
    why: String,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read `{}`: {}", self.file, self.why)
    }
}

impl Error for LoadError {}

/// The provider's context.
#[derive(Debug)]
pub(crate) struct Shelf;

impl Provider for Shelf {
    async fn open(&self, file: String) -> Result<ContactsClient, LoadError> {
        let bytes = match fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) => return Err(LoadError { file, why: error.to_string() }),
        };
        let loaded = cards::parse(&bytes);
        for warning in loaded.warnings {
            eprintln!("{file}: {warning}");
        }
        println!("provider: loaded {} contacts", loaded.contacts.len());
        let book = Book::new(loaded.contacts);
        Ok(in_process::spawn(|port| ContactsServer::new(book).serve(port)))
    }
}

/// A book of contacts. It stays on this thread, so plain cells will do.
#[derive(Clone, Debug)]
struct Book(Rc<RefCell<Pages>>);

#[derive(Debug)]
struct Pages {
    contacts: Vec<Contact>,
    rights: Rights,
    looks: u32,
}

impl Book {
    fn new(contacts: Vec<Contact>) -> Self {
        Self(Rc::new(RefCell::new(Pages { contacts, rights: Rights::default(), looks: 0 })))
    }

    fn push(&self, contact: Contact) -> Result<ContactId, AddError> {
        if contact.name.trim().is_empty() {
            return Err(AddError::NoName);
        }
        let mut pages = self.0.borrow_mut();
        pages.contacts.push(contact);
        Ok(ContactId(number(pages.contacts.len())))
    }
}

fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

impl Contacts for Book {
    async fn add(&self, contact: Contact) -> Result<ContactId, AddError> {
        self.push(contact)
    }

    async fn count(&self) -> u32 {
        number(self.0.borrow().contacts.len())
    }

    async fn grant_add(&self) -> AddOneClient {
        self.0.borrow_mut().rights.granted += 1;
        let ticket = Ticket(self.clone());
        in_process::spawn(|port| AddOneServer::new(ticket).serve(port))
    }

    async fn rights(&self) -> Rights {
        self.0.borrow().rights
    }

    async fn touch(&self, _id: ContactId) {
        self.0.borrow_mut().looks += 1;
    }
}

/// A right to add one contact to a book.
#[derive(Debug)]
struct Ticket(Book);

impl AddOne for Ticket {
    async fn add(self, contact: Contact) -> Result<ContactId, AddError> {
        let Self(book) = self;
        book.0.borrow_mut().rights.used += 1;
        book.push(contact)
    }
}

//! A notebook, as anybody would write one with handover: the service of the tests that run over every transport.
//!
//! It does not know where it runs. The same lines are served in the context of their caller, on a worker thread, in another process
//! and in a browser's worker; so there is nothing here of threads, of browsers, or of the target that it is built for.

mod book;
mod page;

use futures::Stream;
use handover::{Buffer, prelude::*};
use serde::{Deserialize, Serialize};

pub use page::{Page, PageClient, PageServer};

use book::Book;

/// Keeps notes.
#[service]
pub trait Notebook {
    /// Adds a note, and tells its number.
    async fn add(&self, note: Note) -> Result<u32, TooLong>;
    /// Adds a note without a word.
    #[rpc(oneway)]
    async fn jot(&self, text: String);
    /// The note of that number.
    async fn note(&self, number: u32) -> Option<Note>;
    /// All notes, in order.
    fn notes(&self) -> impl Stream<Item = Note>;
    /// One note after the other, without an end.
    fn scribble(&self) -> impl Stream<Item = Note>;
    /// Adds all that come, and tells how many notes there are then.
    async fn add_all(&self, notes: impl Stream<Item = Note>) -> u32;
    /// Copies the notes of another notebook, wherever that is, and tells how many those were.
    async fn copy(&self, from: NotebookClient) -> Result<u32, TooLong>;
    /// Something to be handed on: one page, and nothing else of the notebook.
    async fn page(&self, number: u32) -> Option<PageClient>;
    /// Tells the first words of pages, of this notebook or of others.
    async fn read_out(&self, pages: Vec<Named>) -> Vec<String>;
    /// Turns a picture upside down.
    async fn turn(&self, picture: Buffer) -> Buffer;
    /// Ends only if it is ended.
    async fn ponder(&self);
    /// How many methods that wait, streams that run and pages that are open there are.
    async fn busy(&self) -> u32;
}

/// What is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Its first line.
    pub title: String,
    /// What else there is, line by line.
    pub lines: Vec<String>,
}

/// A note has more lines than go on a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TooLong {
    /// How many lines go on a page.
    pub lines: u32,
}

/// A page among others.
#[derive(Debug, Serialize, Deserialize)]
pub struct Named {
    /// What it is called there.
    pub name: String,
    /// The page.
    pub page: PageClient,
}

/// How many lines go on a page.
pub const LINES: u32 = 40;

/// Serves an empty notebook at a port, in this context.
pub async fn serve(port: MessagePort) {
    NotebookServer::new(Book::default()).serve(port).await;
}

impl Note {
    /// A note without more than a title.
    pub fn titled(title: impl Into<String>) -> Self {
        Self { title: title.into(), lines: Vec::new() }
    }
}

impl std::fmt::Display for TooLong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no more than {} lines go on a page", self.lines)
    }
}

impl std::error::Error for TooLong {}

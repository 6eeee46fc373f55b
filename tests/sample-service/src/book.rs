//! The notebook itself. It is not `Send`, and need not be.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use futures::{Stream, StreamExt, stream};
use handover::{Buffer, in_process};

use crate::{LINES, Named, Note, Notebook, NotebookClient, PageClient, PageServer, TooLong, page::Open};

/// A note, as the notebook and whoever has its page share it.
pub(crate) type Leaf = Rc<RefCell<Note>>;

/// Notes in memory.
#[derive(Default)]
pub(crate) struct Book {
    leaves: Rc<RefCell<Vec<Option<Leaf>>>>,
    busy: Rc<Cell<u32>>,
}

/// Counts as long as it lives.
pub(crate) struct Busy(Rc<Cell<u32>>);

impl Book {
    fn write(&self, note: Note) -> Result<u32, TooLong> {
        if note.lines.len() > LINES as usize {
            return Err(TooLong { lines: LINES });
        }
        let mut leaves = self.leaves.borrow_mut();
        leaves.push(Some(Rc::new(RefCell::new(note))));
        Ok(leaves.len() as u32 - 1)
    }

    fn leaf(&self, number: u32) -> Option<Leaf> {
        self.leaves.borrow().get(number as usize).cloned().flatten()
    }

    fn busy_one(&self) -> Busy {
        self.busy.set(self.busy.get() + 1);
        Busy(self.busy.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Notebook for Book {
    async fn add(&self, note: Note) -> Result<u32, TooLong> {
        self.write(note)
    }

    async fn jot(&self, text: String) {
        self.write(Note::titled(text)).expect("a title goes on a page");
    }

    async fn note(&self, number: u32) -> Option<Note> {
        self.leaf(number).map(|leaf| leaf.borrow().clone())
    }

    fn notes(&self) -> impl Stream<Item = Note> {
        let leaves: Vec<_> = self.leaves.borrow().iter().flatten().cloned().collect();
        stream::iter(leaves).map(|leaf| leaf.borrow().clone())
    }

    fn scribble(&self) -> impl Stream<Item = Note> {
        let busy = self.busy_one();
        stream::iter(0_u64..).map(move |number| {
            let _as_long_as_it_runs = &busy;
            Note::titled(number.to_string())
        })
    }

    async fn add_all(&self, notes: impl Stream<Item = Note>) -> u32 {
        notes.for_each(async |note| drop(self.write(note))).await;
        self.leaves.borrow().len() as u32
    }

    async fn copy(&self, from: NotebookClient) -> Result<u32, TooLong> {
        let mut copied = 0;
        // If the other notebook goes, what was copied until then is.
        if let Ok(mut notes) = from.notes().await {
            while let Some(Ok(note)) = notes.next().await {
                self.write(note)?;
                copied += 1;
            }
        }
        Ok(copied)
    }

    async fn page(&self, number: u32) -> Option<PageClient> {
        let page = Open { leaf: self.leaf(number)?, leaves: self.leaves.clone(), _open: self.busy_one() };
        Some(in_process::spawn(|port| PageServer::new(page).serve(port)))
    }

    async fn read_out(&self, pages: Vec<Named>) -> Vec<String> {
        let read = async |Named { name, page }| match page.read().await {
            Ok(note) => format!("{name}: {}", note.title),
            Err(lost) => format!("{name} is lost: {lost}"),
        };
        stream::iter(pages).then(read).collect().await
    }

    async fn turn(&self, picture: Buffer) -> Buffer {
        let mut bytes = picture.into_vec();
        bytes.reverse();
        bytes.into()
    }

    async fn ponder(&self) {
        let _busy = self.busy_one();
        std::future::pending().await
    }

    async fn busy(&self) -> u32 {
        self.busy.get()
    }
}

//! A provider moves while it is used: from the page that made it into a shared worker, and nobody who has a right to it notices.
//!
//! `cargo run --release --example moved_provider`
//!
//! Two contexts, each a thread of its own, add contacts as fast as they can, one of them by a right to that and nothing else; a third
//! waits for an answer that takes long. In the middle of it the object, with every port at which it is served, is handed from one
//! thread to another. It is a value: it moves as values do.

use std::{cell::RefCell, error::Error, thread};

use futures::{StreamExt, channel::mpsc, future::try_join_all};
use handover::{
    context, in_process,
    prelude::*,
    shared_worker::{SharedWorker, SharedWorkerGroup},
    worker_thread::Worker,
};

/// How many contacts each of the two adds.
const EACH: usize = 20_000;

/// Contacts.
#[service]
trait Contacts {
    /// Adds one, and tells where it is served.
    async fn add(&self, name: String) -> String;
    /// Everybody, in the order in which they were added, but asks a listener before each thousand whether it is still interested.
    async fn list(&self, listener: ListenerClient) -> Vec<String>;
}

/// Somebody who waits for a list.
#[service]
trait Listener {
    /// Told how far it is.
    async fn is_interested(&self, so_far: usize) -> bool;
}

#[derive(Default)]
struct Book {
    names: RefCell<Vec<String>>,
}

impl Contacts for Book {
    async fn add(&self, name: String) -> String {
        self.names.borrow_mut().push(name);
        thread::current().name().unwrap_or_default().to_owned()
    }

    async fn list(&self, listener: ListenerClient) -> Vec<String> {
        let names = self.names.borrow().clone();
        for so_far in (0..names.len()).step_by(1000) {
            if !listener.is_interested(so_far).await.unwrap_or(false) {
                return Vec::new();
            }
        }
        names
    }
}

/// Is always interested.
struct Patient;

impl Listener for Patient {
    async fn is_interested(&self, _so_far: usize) -> bool {
        true
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    context::block_on(async {
        let (host, hosting) = ContactsServer::new(Book::default()).host();
        let page = Worker::<MessagePort, _>::spawn("page", async move |_scope, _port| hosting.serve().await)?;

        let (under_way, begun) = mpsc::unbounded();
        let adding = try_join_all(["game", "social"].map(|who| add_all(who, host.client(), under_way.clone())));
        let (reader, listener) = (host.client(), listener());
        let moving = async {
            // Not before both are at it.
            begun.take(2).for_each(async |()| {}).await;
            let listing = reader.list(listener);
            let moved = async {
                host.halt();
                let book = page.join().await?.ok_or("the page ended without being asked")?;
                SharedWorker::<MessagePort>::connect(
                    &SharedWorkerGroup::new(),
                    "shared",
                    async move |_scope, _ports| {
                        book.serve().await;
                    },
                )
                .map_err(Box::<dyn Error>::from)
            };
            let (list, home) = futures::join!(listing, moved);
            println!("a list that was asked for at the page has {} contacts", list?.len());
            home
        };
        let (homes, home) = futures::join!(adding, moving);
        for (who, before, after) in homes? {
            println!("{who} added {before} contacts at the page and {after} at the shared worker, and noticed nothing");
        }

        let names = host.client().list(self::listener()).await?;
        check(&names)?;
        println!("{} contacts are in the book, each once, in the order of whoever added it", names.len());
        drop((host, home?));
        Ok(())
    })
}

/// Somebody to be told, here.
fn listener() -> ListenerClient {
    in_process::spawn(|port| ListenerServer::new(Patient).serve(port))
}

/// Adds contacts from a thread of its own; tells how many were added at the page, and how many elsewhere.
async fn add_all(
    who: &'static str,
    contacts: ContactsClient,
    under_way: mpsc::UnboundedSender<()>,
) -> Result<(&'static str, usize, usize), Box<dyn Error>> {
    let worker = Worker::<MessagePort, _>::spawn(who, async move |_scope, _port| {
        let mut at_the_page = 0;
        for number in 0..EACH {
            let home = contacts.add(format!("{who} {number}")).await?;
            at_the_page += usize::from(home == "page");
            if number == EACH / 10 {
                let _nobody_waits = under_way.unbounded_send(());
            }
        }
        Ok::<_, CallError>(at_the_page)
    })?;
    let at_the_page = worker.join().await??;
    Ok((who, at_the_page, EACH - at_the_page))
}

/// Whether everything is there that was added, once and in order.
fn check(names: &[String]) -> Result<(), Box<dyn Error>> {
    for who in ["game", "social"] {
        let own: Vec<_> = names.iter().filter(|name| name.starts_with(who)).collect();
        let expected = (0..EACH).map(|number| format!("{who} {number}"));
        if !own.into_iter().cloned().eq(expected) {
            return Err(format!("something of {who} is missing, or out of order").into());
        }
    }
    Ok(())
}

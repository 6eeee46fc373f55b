//! The story of the standard: a provider of contacts, a social site, and a game that may add one contact, and nothing else (C29).
//!
//! `cargo run --release --example one_contact`
//!
//! Each is in a context of its own. The social site may manage the contacts. It asks the provider for the power to add one, gives that to
//! the game, and goes: what the game does with it, it does with the provider. In the middle of the game the provider moves from its page
//! into a shared worker, and nobody notices.

use std::{
    cell::RefCell,
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use futures::channel::oneshot;
use handover::{
    CallContext, CallInfo, ClientOptions, Interceptor, Outcome, context,
    prelude::*,
    shared_worker::{SharedWorker, SharedWorkerGroup},
    worker_thread::Worker,
};

/// Contacts, for those who may manage them.
#[service]
trait Contacts {
    /// Adds one, and tells where that was done.
    async fn add(&self, name: String) -> String;
    async fn list(&self) -> Vec<String>;
    /// The power to add one, to be handed on.
    async fn let_add_one(&self, context: CallContext) -> AddOneClient;
}

/// What the game gets: of contacts, it can only add some.
#[service(view_of = Contacts)]
trait AddOne {
    async fn add(&self, name: String) -> String;
}

/// A game.
#[service]
trait Game {
    /// Begins, with a power for later.
    async fn begin(&self, power: AddOneClient);
    /// The player has met two people: tells where the first was added, and why the second was not.
    async fn meet(&self, first: String, second: String) -> (String, String);
}

#[derive(Default)]
struct Book(RefCell<Vec<String>>);

impl Contacts for Book {
    async fn add(&self, name: String) -> String {
        self.0.borrow_mut().push(name);
        thread::current().name().unwrap_or_default().to_owned()
    }

    async fn list(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    async fn let_add_one(&self, context: CallContext) -> AddOneClient {
        context.grant().calls(1).label("add one").client()
    }
}

#[derive(Default)]
struct Board(RefCell<Option<AddOneClient>>);

impl Game for Board {
    async fn begin(&self, power: AddOneClient) {
        self.0.replace(Some(power));
    }

    async fn meet(&self, first: String, second: String) -> (String, String) {
        let Some(power) = self.0.take() else { return ("nowhere".to_owned(), "there is no power".to_owned()) };
        let place = power.add(first).await.unwrap_or_else(|error| error.to_string());
        let refusal =
            power.add(second).await.map_or_else(|error| error.to_string(), |place| format!("added at {place}"));
        (place, refusal)
    }
}

/// What the social site sees of calls.
#[derive(Default)]
struct Seen(AtomicU32);

impl Interceptor for Seen {
    fn after(&self, _: &CallInfo, _: &Outcome) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    for line in story()? {
        println!("{line}");
    }
    Ok(())
}

/// Tells what happens, line by line.
pub(crate) fn story() -> Result<Vec<String>, Box<dyn Error>> {
    context::block_on(async {
        let mut told = Vec::new();
        let (host, hosting) = ContactsServer::new(Book::default()).host();
        let page = Worker::<MessagePort, _>::spawn("page", async move |_, _| hosting.serve().await)?;
        let game = Worker::<GameClient, _>::spawn("game", async |_, port| {
            GameServer::new(Board::default()).serve(port).await
        })?;
        let (game, its_thread) = game.split();

        // The social site asks for the power, hands it on, and is gone with all that it had.
        let seen = Arc::new(Seen::default());
        let (contacts, watch) = (host.client(), ClientOptions::default().shared_interceptor(seen.clone()));
        let (give_back, game_again) = oneshot::channel();
        let social = Worker::<MessagePort, _>::spawn("social site", async move |_, _| {
            let contacts = contacts.with_options(watch);
            let power = contacts.let_add_one().await?;
            game.begin(power).await?;
            let _nobody_plays = give_back.send(game);
            Ok::<_, CallError>(contacts.list().await?.len())
        })?;
        let known = social.join().await??;
        told.push(format!("the social site knows {known} contacts; it gave the game the power to add one, and left"));
        let game = game_again.await?;
        let seen_of_its_own = seen.0.load(Ordering::Relaxed);

        // In the middle of the game, the provider moves.
        host.halt();
        let book = page.join().await?.ok_or("the page ended without being asked")?;
        let home =
            SharedWorker::<MessagePort>::connect(&SharedWorkerGroup::new(), "shared worker", async move |_, _| {
                book.serve().await;
            })?;
        told.push("the provider moved into a shared worker".to_owned());

        let (place, refusal) = game.meet("Tell".to_owned(), "Gessler".to_owned()).await?;
        told.push(format!("the game added Tell at the {place}"));
        told.push(format!("it did not add Gessler: {refusal}"));
        let seen_of_the_game = seen.0.load(Ordering::Relaxed) - seen_of_its_own;
        told.push(format!("of that the social site saw {seen_of_the_game} calls; its own were {seen_of_its_own}"));
        told.push(format!("in the book: {}", host.client().list().await?.join(", ")));

        drop(game);
        its_thread.join().await?;
        drop((host, home));
        Ok(told)
    })
}

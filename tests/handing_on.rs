//! Whoever hands a client on is out of the way.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use futures::StreamExt;
use handover::{
    CallInfo, Interceptor, context,
    prelude::*,
    rpc::interceptor,
    worker_thread::{Worker, WorkerBuilder, executor},
};

/// A: the provider.
#[service]
trait Contacts {
    async fn add(&self, name: String) -> u32;
    async fn watch(&self) -> impl futures::Stream<Item = u32>;
    /// In which thread it is.
    async fn place(&self) -> String;
}

#[derive(Default)]
struct Book(AtomicU32);

impl Contacts for Book {
    async fn add(&self, _: String) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    async fn watch(&self) -> impl futures::Stream<Item = u32> {
        futures::stream::iter(0..1000)
    }

    async fn place(&self) -> String {
        std::thread::current().name().unwrap_or_default().to_owned()
    }
}

/// C: who uses what it is given.
#[service]
trait Game {
    async fn play(&self, contacts: ContactsClient) -> u32;
    async fn play_again(&self) -> u32;
    async fn watch(&self) -> Vec<u32>;
    async fn place(&self) -> String;
}

#[derive(Default)]
struct Player(std::cell::RefCell<Option<ContactsClient>>);

impl Game for Player {
    async fn play(&self, contacts: ContactsClient) -> u32 {
        let added = contacts.add("Tell".into()).await.unwrap();
        self.0.replace(Some(contacts));
        added
    }

    async fn play_again(&self) -> u32 {
        let contacts = self.0.borrow().as_ref().unwrap().clone();
        contacts.add("Tell".into()).await.unwrap()
    }

    async fn watch(&self) -> Vec<u32> {
        let contacts = self.0.borrow().as_ref().unwrap().clone();
        contacts.watch().await.unwrap().map(Result::unwrap).collect().await
    }

    async fn place(&self) -> String {
        let contacts = self.0.borrow().as_ref().unwrap().clone();
        contacts.place().await.unwrap()
    }
}

/// B: who introduces the two, and sees what passes in its thread.
#[service]
trait Social {
    async fn introduce(&self, contacts: ContactsClient, game: GameClient) -> GameClient;
}

struct Site;

impl Social for Site {
    async fn introduce(&self, contacts: ContactsClient, game: GameClient) -> GameClient {
        assert_eq!(game.play(contacts).await, Ok(1));
        game
    }
}

/// Counts the calls that are made and served in a thread.
#[derive(Default)]
struct Counter(AtomicU32);

impl Interceptor for Counter {
    fn before(&self, _: &mut CallInfo) -> Result<(), String> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// C's worker, B's, and what passed in B's thread.
fn cast(tokio: bool) -> (ContactsClient, GameClient, Worker<SocialClient>, Arc<Counter>) {
    let builder = |name: &str| {
        let builder = WorkerBuilder::new(name);
        if tokio { builder.executor(executor::tokio) } else { builder }
    };
    let contacts = builder("A")
        .spawn::<ContactsClient, (), _, _>(|_, port| ContactsServer::new(Book::default()).serve(port))
        .unwrap();
    let game =
        builder("C").spawn::<GameClient, (), _, _>(|_, port| GameServer::new(Player::default()).serve(port)).unwrap();
    let passed = Arc::new(Counter::default());
    let seen = passed.clone();
    let social = builder("B")
        .spawn::<SocialClient, (), _, _>(async move |_, port| {
            let _installed = interceptor::install(seen);
            SocialServer::new(Site).serve(port).await;
        })
        .unwrap();
    (contacts.into_client(), game.into_client(), social, passed)
}

#[test]
fn calls_between_two_who_were_introduced_do_not_pass_whoever_introduced_them() {
    for tokio in [false, true] {
        context::block_on(async {
            let (contacts, game, social, passed) = cast(tokio);
            let (site, social) = social.split();

            let game = site.introduce(contacts, game).await.unwrap();
            let before = passed.0.load(Ordering::Relaxed);
            assert_eq!(before, 1, "B's own method");
            for number in 2..100 {
                assert_eq!(game.play_again().await, Ok(number));
            }

            assert_eq!(passed.0.load(Ordering::Relaxed), before);
            drop(site);
            social.join().await.unwrap();
        });
    }
}

#[test]
fn two_who_were_introduced_go_on_when_the_thread_of_whoever_introduced_them_has_ended() {
    for tokio in [false, true] {
        context::block_on(async {
            let (contacts, game, social, _) = cast(tokio);
            let (site, social) = social.split();
            let game = site.introduce(contacts, game).await.unwrap();

            drop(site);
            social.join().await.unwrap();

            assert_eq!(game.play_again().await, Ok(2));
            assert_eq!(game.watch().await.unwrap(), (0..1000).collect::<Vec<_>>());
            assert!(game.place().await.unwrap().contains('A'), "{:?}", game.place().await);
        });
    }
}

#[test]
fn two_who_were_introduced_go_on_when_whoever_introduced_them_is_killed() {
    context::block_on(async {
        let (contacts, game, social, _) = cast(false);
        let game = {
            let (site, social) = social.split();
            let game = site.introduce(contacts, game).await.unwrap();
            social.terminate();
            drop(social.join().await);
            game
        };

        assert_eq!(game.play_again().await, Ok(2));
    });
}

//! What becomes of a single use, whatever goes wrong on the way: what its caller may conclude, and whether it can still be used.

mod common;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{Arc, Mutex},
    time::Duration,
};

use common::{settle, turn, within};
use futures::{channel::oneshot, poll};
use handover::{
    CallInfo, ClientOptions, Host, Interceptor, Interruption, Message, NotSent, Refusal, ServeOptions,
    clock::{self, ManualClock},
    context,
    prelude::*,
    rpc::AuditEntry,
    testing::{Link, LinkOptions},
    worker_thread::Worker,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const SECOND: Duration = Duration::from_secs(1);

#[service]
trait Ticket {
    async fn spend(self, how: Fate) -> Result<Fate, Torn>;
}

/// What is to become of a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Well,
    /// It cannot be written.
    IsNotWritten,
    /// It cannot be read.
    IsNotRead,
    Tears,
    Panics,
    /// What it returns cannot be written.
    ReturnsWhatIsNotWritten,
    /// It waits until the service lets it go, or goes.
    Waits,
}

const FATES: [Fate; 7] = [
    Fate::Well,
    Fate::IsNotWritten,
    Fate::IsNotRead,
    Fate::Tears,
    Fate::Panics,
    Fate::ReturnsWhatIsNotWritten,
    Fate::Waits,
];

impl Serialize for Fate {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::IsNotWritten => Err(serde::ser::Error::custom("not to be written")),
            _ => FATES.iter().position(|fate| fate == self).map_or(0, |at| at as u8).serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Fate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let fate = FATES.get(usize::from(u8::deserialize(from)?)).copied();
        fate.filter(|fate| *fate != Self::IsNotRead).ok_or_else(|| serde::de::Error::custom("not to be read"))
    }
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Torn;

struct Paper {
    begun: Rc<Cell<u32>>,
    hold: Rc<RefCell<Option<oneshot::Receiver<()>>>>,
}

impl Ticket for Paper {
    async fn spend(self, how: Fate) -> Result<Fate, Torn> {
        self.begun.set(self.begun.get() + 1);
        match how {
            Fate::Tears => Err(Torn),
            Fate::Panics => panic!("torn to pieces"),
            Fate::ReturnsWhatIsNotWritten => Ok(Fate::IsNotWritten),
            Fate::Waits => {
                let hold = self.hold.take();
                hold.expect("one use waits").await.map_err(|_| Torn)?;
                Ok(Fate::Well)
            }
            how => Ok(how),
        }
    }
}

/// A single use, and one more client of it, by which it is seen whether it can still be used.
struct Booth {
    host: Host<TicketClient>,
    probe: TicketClient,
    begun: Rc<Cell<u32>>,
    /// Lets the use go that waits.
    go: Option<oneshot::Sender<()>>,
    /// Ends the service.
    stop: Option<oneshot::Sender<()>>,
}

impl Booth {
    fn open() -> Self {
        let (begun, (go, hold)) = (Rc::<Cell<u32>>::default(), oneshot::channel());
        let paper = Paper { begun: begun.clone(), hold: Rc::new(RefCell::new(Some(hold))) };
        let (host, hosting) = TicketServer::new(paper).host();
        let (stop, stopped) = oneshot::channel::<()>();
        context::spawn_local(async move {
            let serve = std::pin::pin!(hosting.serve());
            futures::future::select(serve, stopped).await;
        });
        Self { probe: host.client(), host, begun, go: Some(go), stop: Some(stop) }
    }

    /// Asserts that the use can still be made, and that nothing has begun.
    async fn can_be_made(self) {
        assert_eq!(self.begun.get(), 0);
        assert_eq!(self.probe.spend(Fate::Well).await, Ok(Fate::Well));
        assert_eq!(self.begun.get(), 1);
    }

    /// Asserts that it cannot be made, and that it was begun once.
    async fn was_made(self) {
        assert_eq!(self.begun.get(), 1);
        let error = self.probe.spend(Fate::Well).await.unwrap_err();
        let gone = [CallError::Refused(Refusal::Spent), CallError::NotSent(NotSent::Closed)];
        assert!(gone.contains(&call_error(error)), "it was renewed");
        assert_eq!(self.begun.get(), 1);
    }
}

fn call_error(error: RpcError<Torn>) -> CallError {
    match error {
        RpcError::Call(error) => error,
        RpcError::Service(Torn) => panic!("the method has ended by itself"),
    }
}

/// The same client, with a link of bytes before it.
fn by_bytes(client: TicketClient) -> (TicketClient, Link) {
    let (ours, near) = MessageChannel::new().into_ports();
    let link = Link::spawn(near, client.into_port(), LinkOptions::default());
    (TicketClient::from(ours), link)
}

fn not_sent<T>(why: NotSent) -> Result<T, RpcError<Torn>> {
    Err(RpcError::Call(CallError::NotSent(why)))
}

fn refused<T>(why: Refusal) -> Result<T, RpcError<Torn>> {
    Err(RpcError::Call(CallError::Refused(why)))
}

fn unknown<T>(why: Interruption) -> Result<T, RpcError<Torn>> {
    Err(RpcError::Call(CallError::Unknown(why)))
}

/// C5
#[test]
fn a_use_that_cannot_be_written_was_not_sent_and_is_not_made() {
    context::block_on(async {
        let booth = Booth::open();
        let (ticket, _link) = by_bytes(booth.host.client());

        let ended = ticket.spend(Fate::IsNotWritten).await;

        assert!(matches!(&ended, Err(RpcError::Call(CallError::NotSent(NotSent::Unencodable(_))))), "{ended:?}");
        booth.can_be_made().await;
    });
}

/// C5
#[test]
fn a_use_whose_port_is_closed_was_not_sent_and_is_not_made() {
    context::block_on(async {
        let booth = Booth::open();
        let ticket = booth.host.client();
        ticket.port().close();

        assert_eq!(ticket.spend(Fate::Well).await, not_sent(NotSent::Closed));

        booth.can_be_made().await;
    });
}

/// C5
#[test]
fn a_use_that_nobody_takes_out_of_the_queue_was_not_sent() {
    context::block_on(async {
        let begun = Rc::<Cell<u32>>::default();
        let paper = Paper { begun: begun.clone(), hold: Rc::default() };
        let (host, hosting) = TicketServer::new(paper).host();
        let mut call = host.client().spend(Fate::Well);
        assert!(poll!(&mut call).is_pending());

        drop(hosting);

        assert_eq!(call.await, not_sent(NotSent::Closed));
        assert_eq!(begun.get(), 0);
    });
}

/// C5
#[test]
fn a_use_that_was_not_sent_comes_back_in_the_error_and_can_still_be_made() {
    let clock = Arc::new(ManualClock::default());
    let _entered = clock::enter(clock.clone());
    context::block_on(async {
        // It cannot be written.
        let booth = Booth::open();
        let (ticket, _link) = by_bytes(booth.host.client());
        let failed = ticket.spend(Fate::IsNotWritten).or_client().await.unwrap_err();
        assert!(matches!(failed.error, RpcError::Call(CallError::NotSent(NotSent::Unencodable(_)))), "{failed:?}");
        assert_eq!(failed.into_client().unwrap().spend(Fate::Well).await, Ok(Fate::Well));
        booth.was_made().await;

        // Its deadline has passed before anybody has taken it.
        let begun = Rc::<Cell<u32>>::default();
        let paper = Paper { begun: begun.clone(), hold: Rc::default() };
        let (host, hosting) = TicketServer::new(paper).host();
        let mut late = host.client().spend(Fate::Well).deadline(SECOND).or_client();
        assert!(poll!(&mut late).is_pending());
        clock.advance(SECOND);
        let failed = late.await.unwrap_err();
        assert_eq!(Err::<Fate, _>(failed.error), not_sent(NotSent::DeadlineExceeded));
        context::spawn_local(async move { drop(hosting.serve().await) });
        settle().await;
        assert_eq!(begun.get(), 0, "it was taken back");
        assert_eq!(failed.client.unwrap().spend(Fate::Well).await, Ok(Fate::Well));
        assert_eq!(begun.get(), 1);

        // Whoever watches the holder's calls did not let it go.
        let booth = Booth::open();
        let ticket = booth.host.client().with_options(ClientOptions::default().interceptor(Stern));
        let failed = ticket.spend(Fate::Well).or_client().await.unwrap_err();
        assert!(matches!(failed.error, RpcError::Call(CallError::NotSent(NotSent::Denied(_)))), "{failed:?}");
        let ticket = failed.into_client().unwrap().with_options(ClientOptions::default());
        assert_eq!(ticket.spend(Fate::Well).await, Ok(Fate::Well));
        booth.was_made().await;

        // Its port is closed: it comes back, and that is all.
        let booth = Booth::open();
        let ticket = booth.host.client();
        ticket.port().close();
        let failed = ticket.spend(Fate::Well).or_client().await.unwrap_err();
        assert_eq!(Err::<Fate, _>(failed.error), not_sent(NotSent::Closed));
        assert_eq!(failed.client.unwrap().spend(Fate::Well).await, not_sent(NotSent::Closed));
        booth.can_be_made().await;
    });
}

#[service(view_of = Ticket)]
trait Use {
    async fn spend(self, how: Fate) -> Result<Fate, Torn>;
}

/// C5
#[test]
fn a_view_of_a_use_that_was_not_sent_comes_back_as_the_view() {
    context::block_on(async {
        let booth = Booth::open();
        let (ours, near) = MessageChannel::new().into_ports();
        let far: UseClient = booth.host.grant().view().client();
        let _link = Link::spawn(near, far.into_port(), LinkOptions::default());

        let failed = UseClient::from(ours).spend(Fate::IsNotWritten).or_client().await.unwrap_err();

        let again: UseClient = failed.into_client().unwrap();
        assert_eq!(again.spend(Fate::Well).await, Ok(Fate::Well));
        booth.was_made().await;
    });
}

/// C5
#[test]
fn a_use_that_left_does_not_come_back_however_it_ended() {
    context::block_on(async {
        let booth = Booth::open();
        let panics = booth.host.client().spend(Fate::Panics).or_client().await.unwrap_err();
        assert!(matches!(panics.error, RpcError::Call(CallError::Unknown(_))) && panics.client.is_none());

        let late = booth.host.client().spend(Fate::Well).or_client().await.unwrap_err();
        assert_eq!((Err::<Fate, _>(late.error), late.client.is_none()), (refused(Refusal::Spent), true));

        let booth = Booth::open();
        let tears = booth.host.client().spend(Fate::Tears).or_client().await.unwrap_err();
        assert!(tears.error == RpcError::Service(Torn) && tears.client.is_none());

        let booth = Booth::open();
        assert_eq!(booth.host.client().spend(Fate::Well).or_client().await.ok(), Some(Fate::Well));
    });
}

/// C5
#[test]
fn a_use_that_is_refused_before_it_is_claimed_is_not_made_and_says_why() {
    let clock = Arc::new(ManualClock::default());
    let _entered = clock::enter(clock.clone());
    context::block_on(async {
        // It waits in the queue, and its right is taken back.
        let booth = Booth::open();
        let (ticket, revoker) = booth.host.grant().revocable();
        let mut call = ticket.spend(Fate::Well);
        assert!(poll!(&mut call).is_pending());
        revoker.revoke();
        assert_eq!(call.await, refused(Refusal::Revoked));
        booth.can_be_made().await;

        // Its time is up.
        let booth = Booth::open();
        let ticket = booth.host.grant().expires(SECOND).client();
        clock.advance(SECOND);
        settle().await;
        assert_eq!(ticket.spend(Fate::Well).await, refused(Refusal::Expired));
        booth.can_be_made().await;

        // The issuer says no.
        let booth = Booth::open();
        let ticket = booth.host.grant().check(|_| Err("not you".to_owned())).client();
        assert_eq!(ticket.spend(Fate::Well).await, refused(Refusal::Denied("not you".to_owned())));
        booth.can_be_made().await;

        // It cannot be read.
        let booth = Booth::open();
        let (ticket, _link) = by_bytes(booth.host.client());
        let ended = ticket.spend(Fate::IsNotRead).await;
        assert!(matches!(&ended, Err(RpcError::Call(CallError::Refused(Refusal::Malformed(_))))), "{ended:?}");
        booth.can_be_made().await;
    });
}

/// C5
#[test]
fn a_use_that_was_made_before_is_refused_as_spent() {
    context::block_on(async {
        let booth = Booth::open();
        let late = booth.host.client();
        assert_eq!(booth.host.client().spend(Fate::Well).await, Ok(Fate::Well));

        assert_eq!(late.spend(Fate::Well).await, refused(Refusal::Spent));

        booth.was_made().await;
    });
}

/// C5
#[test]
fn a_use_that_ran_brings_what_the_method_says_and_is_spent_also_by_its_error() {
    for (fate, outcome) in [(Fate::Well, Ok(Fate::Well)), (Fate::Tears, Err(RpcError::Service(Torn)))] {
        context::block_on(async {
            let booth = Booth::open();

            assert_eq!(booth.host.client().spend(fate).await, outcome);

            booth.was_made().await;
        });
    }
}

/// C5
#[test]
fn a_use_that_was_begun_and_has_no_answer_is_unknown_and_spent() {
    context::block_on(async {
        // It panics as it runs.
        let booth = Booth::open();
        let panicked = Interruption::Panicked("torn to pieces".to_owned());
        assert_eq!(booth.host.client().spend(Fate::Panics).await, unknown(panicked));
        booth.was_made().await;

        // Its service goes as it runs.
        let mut booth = Booth::open();
        let mut call = booth.host.client().spend(Fate::Waits);
        assert!(poll!(&mut call).is_pending());
        settle().await;
        drop(booth.stop.take());
        assert_eq!(call.await, unknown(Interruption::Closed));
        booth.was_made().await;

        // Its reply cannot be written.
        let booth = Booth::open();
        let (ticket, _link) = by_bytes(booth.host.client());
        let ended = ticket.spend(Fate::ReturnsWhatIsNotWritten).await;
        let Err(RpcError::Call(CallError::Unknown(Interruption::UnreadableReply(_)))) = ended else {
            panic!("{ended:?}")
        };
        booth.was_made().await;

        // Its reply is not delivered.
        let mut booth = Booth::open();
        let (ticket, link) = by_bytes(booth.host.client());
        let mut call = ticket.spend(Fate::Waits);
        assert!(poll!(&mut call).is_pending());
        settle().await;
        link.pause();
        booth.go.take().unwrap().send(()).unwrap();
        settle().await;
        link.cut();
        let ended = call.await;
        assert!(matches!(&ended, Err(RpcError::Call(CallError::Unknown(_)))), "{ended:?}");
        booth.was_made().await;
    });
}

/// C5
#[test]
fn a_use_whose_caller_waits_no_longer_is_spent_if_it_was_begun() {
    context::block_on(async {
        let booth = Booth::open();
        let mut call = booth.host.client().spend(Fate::Waits);
        assert!(poll!(&mut call).is_pending());
        settle().await;

        drop(call);
        settle().await;

        booth.was_made().await;
    });
}

/// Lets no call go.
struct Stern;

impl Interceptor for Stern {
    fn before(&self, _: &mut CallInfo) -> Result<(), String> {
        Err("not today".to_owned())
    }
}

/// What the issuer of a single use was told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<AuditEntry>>>);

impl Told {
    fn released(&self) -> usize {
        self.0.lock().unwrap().iter().filter(|entry| matches!(entry, AuditEntry::Released { .. })).count()
    }

    fn used(&self) -> usize {
        self.0.lock().unwrap().iter().filter(|entry| matches!(entry, AuditEntry::Used { .. })).count()
    }
}

/// A single use that is served here and has one client, what its issuer is told, and how often its service has ended.
fn issued() -> (TicketClient, Host<TicketClient>, Told, Rc<Cell<u32>>) {
    let (told, ended) = (Told::default(), Rc::<Cell<u32>>::default());
    let (entries, ends) = (told.0.clone(), ended.clone());
    let audit = move |entry| entries.lock().unwrap().push(entry);
    let paper = Paper { begun: Rc::default(), hold: Rc::default() };
    let (host, hosting) = TicketServer::new(paper).with(ServeOptions::default().audit(audit)).host();
    context::spawn_local(async move {
        assert!(hosting.serve().await.is_none());
        ends.set(ends.get() + 1);
    });
    (host.client(), host, told, ended)
}

/// Asserts that the issuer learns once that the use will not be made, and that nothing is kept for it.
async fn is_told_once(host: Host<TicketClient>, told: Told, ended: Rc<Cell<u32>>) {
    within(async {
        host.idle().await;
        while told.released() == 0 {
            turn().await;
        }
    })
    .await;
    settle().await;
    assert_eq!((told.released(), told.used(), host.clients(), host.exports().len()), (1, 0, 0, 0));
    drop(host);
    settle().await;
    assert_eq!(ended.get(), 1, "nobody is left who could use it");
    assert_eq!(told.released(), 1);
}

/// C6
#[test]
fn the_issuer_of_a_use_that_is_dropped_unused_is_told_once() {
    context::block_on(async {
        let (ticket, host, told, ended) = issued();
        settle().await;
        assert_eq!(told.released(), 0);

        drop(ticket);

        is_told_once(host, told, ended).await;
    });
}

/// C6
#[test]
fn the_issuer_of_a_use_that_is_lost_with_the_message_that_carries_it_is_told_once() {
    context::block_on(async {
        let (ticket, host, told, ended) = issued();
        let (ours, theirs) = MessageChannel::new().into_ports();
        ours.post_message(Message::new("for you").with_port(ticket.into_port())).unwrap();
        settle().await;
        assert_eq!(told.released(), 0, "it is on its way");

        drop(theirs);

        is_told_once(host, told, ended).await;
    });
}

#[service]
trait Till {
    async fn keep(&self, ticket: TicketClient);
}

struct NeverOpen;

impl Till for NeverOpen {
    async fn keep(&self, ticket: TicketClient) {
        drop(ticket);
        unreachable!("nobody serves it");
    }
}

/// C6
#[test]
fn the_issuer_of_a_use_that_waits_in_the_queue_of_a_worker_that_is_ended_is_told_once() {
    context::block_on(async {
        let (ticket, host, told, ended) = issued();
        let worker = Worker::<TillClient>::spawn("till", async |_, port: MessagePort| {
            // The call, with the ticket in it, waits at the port.
            let served = TillServer::new(NeverOpen);
            std::future::pending::<()>().await;
            served.serve(port).await;
        });
        let worker = worker.unwrap();
        let mut call = worker.keep(ticket);
        assert!(poll!(&mut call).is_pending());
        settle().await;
        assert_eq!(told.released(), 0, "it waits");

        worker.terminate();

        assert!(within(call).await.is_err());
        is_told_once(host, told, ended).await;
    });
}

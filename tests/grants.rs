//! Rights that are less than all: limits, each with its own reason, and taking back. The cheaters write their frames by hand.

mod common;

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use common::{Way, settle, turn};
use futures::{FutureExt, StreamExt, channel::oneshot, poll};
use handover::{
    CallContext, Host, Interruption, Message, Refusal, RevokerGroup, ServeOptions,
    clock::{self, ManualClock},
    context,
    prelude::*,
    rpc::{self, Answer, Incoming, Limits, Opened, Rate, Service},
    shape::StaticDescription,
    testing::{Link, LinkOptions},
    wire::{CallId, Fault, Frame, MethodId},
};

const SECOND: Duration = Duration::from_secs(1);

#[service]
trait Book {
    async fn add(&self, name: String) -> u32;
    async fn count(&self) -> u32;
    /// Waits until it is let go.
    async fn wait(&self) -> u32;
    #[rpc(no_cancel)]
    async fn stay(&self) -> u32;
    #[rpc(ordered)]
    async fn wait_in_line(&self) -> u32;
    async fn watch(&self) -> impl Stream<Item = u32>;
    async fn echo(&self, bytes: Vec<u8>) -> Vec<u8>;
    #[rpc(oneway)]
    async fn touch(&self);
    /// A right that its caller may hand on.
    async fn grant(&self, context: CallContext, calls: u64) -> BookClient;
    async fn label(&self, context: CallContext) -> String;
}

use futures::Stream;

#[derive(Clone, Default)]
struct Pages {
    names: Rc<RefCell<Vec<String>>>,
    touched: Rc<Cell<u32>>,
    /// How many methods have begun to wait, and how many of them have ended.
    begun: Rc<Cell<u32>>,
    ended: Rc<Cell<u32>>,
    /// How often those that wait were polled.
    polled: Rc<Cell<u32>>,
    gates: Rc<RefCell<Vec<oneshot::Sender<()>>>>,
}

struct Counted(Rc<Cell<u32>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

impl Pages {
    async fn wait_here(&self) -> u32 {
        self.begun.set(self.begun.get() + 1);
        let _ended = Counted(self.ended.clone());
        let (open, mut gate) = oneshot::channel();
        self.gates.borrow_mut().push(open);
        poll_fn(|cx| {
            self.polled.set(self.polled.get() + 1);
            gate.poll_unpin(cx).map(|opened| opened.map_or(0, |()| 1))
        })
        .await
    }

    fn open_all(&self) {
        for gate in self.gates.take() {
            let _gone = gate.send(());
        }
    }
}

impl Book for Pages {
    async fn add(&self, name: String) -> u32 {
        self.names.borrow_mut().push(name);
        self.names.borrow().len() as u32
    }

    async fn count(&self) -> u32 {
        self.names.borrow().len() as u32
    }

    async fn wait(&self) -> u32 {
        self.wait_here().await
    }

    async fn stay(&self) -> u32 {
        self.wait_here().await
    }

    async fn wait_in_line(&self) -> u32 {
        self.wait_here().await
    }

    async fn watch(&self) -> impl Stream<Item = u32> {
        futures::stream::iter([1]).chain(futures::stream::pending())
    }

    async fn echo(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }

    async fn touch(&self) {
        self.touched.set(self.touched.get() + 1);
    }

    async fn grant(&self, context: CallContext, calls: u64) -> BookClient {
        context.grant().calls(calls).client()
    }

    async fn label(&self, context: CallContext) -> String {
        context.label().to_owned()
    }
}

/// A book that is served in this context.
fn book_with(options: ServeOptions) -> (Host<BookClient>, Pages) {
    let pages = Pages::default();
    let (host, hosting) = BookServer::new(pages.clone()).with(options).host();
    context::spawn_local(async move { drop(hosting.serve().await) });
    (host, pages)
}

fn book() -> (Host<BookClient>, Pages) {
    book_with(ServeOptions::default())
}

/// The same client, with a link of bytes before it, or not.
fn over(way: Way, client: BookClient) -> BookClient {
    if !matches!(way, Way::Bytes) {
        return client;
    }
    let (ours, near) = MessageChannel::new().into_ports();
    let _link = Link::spawn(near, client.into_port(), LinkOptions::default());
    BookClient::from(ours)
}

/// As values, and as bytes.
fn both_ways<Fut: Future<Output = ()>>(test: impl Fn(Way) -> Fut) {
    for way in [Way::Direct, Way::Bytes] {
        println!("way: {way:?}");
        context::block_on(test(way));
    }
}

fn id(name: &str) -> MethodId {
    MethodId::of_name(name)
}

fn refused<T>(refusal: Refusal) -> Result<T, CallError> {
    Err(CallError::Refused(refusal))
}

async fn answer(port: &MessagePort) -> Vec<u8> {
    port.recv().await.map(|message: Message| message.data().to_vec()).unwrap_or_default()
}

/// C13
#[test]
fn what_was_not_granted_is_not_there_for_the_holder_nor_in_what_it_can_see_nor_for_its_clones() {
    both_ways(async |way| {
        let (host, _) = book();
        let narrow = over(way, host.grant().only([BookMethod::Count, BookMethod::Wait]).client());

        for client in [narrow.clone(), narrow] {
            assert_eq!(client.count().await, Ok(0));
            assert_eq!(client.add("Tell".into()).await, refused(Refusal::UnknownMethod(id("add"))));
            assert!(!CallError::Refused(Refusal::UnknownMethod(id("add"))).is_denied());
            let described = client.describe().await.unwrap();
            let names: Vec<_> = described.methods.iter().map(|method| method.name.as_str()).collect();
            assert_eq!(names, ["count", "wait"]);
        }
        assert_eq!(host.client().count().await, Ok(0));
    });
}

/// C13
#[test]
fn a_peer_that_calls_every_method_by_hand_reaches_only_what_it_was_granted() {
    context::block_on(async {
        let (host, pages) = book();
        let cheater = host.grant().only([BookMethod::Count]).client().into_port();
        cheater.start();
        let names = ["add", "count", "wait", "stay", "wait_in_line", "watch", "echo", "grant", "label"];

        for (number, name) in (0..).zip(names) {
            let args: &[u8] = if name == "add" { &[1, b'x'] } else { &[] };
            cheater.post_message(Frame::call(CallId(number), id(name), args).to_bytes()).unwrap();
        }
        cheater.post_message(Frame::tell(id("touch"), &[]).to_bytes()).unwrap();

        for (number, name) in (0..).zip(names) {
            let bytes = answer(&cheater).await;
            let fault = Fault::Refused(Refusal::UnknownMethod(id(name)));
            let expected = match name {
                "count" => Frame::Reply { id: CallId(number), result: &[0, 0] },
                _ => Frame::Fault { id: CallId(number), fault },
            };
            assert_eq!(Frame::parse(&bytes), Ok(expected));
        }
        settle().await;
        assert_eq!((pages.names.borrow().len(), pages.touched.get(), pages.begun.get()), (0, 0, 0));
    });
}

/// C4
#[test]
fn a_right_to_so_many_calls_is_one_to_so_many_whoever_makes_them() {
    both_ways(async |way| {
        let (host, pages) = book();
        let right = over(way, host.grant().calls(3).client());
        let clone = right.clone();

        assert_eq!(right.add("one".into()).await, Ok(1));
        assert_eq!(clone.add("two".into()).await, Ok(2));
        assert_eq!(clone.clone().add("three".into()).await, Ok(3));

        for client in [&right, &clone, &right.clone()] {
            let error = client.add("four".into()).await;
            assert_eq!(error, refused(Refusal::NoCallsLeft));
            assert!(error.unwrap_err().is_denied());
        }
        assert_eq!(pages.names.borrow().len(), 3);
    });
}

#[test]
fn a_call_that_cannot_be_read_counts_nowhere() {
    context::block_on(async {
        let (host, _) = book();
        let cheater = host.grant().calls(1).client().into_port();
        cheater.start();

        for number in 0..10 {
            cheater.post_message(Frame::call(CallId(number), id("add"), &[9]).to_bytes()).unwrap();
            let bytes = answer(&cheater).await;
            let read = Frame::parse(&bytes);
            assert!(matches!(read, Ok(Frame::Fault { fault: Fault::Refused(Refusal::Malformed(_)), .. })), "{read:?}");
        }

        assert_eq!(BookClient::from(cheater).count().await, Ok(0));
    });
}

#[test]
fn a_rate_lets_a_burst_through_and_then_as_much_as_time_goes_by() {
    let clock = Arc::new(ManualClock::default());
    let _entered = clock::enter(clock.clone());
    both_ways(async |way| {
        let (host, _) = book();
        let right = over(way, host.grant().rate(2, SECOND).client());

        for _ in 0..2 {
            assert_eq!(right.count().await, Ok(0));
        }
        assert_eq!(right.count().await, refused(Refusal::TooFast));
        assert_eq!(right.clone().count().await, refused(Refusal::TooFast));

        clock.advance(SECOND / 2);
        assert_eq!(right.clone().count().await, Ok(0));
        assert_eq!(right.count().await, refused(Refusal::TooFast));
    });
}

#[test]
fn bytes_that_are_under_way_are_limited_and_those_that_are_over_are_not_counted() {
    context::block_on(async {
        let (host, pages) = book();
        let right = over(Way::Bytes, host.grant().bytes(300).client());
        let large = || vec![7; 200];

        for _ in 0..5 {
            assert_eq!(right.echo(large()).await.map(|bytes| bytes.len()), Ok(200));
        }
        assert_eq!(right.echo(vec![7; 400]).await, refused(Refusal::TooManyBytes));
        assert_eq!(right.echo(large()).await.map(|bytes| bytes.len()), Ok(200));
        drop(pages);
    });
}

#[test]
fn a_right_that_expires_ends_what_runs_and_what_comes_and_its_port() {
    let clock = Arc::new(ManualClock::default());
    let _entered = clock::enter(clock.clone());
    both_ways(async |way| {
        let (host, pages) = book();
        let right = over(way, host.grant().expires(10 * SECOND).client());
        let mut call = right.wait();
        assert!(poll!(&mut call).is_pending());
        settle().await;
        clock.advance(10 * SECOND - Duration::from_nanos(1));
        settle().await;
        assert!(poll!(&mut call).is_pending());

        clock.advance(Duration::from_nanos(1));

        assert_eq!(call.await, Err(CallError::Unknown(Interruption::Expired)));
        settle().await;
        assert_eq!(right.count().await, refused(Refusal::Expired));
        assert_eq!((pages.begun.get(), pages.ended.get()), (1, 1));
        assert_eq!(host.clients(), 0);
        assert_eq!(clock.sleeping(), 0, "nobody waits for what is over");
    });
}

#[test]
fn a_right_that_is_left_unused_ends_and_one_that_is_used_does_not() {
    let clock = Arc::new(ManualClock::default());
    let _entered = clock::enter(clock.clone());
    both_ways(async |way| {
        let (host, pages) = book();
        let used = over(way, host.grant().idle(10 * SECOND).client());
        let unused = over(way, host.grant().idle(10 * SECOND).client());
        assert_eq!(unused.count().await, Ok(0));

        for _ in 0..5 {
            clock.advance(6 * SECOND);
            settle().await;
            assert_eq!(used.clone().count().await, Ok(0), "used by what was made from it");
        }
        assert_eq!(unused.count().await, refused(Refusal::Expired));

        let mut call = used.wait();
        assert!(poll!(&mut call).is_pending());
        settle().await;
        clock.advance(100 * SECOND);
        settle().await;
        pages.open_all();
        assert_eq!(call.await, Ok(1), "a right by which something runs is not idle");
        clock.advance(10 * SECOND);
        settle().await;
        assert_eq!(used.count().await, refused(Refusal::Expired));
    });
}

#[test]
fn a_check_decides_about_each_call_and_what_it_denies_counts_nowhere() {
    both_ways(async |way| {
        let (host, _) = book();
        let only_adding = |call: &handover::CallInfo| match call.name {
            "add" => Ok(()),
            "count" => panic!("no idea"),
            name => Err(format!("not {name}")),
        };
        let right = over(way, host.grant().calls(1).check(only_adding).client());

        assert_eq!(right.echo(vec![]).await, refused(Refusal::Denied("not echo".into())));
        assert_eq!(right.count().await, refused(Refusal::Denied("no idea".into())));
        assert_eq!(right.clone().echo(vec![]).await, refused(Refusal::Denied("not echo".into())));
        assert_eq!(right.add("Tell".into()).await, Ok(1));
        assert_eq!(right.add("Tell".into()).await, refused(Refusal::NoCallsLeft));
    });
}

#[test]
fn clients_that_are_made_from_a_right_are_limited_and_counted_as_they_come_and_go() {
    both_ways(async |way| {
        let (host, _) = book();
        let right = over(way, host.grant().clones(2).client());
        let (one, two) = (right.clone(), right.clone().clone());
        settle().await;

        // The clone of a clone was made while its own elder was still there.
        assert_eq!(two.count().await, refused(Refusal::TooManyClients));
        let third = right.clone();
        assert_eq!(third.count().await, Ok(0));
        assert_eq!(right.clone().count().await, refused(Refusal::TooManyClients));

        drop(one);
        settle().await;
        assert_eq!(right.clone().count().await, Ok(0));
    });
}

#[test]
fn a_peer_that_attaches_without_end_gets_as_many_as_are_allowed_and_disturbs_nobody() {
    context::block_on(async {
        let (host, _) = book_with(ServeOptions::default().max_clients(10, 15));
        let (cheater, other, honest) = (host.client().into_port(), host.client().into_port(), host.client());
        let attach = |port: &MessagePort| {
            let (ours, theirs) = MessageChannel::new().into_ports();
            let frame = Frame::Attach { limits: Box::default() }.to_bytes();
            port.post_message(Message::new(frame).with_port(theirs)).unwrap();
            BookClient::from(ours)
        };

        let first: Vec<_> = (0..100).map(|_| attach(&cheater)).collect();
        settle().await;
        let second: Vec<_> = (0..100).map(|_| attach(&other)).collect();
        settle().await;

        let mut served = Vec::new();
        for clients in [first, second] {
            let mut count = 0;
            for client in &clients {
                match client.count().await {
                    Ok(0) => count += 1,
                    error => assert_eq!(error, refused(Refusal::TooManyClients)),
                }
            }
            served.push(count);
        }
        assert_eq!(served, [10, 2], "15 in all, with the three that the host made");
        assert_eq!(honest.count().await, Ok(0));
    });
}

/// C11, C14
#[test]
fn what_a_service_grants_for_a_caller_is_less_than_what_the_caller_has_and_ends_with_it() {
    both_ways(async |way| {
        let (host, _) = book();
        let (right, revoker) = host.grant().calls(4).only([BookMethod::Grant, BookMethod::Count]).revocable();
        let right = over(way, right);

        let given = right.grant(100).await.unwrap();
        assert_eq!(given.add("Tell".into()).await, refused(Refusal::UnknownMethod(id("add"))));
        assert_eq!(given.count().await, Ok(0));
        assert_eq!(given.grant(1).await.unwrap().count().await, Ok(0), "the fourth");
        assert_eq!(given.count().await, refused(Refusal::NoCallsLeft));
        assert_eq!(right.count().await, refused(Refusal::NoCallsLeft));

        revoker.revoke();
        assert_eq!(given.count().await, refused(Refusal::Revoked));
        settle().await;
        assert_eq!(host.clients(), 0);
    });
}

/// C24
#[test]
fn whose_right_it_is_comes_from_who_granted_it_and_from_nothing_that_is_said() {
    both_ways(async |way| {
        let (host, _) = book();
        let game = over(way, host.grant().label("game").client());
        let friend = over(way, host.grant().label("friend").client());

        assert_eq!(game.label().await, Ok("game".into()));
        assert_eq!(friend.clone().label().await, Ok("friend".into()));
        assert_eq!(game.grant(1).await.unwrap().label().await, Ok("game".into()));
        assert_eq!(host.client().label().await, Ok(String::new()));
    });
}

#[test]
fn an_ordered_call_whose_time_is_up_in_the_queue_takes_nothing_of_the_right() {
    let clock = Arc::new(ManualClock::default());
    let _entered = clock::enter(clock.clone());

    both_ways(async |way| {
        let (host, pages) = book_with(ServeOptions::default().deadline(SECOND));
        let right = over(way, host.grant().calls(3).client());
        let (mut runs, mut waits) = (right.wait_in_line(), right.wait_in_line());
        assert!(poll!(&mut runs).is_pending() && poll!(&mut waits).is_pending());
        settle().await;

        clock.advance(SECOND);

        assert_eq!(runs.await, Err(CallError::Unknown(Interruption::DeadlineExceeded)));
        assert_eq!(waits.await, refused(Refusal::DeadlineExceeded));
        assert_eq!(pages.begun.get(), 1);
        assert_eq!((right.count().await, right.count().await), (Ok(0), Ok(0)));
        assert_eq!(right.count().await, refused(Refusal::NoCallsLeft));
    });
}

#[test]
fn an_ordered_call_that_waits_takes_nothing_of_anybody_once_its_holder_has_gone() {
    both_ways(async |way| {
        let (host, pages) = book();
        let first = over(way, host.client());
        let mut runs = first.wait_in_line();
        assert!(poll!(&mut runs).is_pending());
        settle().await;
        let above = host.grant().calls(2).client();
        let right = over(way, above.narrow().calls(1).client());
        let mut waits = right.wait_in_line();
        assert!(poll!(&mut waits).is_pending());
        settle().await;

        drop(waits);
        drop(right);
        settle().await;
        pages.open_all();

        assert_eq!(runs.await, Ok(1));
        settle().await;
        assert_eq!(pages.begun.get(), 1);
        assert_eq!((above.count().await, above.count().await), (Ok(0), Ok(0)));
        assert_eq!(above.count().await, refused(Refusal::NoCallsLeft));
        assert_eq!(host.exports().len(), 2, "nothing is kept of a right whose holder has gone");
    });
}

/// LOOP-07
#[test]
fn very_many_rights_that_are_taken_back_at_once_are_closed_by_turns() {
    context::block_on(async {
        let (host, pages) = book();
        let group = RevokerGroup::new();
        let rights: Vec<_> = (0..5000).map(|_| host.grant().group(&group).client()).collect();
        let mut calls: Vec<_> = rights.iter().map(BookClient::wait).collect();
        for call in &mut calls {
            assert!(poll!(call).is_pending());
        }
        while pages.begun.get() < 5000 {
            turn().await;
        }

        group.revoke();

        let mut turns = 0;
        while host.clients() > 0 {
            let before = host.clients();
            turn().await;
            assert!(before - host.clients() <= 1024, "nobody else had a turn");
            turns += 1;
        }
        assert!((5..50).contains(&turns), "{turns}");
        for call in calls {
            assert_eq!(call.await, Err(CallError::Unknown(Interruption::Revoked)));
        }
        assert_eq!(pages.ended.get(), 5000);
    });
}

/// C10
#[test]
fn when_very_many_rights_were_taken_back_no_method_begins_before_their_ports_are_closed() {
    context::block_on(async {
        let (host, pages) = book();
        let group = RevokerGroup::new();
        let rights: Vec<_> = (0..3000).map(|_| host.grant().group(&group).client()).collect();
        settle().await;
        // Their ports are closed last.
        let mut calls: Vec<_> = rights[2000..].iter().map(|right| right.add("x".to_owned())).collect();
        for call in &mut calls {
            assert!(poll!(call).is_pending());
        }

        group.revoke();

        for call in calls {
            assert_eq!(call.await, refused(Refusal::Revoked));
        }
        assert_eq!(pages.names.borrow().len(), 0);
    });
}

/// C10
#[test]
fn revoking_ends_what_runs_and_what_waits_and_what_comes_and_the_holder_gets_the_reason_last() {
    both_ways(async |way| {
        let (host, pages) = book_with(ServeOptions::default());
        let (right, revoker) = host.grant().revocable();
        let right = over(way, right);
        let clone = right.clone();
        let (mut runs, mut in_line, mut waits) = (right.wait(), clone.wait_in_line(), right.wait_in_line());
        for call in [&mut runs, &mut in_line, &mut waits] {
            assert!(poll!(call).is_pending());
            settle().await;
        }
        assert_eq!(pages.begun.get(), 2, "one waits for its turn");

        revoker.revoke();

        assert_eq!(runs.await, Err(CallError::Unknown(Interruption::Revoked)));
        assert_eq!(in_line.await, Err(CallError::Unknown(Interruption::Revoked)));
        assert_eq!(waits.await, refused(Refusal::Revoked));
        assert_eq!((pages.begun.get(), pages.ended.get()), (2, 2));
        for client in [&right, &clone, &right.clone()] {
            assert_eq!(client.count().await, refused(Refusal::Revoked));
            assert_eq!(client.touch().await.and_then(|()| refused(Refusal::Revoked)), refused::<()>(Refusal::Revoked));
        }
        settle().await;
        assert_eq!((host.clients(), pages.touched.get()), (0, 0));
        assert!(revoker.is_over());
    });
}

/// C10
#[test]
fn when_revoke_has_returned_no_method_begins_although_calls_are_queued() {
    context::block_on(async {
        let (host, pages) = book();
        let (right, revoker) = host.grant().revocable();
        let raw = right.into_port();
        raw.start();
        for number in 0..100 {
            raw.post_message(Frame::call(CallId(number), id("add"), &[1, b'x']).to_bytes()).unwrap();
        }

        revoker.revoke();
        settle().await;

        assert_eq!(pages.names.borrow().len(), 0);
        let mut last = Vec::new();
        while let Some(Ok(message)) = raw.recv().now_or_never() {
            last = message.data().to_vec();
        }
        assert_eq!(Frame::parse(&last), Ok(Frame::Farewell { fault: Fault::Refused(Refusal::Revoked) }));
        assert!(raw.is_closed());
    });
}

#[test]
fn a_peer_that_goes_on_after_revocation_reaches_nothing() {
    context::block_on(async {
        let (host, pages) = book();
        let (right, revoker) = host.grant().revocable();
        let raw = right.into_port();
        let (attached, its_end) = MessageChannel::new().into_ports();
        let (late, late_end) = MessageChannel::new().into_ports();
        let attach = |port| Message::new(Frame::Attach { limits: Box::default() }.to_bytes()).with_port(port);
        raw.post_message(attach(its_end)).unwrap();
        settle().await;

        revoker.revoke();
        raw.post_message(attach(late_end)).unwrap();
        for port in [&raw, &attached, &late] {
            port.start();
            port.post_message(Frame::call(CallId(1), id("add"), &[1, b'x']).to_bytes()).unwrap();
        }
        settle().await;

        for port in [raw, attached, late] {
            assert_eq!(BookClient::from(port).count().await.map_err(|error| error.may_have_run()), Err(false));
        }
        assert_eq!(pages.names.borrow().len(), 0);
    });
}

/// A service that was written by hand: whatever is called begins only some turns later.
struct Slow;

impl Service for Slow {
    type Object = Pages;
    type SharedCall = <BookServer<Pages> as Service>::SharedCall;
    type OnceCall = <BookServer<Pages> as Service>::OnceCall;

    const DESCRIPTION: StaticDescription = <BookServer<Pages> as Service>::DESCRIPTION;

    fn serves(method: MethodId) -> bool {
        BookServer::<Pages>::serves(method)
    }

    fn open(incoming: Incoming<'_>) -> Result<Opened<Self>, Answer> {
        Ok(match BookServer::<Pages>::open(incoming)? {
            Opened::Shared(call, how) => Opened::Shared(call, how),
            Opened::Once(call) => Opened::Once(call),
        })
    }

    async fn run(pages: &Pages, call: Self::SharedCall) -> Answer {
        settle().await;
        BookServer::run(pages, call).await
    }

    async fn run_once(pages: Pages, call: Self::OnceCall) -> Answer {
        BookServer::run_once(pages, call).await
    }
}

/// C10
#[test]
fn revoking_ends_what_a_service_that_was_written_by_hand_has_begun_late() {
    both_ways(async |way| {
        let pages = Pages::default();
        let (host, hosting) = rpc::host::<Slow, BookClient>(pages.clone(), ServeOptions::default());
        context::spawn_local(async move { drop(hosting.serve().await) });
        let (right, revoker) = host.grant().revocable();
        let right = over(way, right);
        let mut call = right.wait();
        assert!(poll!(&mut call).is_pending());
        while pages.begun.get() == 0 {
            turn().await;
        }

        revoker.revoke();

        assert_eq!(call.await, Err(CallError::Unknown(Interruption::Revoked)));
        assert_eq!(pages.ended.get(), 1);
    });
}

/// Whoever serves polls a handler that waits once more, to give it a handle on its port: that is not for the method to see.
#[test]
fn a_method_that_is_called_by_a_right_is_polled_as_often_as_one_that_is_called_without() {
    context::block_on(async {
        let (host, pages) = book();
        for client in [host.client(), host.grant().calls(9).client(), host.grant().bytes(9).client()] {
            assert_eq!(client.count().await, Ok(0));
            pages.polled.set(0);
            let mut call = client.wait();
            assert!(poll!(&mut call).is_pending());
            settle().await;
            assert_eq!(pages.polled.get(), 1);

            pages.open_all();

            assert_eq!(call.await, Ok(1));
            assert_eq!(pages.polled.get(), 2);
        }
    });
}

#[test]
fn a_method_that_is_not_cancelled_runs_to_its_end_and_its_caller_is_told_when_the_right_ends() {
    both_ways(async |way| {
        let (host, pages) = book();
        let (right, revoker) = host.grant().revocable();
        let right = over(way, right);
        let mut call = right.stay();
        assert!(poll!(&mut call).is_pending());
        settle().await;

        revoker.revoke();

        assert_eq!(call.await, Err(CallError::Unknown(Interruption::Revoked)));
        assert_eq!((pages.begun.get(), pages.ended.get()), (1, 0));
        pages.open_all();
        settle().await;
        assert_eq!(pages.ended.get(), 1);
    });
}

#[test]
fn a_stream_that_was_asked_for_by_a_right_is_cut_when_that_ends() {
    both_ways(async |way| {
        let (host, _) = book();
        let (right, revoker) = host.grant().revocable();
        let right = over(way, right);
        let mut numbers = right.watch().await.unwrap();
        assert_eq!(numbers.next().await, Some(Ok(1)));

        revoker.revoke();

        assert_eq!(numbers.next().await, Some(Err(CallError::Unknown(Interruption::Revoked))));
        assert_eq!(numbers.next().await, None);
    });
}

/// C9
#[test]
fn revoking_one_of_a_hundred_leaves_the_others_alone() {
    context::block_on(async {
        let (host, pages) = book();
        let (rights, revokers): (Vec<_>, Vec<_>) = (0..100).map(|_| host.grant().revocable()).unzip();
        let mut calls: Vec<_> = rights.iter().map(BookClient::wait).collect();
        for call in &mut calls {
            assert!(poll!(call).is_pending());
        }
        settle().await;

        revokers[50].revoke();
        settle().await;
        pages.open_all();

        for (number, call) in calls.into_iter().enumerate() {
            let expected = if number == 50 { Err(CallError::Unknown(Interruption::Revoked)) } else { Ok(1) };
            assert_eq!(call.await, expected, "{number}");
        }
        assert_eq!(host.clients(), 99);
    });
}

#[test]
fn a_group_is_taken_back_together_with_what_joins_it_later() {
    context::block_on(async {
        let ((host, _), (other_host, _)) = (book(), book());
        let group = RevokerGroup::new();
        let one = host.grant().group(&group).client();
        let two = other_host.grant().group(&group).client();
        let apart = host.client();
        assert_eq!((one.count().await, two.count().await), (Ok(0), Ok(0)));

        group.revoke();

        let late = host.grant().group(&group).client();
        for client in [one, two, late] {
            assert_eq!(client.count().await, refused(Refusal::Revoked));
        }
        assert_eq!(apart.count().await, Ok(0));
    });
}

/// C19
#[test]
fn all_that_a_peer_has_is_given_back_when_it_dies() {
    context::block_on(async {
        let (host, pages) = book();
        let client: BookClient = over(Way::Bytes, host.client());
        let calls: Vec<_> = (0..300).map(|_| client.clone()).collect();
        let mut waiting: Vec<_> = calls.iter().map(BookClient::wait).collect();
        for call in &mut waiting {
            assert!(poll!(call).is_pending());
        }
        settle().await;
        assert_eq!(host.clients(), 301);

        drop(waiting);
        drop((client, calls));
        host.idle().await;

        settle().await;
        assert_eq!((host.clients(), pages.begun.get(), pages.ended.get()), (0, 300, 300));
    });
}

#[test]
fn a_port_that_is_attached_with_limits_has_them_whatever_the_holder_has() {
    context::block_on(async {
        let (host, _) = book();
        let raw = host.grant().only([BookMethod::Count, BookMethod::Label]).calls(5).client().into_port();
        let (ours, theirs) = MessageChannel::new().into_ports();
        let mut limits = Box::<Limits>::default();
        limits.methods = Some(vec![id("count"), id("add")]);
        limits.calls = Some(2);
        limits.rate = Some(Rate { calls: 9, per: SECOND });
        raw.post_message(Message::new(Frame::Attach { limits }.to_bytes()).with_port(theirs)).unwrap();
        let narrow = BookClient::from(ours);

        assert_eq!(narrow.add("Tell".into()).await, refused(Refusal::UnknownMethod(id("add"))));
        assert_eq!(narrow.label().await, refused(Refusal::UnknownMethod(id("label"))));
        assert_eq!((narrow.count().await, narrow.count().await), (Ok(0), Ok(0)));
        assert_eq!(narrow.count().await, refused(Refusal::NoCallsLeft));
        assert_eq!(BookClient::from(raw).count().await, Ok(0));
    });
}

/// A method keeps its context, and grants with it when the service waits for something else already: here, and on another thread.
#[test]
fn a_right_that_is_granted_by_a_context_after_its_call_has_ended_is_served_at_once() {
    #[service]
    trait Desk {
        async fn keep(&self, context: CallContext);
        async fn count(&self) -> u32;
    }
    struct Keeps(std::sync::mpsc::Sender<CallContext>);
    impl Desk for Keeps {
        async fn keep(&self, context: CallContext) {
            self.0.send(context).unwrap();
        }
        async fn count(&self) -> u32 {
            7
        }
    }
    let (kept, contexts) = std::sync::mpsc::channel();
    context::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        context::spawn_local(DeskServer::new(Keeps(kept)).serve(theirs));
        let desk = DeskClient::from(ours);
        // Not in the turn in which the service began.
        assert_eq!(desk.count().await, Ok(7));
        desk.keep().await.unwrap();
        let context = contexts.recv().unwrap();
        settle().await;

        let granted: DeskClient = context.grant().client();
        let mut call = granted.count();
        assert!(poll!(&mut call).is_pending());
        settle().await;
        assert_eq!(poll!(&mut call), std::task::Poll::Ready(Ok(7)));
        drop(call);

        let elsewhere = std::thread::spawn(move || {
            futures::executor::block_on(async { context.grant::<DeskClient>().client().count().await })
        });
        assert_eq!(granted.count().await, Ok(7));
        while !elsewhere.is_finished() {
            turn().await;
        }
        assert_eq!(elsewhere.join().unwrap(), Ok(7));
    });
}

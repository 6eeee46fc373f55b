//! The testing kit: links, recordings, clocks, leak checks.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use futures::{
    FutureExt,
    future::{Either, join_all, select},
    poll,
};
use handover::{
    Interruption, Message, MessageChannel, NotSent,
    clock::{self, Clock},
    context, in_process,
    prelude::*,
    testing::{
        Direction, Fate, LeakCheck, Link, LinkOptions, ManualClock, Recorder, advance, check_seeds, connect,
        connect_over, settle, settled,
    },
};

const MILLISECOND: Duration = Duration::from_millis(1);

#[service]
trait Tally {
    async fn add(&self, a: u32, b: u32) -> u32;
    /// Calls back.
    async fn ask(&self, whom: TallyClient) -> u32;
    async fn hang(&self);
    /// A tally of its own.
    async fn make(&self) -> TallyClient;
    #[rpc(oneway)]
    async fn note(&self, number: u32);
}

struct Clerk;

impl Tally for Clerk {
    async fn add(&self, a: u32, b: u32) -> u32 {
        a + b
    }

    async fn ask(&self, whom: TallyClient) -> u32 {
        whom.add(20, 1).await.unwrap_or(0)
    }

    async fn hang(&self) {
        std::future::pending().await
    }

    async fn make(&self) -> TallyClient {
        in_process::spawn(serve)
    }

    async fn note(&self, _number: u32) {}
}

async fn serve(port: MessagePort) {
    TallyServer::new(Clerk).serve(port).await;
}

const METHODS: [&str; 5] = ["add", "ask", "hang", "make", "note"];

/// Two ports with a link between them, and the link.
fn linked(options: LinkOptions) -> (MessagePort, MessagePort, Link) {
    let (ours, near) = MessageChannel::new().into_ports();
    let (far, theirs) = MessageChannel::new().into_ports();
    let link = Link::spawn(near, far, options);
    ours.start();
    theirs.start();
    (ours, theirs, link)
}

/// The next message.
async fn next(port: &MessagePort) -> Message {
    settled(port.recv()).await.expect("a message comes").expect("the port is open")
}

/// Whether the port is closed and everything was received.
async fn is_over(port: &MessagePort) -> bool {
    settled(port.recv()).await.is_some_and(|received| received.is_err())
}

/// Posts messages of one byte each.
fn post(port: &MessagePort, bytes: impl IntoIterator<Item = u8>) {
    bytes.into_iter().for_each(|byte| port.post_message(&[byte]).unwrap());
}

/// The first bytes of everything that is there.
fn first_bytes(port: &MessagePort) -> Vec<u8> {
    std::iter::from_fn(|| port.recv().now_or_never()?.ok()).map(|message| message.data()[0]).collect()
}

fn on_a_manual_clock<Fut: Future<Output = ()>>(test: impl FnOnce(Arc<ManualClock>) -> Fut) {
    let clock = Arc::new(ManualClock::default());
    let _entered = clock::enter(clock.clone());
    context::block_on(test(clock));
}

/// What a test that is expected to fail says.
fn failure_of(test: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test)).expect_err("it fails");
    *panic.downcast::<String>().expect("it says why")
}

// Links on which nothing goes wrong.

#[test]
fn a_call_goes_through_a_link_as_bytes_and_so_does_one_of_a_client_that_travelled() {
    context::block_on(async {
        let recorder = Recorder::with_methods(METHODS);
        let (tally, _link): (TallyClient, _) = connect_over(LinkOptions::default().record(&recorder), serve);

        assert_eq!(settled(tally.add(2, 3)).await, Some(Ok(5)));
        assert_eq!(settled(tally.ask(connect(serve))).await, Some(Ok(21)));
        let made = tally.make().await.unwrap();
        assert_eq!(settled(made.add(4, 5)).await, Some(Ok(9)));
        drop(made);
        settle().await;

        recorder.expect(
            "1 -> call 0 add, 2 bytes, with its shape
             1 <- reply 0, 2 bytes
             1 -> call 1 ask, 1 byte, with its shape, with port 2
             2 <- call 1/0 add, 2 bytes, with its shape
             2 -> reply 1/0, 2 bytes
             2 <- closed
             1 <- reply 1, 2 bytes
             1 -> call 2 make, 0 bytes, with its shape
             1 <- reply 2, 2 bytes, with port 3
             3 -> call 1/0 add, 2 bytes, with its shape
             3 <- reply 1/0, 2 bytes
             3 -> closed",
        );
    });
}

#[test]
fn a_call_over_a_direct_connection_is_made_of_values() {
    context::block_on(async {
        let tally: TallyClient = connect(serve);

        assert_eq!(settled(tally.add(2, 3)).await, Some(Ok(5)));
    });
}

#[test]
fn ports_and_buffers_arrive_beside_the_bytes_in_their_order() {
    context::block_on(async {
        let (ours, theirs, _link) = linked(LinkOptions::default());
        let (first, second) = (MessageChannel::new().into_ports(), MessageChannel::new().into_ports());

        ours.post_message(
            Message::new("all").with_ports([first.1, second.1]).with_buffer(vec![1; 9]).with_buffer(vec![2; 9]),
        )
        .unwrap();

        let parts = next(&theirs).await.into_parts();
        assert_eq!((&parts.data[..], parts.buffers), (&b"all"[..], vec![vec![1; 9], vec![2; 9]]));
        first.0.post_message("first").unwrap();
        second.0.post_message("second").unwrap();
        for (port, text) in parts.ports.iter().zip([&b"first"[..], b"second"]) {
            port.start();
            assert_eq!(next(port).await.data(), text);
        }
    });
}

#[test]
fn an_end_goes_over_the_link_behind_the_messages_before_it() {
    context::block_on(async {
        let (ours, theirs, _link) = linked(LinkOptions::default().reorder_ports(5));
        post(&ours, 0..3);

        drop(ours);

        for number in 0..3 {
            assert_eq!(next(&theirs).await.data(), [number]);
        }
        assert!(is_over(&theirs).await);
    });
}

#[test]
fn a_link_needs_no_context_and_ends_when_its_ports_are_closed() {
    let (ours, near) = MessageChannel::new().into_ports();
    let (far, theirs) = MessageChannel::new().into_ports();
    let (_link, task) = Link::join(near, far, LinkOptions::default());
    theirs.start();
    post(&ours, [7]);
    drop(ours);

    std::thread::spawn(|| futures::executor::block_on(task)).join().unwrap();

    assert_eq!(first_bytes(&theirs), [7]);
    assert!(theirs.is_closed());
}

// Time, and order.

#[test]
fn a_message_is_as_late_as_the_clock_says() {
    on_a_manual_clock(async |clock| {
        let (ours, theirs, _link) = linked(LinkOptions::default().delay(20 * MILLISECOND..=20 * MILLISECOND));
        post(&ours, [1]);
        advance(&clock, 10 * MILLISECOND).await;
        post(&ours, [2]);

        advance(&clock, 9 * MILLISECOND).await;
        assert_eq!(first_bytes(&theirs), []);
        advance(&clock, MILLISECOND).await;
        settle().await;
        assert_eq!(first_bytes(&theirs), [1]);
        advance(&clock, 10 * MILLISECOND).await;
        settle().await;
        assert_eq!(first_bytes(&theirs), [2]);
    });
}

#[test]
fn the_clock_stops_wherever_somebody_waits_for_it() {
    on_a_manual_clock(async |clock| {
        let (tally, _link): (TallyClient, _) =
            connect_over(LinkOptions::default().delay(10 * MILLISECOND..=10 * MILLISECOND), serve);
        let times = clock.clone();
        let (send, mut received) = futures::channel::oneshot::channel();
        context::spawn_local(async move {
            for _ in 0..3 {
                tally.add(1, 1).await.unwrap();
            }
            send.send(times.now()).unwrap();
        });

        advance(&clock, Duration::from_secs(1)).await;

        assert_eq!(received.try_recv(), Ok(Some(60 * MILLISECOND)), "three times there and back");
        assert_eq!(clock.now(), Duration::from_secs(1));
    });
}

#[test]
#[should_panic(expected = "fails with `LinkOptions::seeded(")]
fn ports_overtake_each_other_only_if_asked_to() {
    // Two ports that travel over the link: what is posted on the first arrives first, unless ports are reordered.
    let arrives_in_order = |options: LinkOptions| {
        context::block_on(async {
            let (ours, theirs, _link) = linked(options);
            let (one, two) = (MessageChannel::new().into_ports(), MessageChannel::new().into_ports());
            ours.post_message(Message::default().with_ports([one.1, two.1])).unwrap();
            let ports = next(&theirs).await.into_parts().ports;
            ports.iter().for_each(MessagePort::start);
            settle().await;

            one.0.post_message("1").unwrap();
            two.0.post_message("2").unwrap();

            let arrived = settled(select(ports[0].recv(), ports[1].recv())).await;
            assert!(matches!(arrived, Some(Either::Left(_))));
        });
    };
    check_seeds(0..20, arrives_in_order);

    check_seeds(0..20, |options| arrives_in_order(options.reorder_ports(10)));
}

#[test]
fn messages_of_one_port_stay_in_order_whatever_is_late() {
    check_seeds(0..50, |options| {
        on_a_manual_clock(async |clock| {
            let (ours, theirs, _link) = linked(options.delay(Duration::ZERO..=9 * MILLISECOND).reorder_ports(5));

            for number in 0..20 {
                post(&ours, [number]);
                advance(&clock, MILLISECOND).await;
            }
            advance(&clock, 10 * MILLISECOND).await;
            settle().await;

            assert_eq!(first_bytes(&theirs), (0..20).collect::<Vec<_>>());
        });
    });
}

#[test]
fn messages_of_one_port_change_places_if_the_rules_are_to_be_broken() {
    let arrived = |seed| {
        context::block_on(async {
            let (ours, theirs, _link) = linked(LinkOptions::seeded(seed).reorder_messages());
            post(&ours, 0..20);
            drop(ours);
            settle().await;
            first_bytes(&theirs)
        })
    };

    let (one, other) = (arrived(1), arrived(2));

    let mut sorted = one.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..20).collect::<Vec<_>>(), "each once");
    assert_ne!(one, sorted);
    assert_ne!(one, other);
}

// Faults.

/// What a hundred messages of a byte become, each with a port.
fn hundred(options: LinkOptions) -> (Vec<u8>, Recorder, Link) {
    let recorder = Recorder::default();
    context::block_on(async {
        let (ours, theirs, link) = linked(options.record(&recorder));
        post(&ours, 0..100);
        settle().await;
        (first_bytes(&theirs), recorder.clone(), link)
    })
}

#[test]
fn the_same_seed_makes_the_same_faults_and_another_seed_others() {
    let recorded = |seed| {
        let options = LinkOptions::seeded(seed).drop_one_in(5).corrupt_one_in(5).duplicate_one_in(5).reorder_messages();
        hundred(options).1.to_string()
    };

    assert_eq!(recorded(1), recorded(1));
    assert_ne!(recorded(1), recorded(2));
}

#[test]
fn the_fate_of_a_message_does_not_depend_on_what_other_ports_do() {
    let fates_of_first_port = |disturbed: bool| {
        let recorder = Recorder::default();
        context::block_on(async {
            let options = LinkOptions::seeded(3).drop_one_in(3).corrupt_one_in(3).record(&recorder);
            let (ours, theirs, _link) = linked(options);
            let (inner, travels) = MessageChannel::new().into_ports();
            ours.post_message(Message::default().with_port(travels)).unwrap();
            for number in 0..50 {
                post(&ours, [number]);
                if disturbed {
                    post(&theirs, [number]);
                    post(&inner, [number]);
                    settle().await;
                }
            }
            settle().await;
        });
        let messages = recorder.messages();
        let of_first =
            messages.into_iter().filter(|message| message.port == 1 && message.direction == Direction::There);
        of_first.map(|message| (message.data, message.fate)).collect::<Vec<_>>()
    };

    assert_eq!(fates_of_first_port(false), fates_of_first_port(true));
}

#[test]
fn dropped_messages_are_lost_and_the_others_arrive() {
    let (arrived, recorder, link) = hundred(LinkOptions::seeded(1).drop_one_in(4));

    let kept = recorder.messages().into_iter().filter(|message| message.fate == Fate::Passed);
    assert_eq!(arrived, kept.map(|message| message.data[0]).collect::<Vec<_>>());
    assert!((10..50).contains(&link.faults()), "{link:?}");
    assert_eq!(link.passed(), 100 - link.faults());
}

#[test]
fn duplicated_messages_arrive_twice_and_the_ports_of_a_copy_are_closed() {
    context::block_on(async {
        let (ours, theirs, _link) = linked(LinkOptions::default().duplicate_one_in(1));
        let (inner, travels) = MessageChannel::new().into_ports();
        inner.post_message("hello").unwrap();

        ours.post_message(Message::new("twice").with_port(travels)).unwrap();

        let [first, copy] = [next(&theirs).await, next(&theirs).await];
        assert_eq!((first.data(), copy.data()), (&b"twice"[..], &b"twice"[..]));
        first.ports()[0].start();
        assert_eq!(next(&first.ports()[0]).await.data(), b"hello");
        copy.ports()[0].start();
        assert!(is_over(&copy.ports()[0]).await);
    });
}

#[test]
fn corrupted_messages_keep_their_length_and_their_ports() {
    context::block_on(async {
        let (ours, theirs, _link) = linked(LinkOptions::default().corrupt_one_in(1));
        let (_inner, travels) = MessageChannel::new().into_ports();

        ours.post_message(Message::new("hello").with_port(travels)).unwrap();

        let message = next(&theirs).await;
        assert_ne!(message.data(), b"hello");
        assert_eq!((message.data().len(), message.ports().len()), (5, 1));
    });
}

#[test]
fn a_port_that_travelled_meets_the_faults_of_its_link() {
    context::block_on(async {
        let (ours, theirs, link) = linked(LinkOptions::default().corrupt_one_in(1));
        let (inner, travels) = MessageChannel::new().into_ports();
        ours.post_message(Message::new("a port").with_port(travels)).unwrap();
        let arrived = next(&theirs).await.into_parts().ports.remove(0);
        inner.start();
        arrived.start();

        arrived.post_message("there").unwrap();
        inner.post_message("back").unwrap();

        assert_ne!(next(&inner).await.data(), b"there");
        assert_ne!(next(&arrived).await.data(), b"back");
        assert_eq!(link.faults(), 3);
    });
}

#[test]
fn faults_may_be_kept_to_one_direction_and_to_a_number() {
    context::block_on(async {
        let (ours, theirs, link) = linked(LinkOptions::default().drop_one_in(1).only(Direction::Back).most_faults(2));

        post(&ours, 0..3);
        post(&theirs, 0..5);
        settle().await;

        assert_eq!(first_bytes(&theirs), [0, 1, 2]);
        assert_eq!(first_bytes(&ours), [2, 3, 4]);
        assert_eq!(link.faults(), 2);
    });
}

// Cutting and pausing.

#[test]
fn both_ends_see_a_cut_and_so_do_those_of_a_port_that_travelled() {
    context::block_on(async {
        let (ours, theirs, link) = linked(LinkOptions::default());
        let (inner, travels) = MessageChannel::new().into_ports();
        ours.post_message(Message::default().with_port(travels)).unwrap();
        let arrived = next(&theirs).await.into_parts().ports.remove(0);

        link.cut();
        ours.post_message("lost").unwrap();
        settle().await;

        for port in [&ours, &theirs, &inner, &arrived] {
            assert!(port.is_closed());
        }
        assert!(is_over(&theirs).await, "what had not passed is lost");
    });
}

#[test]
fn a_call_that_waits_when_its_link_is_cut_ends_as_unknown_and_a_later_one_is_not_sent() {
    context::block_on(async {
        let (tally, link): (TallyClient, _) = connect_over(LinkOptions::default(), serve);
        let mut waiting = tally.hang();
        assert!(poll!(&mut waiting).is_pending());
        settle().await;

        link.cut();

        assert_eq!(settled(waiting).await.unwrap(), Err(CallError::Unknown(Interruption::Closed)));
        assert_eq!(tally.add(1, 2).await, Err(CallError::NotSent(NotSent::Closed)));
    });
}

#[test]
fn a_link_is_cut_after_as_many_messages_as_its_seed_says() {
    for (seed, range) in [(1, 7..=7), (2, 1..=20), (3, 1..=20), (4, 0..=0)] {
        context::block_on(async {
            let (ours, theirs, link) = linked(LinkOptions::seeded(seed).cut_after(range.clone()));

            post(&ours, 0..50);
            settle().await;

            assert!(link.is_cut());
            assert!(range.contains(&link.passed()), "{link:?}");
            assert_eq!(first_bytes(&theirs).len() as u64, link.passed());
            assert!(ours.is_closed());
        });
    }
}

#[test]
fn a_link_is_cut_at_a_moment_of_the_clock() {
    on_a_manual_clock(async |clock| {
        clock.advance(Duration::from_secs(5));
        let (ours, _theirs, link) = linked(LinkOptions::default().cut_at(10 * MILLISECOND));

        advance(&clock, 9 * MILLISECOND).await;
        settle().await;
        assert!(!link.is_cut() && !ours.is_closed());
        advance(&clock, MILLISECOND).await;
        settle().await;

        assert!(link.is_cut() && ours.is_closed());
    });
}

#[test]
fn a_link_that_pauses_passes_nothing_until_it_goes_on() {
    context::block_on(async {
        let (ours, theirs, link) = linked(LinkOptions::default());
        link.pause();
        post(&ours, 0..3);
        drop(ours);
        settle().await;
        assert_eq!(first_bytes(&theirs), []);
        assert!(!theirs.is_closed());

        link.resume();
        settle().await;

        assert_eq!(first_bytes(&theirs), [0, 1, 2]);
        assert!(theirs.is_closed());
    });
}

#[test]
fn a_link_whose_task_is_dropped_is_cut() {
    let (ours, near) = MessageChannel::new().into_ports();
    let (far, theirs) = MessageChannel::new().into_ports();
    let (_link, task) = Link::join(near, far, LinkOptions::default());

    drop(task);

    assert!(ours.is_closed() && theirs.is_closed());
}

// Recordings.

#[test]
fn a_port_that_is_tapped_works_as_before_and_is_recorded() {
    context::block_on(async {
        let recorder = Recorder::with_methods(METHODS);
        let tally = TallyClient::from(recorder.tap(connect(serve)));

        assert_eq!(settled(tally.add(2, 3)).await, Some(Ok(5)));
        tally.note(300).await.unwrap();
        settle().await;
        let mut hanging = tally.hang();
        assert!(poll!(&mut hanging).is_pending());
        settle().await;
        drop(hanging);
        tally.into_port().post_message("\u{1}hello").unwrap();
        settle().await;

        recorder.expect(
            "1 -> call 0 add, 2 bytes, with its shape
             1 <- reply 0, 2 bytes
             1 -> tell note, 2 bytes, with its shape
             1 -> call 1 hang, 0 bytes, with its shape
             1 -> cancel 1
             1 -> no frame, 6 bytes: 01 68 65 6c 6c 6f
             1 -> closed",
        );
    });
}

#[test]
fn a_recording_that_is_not_as_expected_shows_both_and_where_they_part() {
    let (_, recorder, _) = hundred(LinkOptions::default().cut_after(2..=2));

    recorder.expect("1 -> no frame, 1 byte: 00\n\n  1 -> no frame, 1 byte: 01  \nthe link is cut");
    let message = failure_of(|| recorder.expect("1 -> no frame, 1 byte: 00"));
    assert!(message.contains("from line 2 on"), "{message}");
    assert!(message.contains("1 -> no frame, 1 byte: 01\nthe link is cut"), "{message}");
    assert!(failure_of(|| recorder.expect("something else")).contains("from line 1 on"));

    recorder.clear();
    recorder.expect("");
}

// Seeds.

#[test]
fn a_test_that_fails_names_its_seed_and_the_fewest_faults() {
    // It fails as soon as two messages are lost.
    let two_lost = |options: LinkOptions| {
        let (arrived, _, _) = hundred(options.drop_one_in(10));
        assert!(arrived.len() >= 99, "{} arrived", arrived.len());
    };

    let message = failure_of(|| check_seeds(7..9, two_lost));

    assert_eq!(message, "fails with `LinkOptions::seeded(7).most_faults(2)`: 98 arrived");
}

// Leaks.

#[test]
fn what_is_left_alive_is_listed_by_what_it_is() {
    let check = LeakCheck::begin();
    let left = context::block_on(async {
        let (tally, _link): (TallyClient, _) = connect_over(LinkOptions::default(), serve);
        let mut hanging = tally.hang();
        assert!(poll!(&mut hanging).is_pending());
        settle().await;
        check.alive()
    });

    let count = |what: &str| left.iter().filter(|line| line.starts_with(what)).count();
    assert_eq!((count("a channel, made at"), count("a port")), (2, 4), "{left:?}");
    assert_eq!((count("a call of `hang`"), count("a handler of `hang`")), (1, 1), "{left:?}");
    assert_eq!(left.len(), 8, "{left:?}");
    check.end();
}

#[test]
fn a_check_fails_with_the_place_where_a_channel_was_made() {
    let check = LeakCheck::begin();
    let (ours, _theirs) = MessageChannel::new().into_ports();
    let line = line!() - 1;

    let message = failure_of(|| check.end());

    assert!(message.contains(&format!("tests/testing_kit.rs:{line}")), "{message}");
    drop(ours);
}

#[test]
fn what_was_made_before_or_after_a_check_or_on_another_thread_is_none_of_its_business() {
    let before = MessageChannel::new();
    let check = LeakCheck::begin();
    let elsewhere = std::thread::spawn(MessageChannel::new).join().unwrap();
    let here = MessageChannel::new();

    // What was made here may be dropped there.
    std::thread::spawn(move || drop(here)).join().unwrap();

    check.end();
    let check = LeakCheck::begin();
    drop(check);
    let after = MessageChannel::new();
    drop((before, elsewhere, after));
}

#[test]
fn a_check_sees_what_is_made_after_one_inside_it_has_ended() {
    let outer = LeakCheck::begin();
    let inner = LeakCheck::begin();
    inner.end();

    let channel = MessageChannel::new();

    assert_eq!(outer.alive().len(), 3);
    drop(channel);
    outer.end();
}

#[test]
fn a_thousand_calls_over_a_link_leave_nothing() {
    let check = LeakCheck::begin();
    context::block_on(async {
        let (tally, _link): (TallyClient, _) = connect_over(LinkOptions::default(), serve);
        let sums = join_all((0..1_000).map(|number| tally.add(number, 1))).await;
        assert_eq!(sums, (1..=1_000).map(Ok).collect::<Vec<_>>());
        assert_eq!(join_all((0..100).map(|_| tally.ask(connect(serve)))).await, vec![Ok(21); 100]);
        drop(tally);
        settle().await;
        assert_eq!(check.alive(), [""; 0]);
    });
    check.end();
}

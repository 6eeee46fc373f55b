//! Messages to everyone who listens under a name.
#![cfg(feature = "windows")]

mod common;

use std::{
    cell::{Cell, RefCell},
    pin::Pin,
    rc::Rc,
    sync::{Arc, Barrier, Mutex},
    task::{self, Wake, Waker},
    thread,
};

use common::{Log, channel, closed_by, take_texts};
use futures::{
    StreamExt,
    channel::mpsc,
    executor::{LocalPool, block_on},
    task::LocalSpawnExt,
};
use handover_core::{
    BroadcastChannel, BroadcastError, BroadcastGroup, Buffer, Message, Origin, broadcast::Medium,
    event_loop::EventLoop, message::MessageEvent, message::Payload, port::DataCloneReason,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};

const HERE: &str = "https://news.example";

fn here() -> Origin {
    HERE.parse().unwrap()
}

/// A context: a loop in a group, and a log.
#[derive(Clone, Default)]
struct Context {
    event_loop: EventLoop,
    group: BroadcastGroup,
    log: Log,
}

impl Context {
    fn in_group(group: &BroadcastGroup) -> Self {
        Self { group: group.clone(), ..Self::default() }
    }

    /// A channel named `news`.
    fn open<T: Payload>(&self) -> BroadcastChannel<T> {
        BroadcastChannel::new(&self.event_loop, &self.group, &here(), "news")
    }

    /// A channel named `news` that writes down what it receives, with a name before it.
    fn listen(&self, name: &str) -> BroadcastChannel<String> {
        let channel = self.open();
        channel.set_onmessage(self.log.handler(name));
        channel
    }

    /// What was received when everything has run.
    fn received(&self) -> Vec<String> {
        self.event_loop.run_until_idle();
        self.log.taken()
    }
}

/// Does not serialise.
struct Unserializable;

impl Serialize for Unserializable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom("on purpose"))
    }
}

/// Tells whether it was serialised.
#[derive(Default)]
struct Serialized(Cell<bool>);

impl Serialize for Serialized {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.set(true);
        serializer.serialize_str("x")
    }
}

/// BC-01
#[test]
fn a_name_is_any_string_and_is_told_as_it_was_given() {
    let context = Context::default();

    for name in ["", "news", "\u{0}", "Neuigkeiten über alles"] {
        let channel = BroadcastChannel::<String>::new(&context.event_loop, &context.group, &here(), name);
        assert_eq!(channel.name(), name);
    }
}

/// BC-01, BC-06
#[test]
fn channels_with_empty_names_hear_each_other() {
    let context = Context::default();
    let open = || BroadcastChannel::<String>::new(&context.event_loop, &context.group, &here(), "");
    let (sender, receiver) = (open(), open());
    receiver.set_onmessage(context.log.handler(""));

    sender.post_value("x").unwrap();

    assert_eq!(context.received(), ["x"]);
}

/// BC-03, BC-04, BC-17
#[test]
fn a_channel_whose_loop_has_ended_checks_and_sends_nothing() {
    let context = Context::default();
    let elsewhere = Context::in_group(&context.group);
    let _receiver = elsewhere.listen("");
    let (open, closed) = (context.open::<String>(), context.open::<String>());
    closed.close();
    let value = Serialized::default();

    context.event_loop.close();

    for channel in [open, closed] {
        assert_eq!(channel.post_value(&Unserializable), Ok(()));
        assert_eq!(channel.post_value(&value), Ok(()));
        assert_eq!(channel.post_message("x"), Ok(()));
    }
    assert!(!value.0.get());
    assert!(elsewhere.received().is_empty());
}

/// BC-02, BC-04
#[test]
fn posting_on_a_closed_channel_is_an_invalid_state_whatever_is_posted() {
    let context = Context::default();
    let channel = context.open::<String>();
    let value = Serialized::default();

    channel.close();

    assert_eq!(channel.post_value(&value), Err(BroadcastError::InvalidState));
    assert_eq!(channel.post_value(&Unserializable), Err(BroadcastError::InvalidState));
    assert_eq!(channel.post_message("x"), Err(BroadcastError::InvalidState));
    assert!(!value.0.get());
}

/// BC-04
#[test]
fn a_value_that_does_not_serialise_is_an_error_that_tells_the_place_and_reaches_nobody() {
    let context = Context::default();
    let _receiver = context.listen("");

    let error = context.open::<String>().post_value(&(1, Unserializable)).unwrap_err();

    let BroadcastError::DataClone(DataCloneReason::Unserializable { path, .. }) = &error else { panic!("{error:?}") };
    assert_eq!(path, "[1]");
    assert_eq!(context.event_loop.run_until_idle(), 0);
}

/// BC-05
#[test]
fn a_port_in_the_value_is_an_error_and_stays_as_it_is() {
    let context = Context::default();
    let _receiver = context.listen("");
    let (kept, port) = channel();

    let error = context.open::<String>().post_value(&("x", &port)).unwrap_err();

    let BroadcastError::DataClone(DataCloneReason::Unserializable { path, why, .. }) = &error else {
        panic!("{error:?}")
    };
    assert_eq!((path.as_str(), why.as_str()), ("[1]", "a port cannot be broadcast"));
    assert_eq!(context.event_loop.run_until_idle(), 0);
    kept.post_message("still connected").unwrap();
    port.start();
    assert_eq!(take_texts(&port), ["still connected"]);
    assert_eq!(closed_by(&kept), None);
}

/// BC-05, BC-12
#[test]
fn a_buffer_is_copied_for_every_destination_and_stays_with_its_sender() {
    let context = Context::default();
    let places = Rc::new(RefCell::new(Vec::new()));
    let receivers = [context.open::<(Buffer, Buffer)>(), context.open()];
    for receiver in &receivers {
        let places = places.clone();
        receiver.set_onmessage(move |event| {
            let (first, again) = std::mem::take(&mut event.data);
            let (first, again) = (first.into_vec(), again.into_vec());
            assert_eq!((first.as_slice(), again.as_slice()), ([7, 8].as_slice(), [7, 8].as_slice()));
            places.borrow_mut().extend([first, again]);
        });
    }
    let buffer = Buffer::from(vec![7, 8]);

    context.open::<()>().post_value(&(&buffer, &buffer)).unwrap();
    context.event_loop.run_until_idle();

    assert_eq!(buffer.into_vec(), [7, 8]);
    assert_eq!(places.borrow().len(), 4);
}

/// BC-05, SER-11
#[test]
fn a_buffer_that_was_transferred_before_is_an_error() {
    let context = Context::default();
    let (ours, _theirs) = channel();
    let buffer = Buffer::from(vec![7]);
    ours.post_value(&buffer).unwrap();

    let error = context.open::<()>().post_value(&buffer).unwrap_err();

    assert!(error.to_string().ends_with("a buffer in the value was transferred before"), "{error}");
}

/// BC-06
#[test]
fn everyone_else_of_the_name_receives_and_the_sender_does_not() {
    let context = Context::default();
    let channels = ["a ", "b ", "c "].map(|name| context.listen(name));
    let other = BroadcastChannel::<String>::new(&context.event_loop, &context.group, &here(), "News");
    other.set_onmessage(context.log.handler("other name "));

    channels[1].post_value("1").unwrap();

    assert_eq!(context.received(), ["a 1", "c 1"]);
}

/// BC-06
#[test]
fn channels_of_two_groups_do_not_hear_each_other_and_those_of_one_group_do() {
    let (context, other) = (Context::default(), Context::default());
    let shared = Context::in_group(&context.group.clone());
    let _receivers = [other.listen("other "), shared.listen("shared ")];

    context.open::<String>().post_value("1").unwrap();

    assert_eq!((other.received(), shared.received()), (vec![], vec!["shared 1".to_owned()]));
}

/// BC-06
#[test]
fn the_group_of_the_process_is_one() {
    let name = "the_group_of_the_process_is_one";
    let context = Context::default();
    let open = |group| BroadcastChannel::<String>::new(&context.event_loop, group, &here(), name);
    let receiver = open(BroadcastGroup::process());
    receiver.set_onmessage(context.log.handler(""));

    open(BroadcastGroup::process()).post_value("x").unwrap();
    open(&BroadcastGroup::new()).post_value("y").unwrap();

    assert_eq!(context.received(), ["x"]);
}

/// BC-07
#[test]
fn a_channel_that_is_created_after_the_post_does_not_receive_also_if_a_handler_of_that_message_creates_it() {
    let context = Context::default();
    let first = context.open::<String>();
    let (inner, late) = (context.clone(), Rc::new(RefCell::new(Vec::new())));
    first.set_onmessage(move |event| {
        inner.log.push(&event.data);
        late.borrow_mut().push(inner.listen("created in the handler "));
    });
    let sender = context.open::<String>();

    sender.post_value("1").unwrap();
    let _late = context.listen("created after the post ");

    assert_eq!(context.received(), ["1"]);
    sender.post_value("2").unwrap();
    assert_eq!(context.received(), ["2", "created after the post 2", "created in the handler 2"]);
}

/// BC-08, BC-11
#[test]
fn a_channel_that_is_closed_between_the_post_and_its_delivery_receives_nothing() {
    let context = Context::default();
    let [closed, _open] = ["closed ", "open "].map(|name| context.listen(name));
    context.open::<String>().post_value("1").unwrap();

    closed.close();

    assert_eq!(context.received(), ["open 1"]);
}

/// BC-09
#[test]
fn channels_of_one_loop_receive_in_the_order_of_their_creation() {
    let context = Context::default();
    let elsewhere = Context::in_group(&context.group);
    let mut channels = Vec::new();
    for index in 0..4 {
        channels.push(context.listen(&format!("{index} ")));
        channels.push(elsewhere.listen(&format!("elsewhere {index} ")));
    }
    // Listening later makes nobody younger.
    channels[2].clear_onmessage();
    channels[2].add_listener(context.log.handler("1 "));
    drop(channels.remove(0));

    channels[0].post_value("x").unwrap();

    assert_eq!(context.received(), ["0 x", "1 x", "2 x", "3 x"]);
    assert_eq!(elsewhere.received(), ["elsewhere 1 x", "elsewhere 2 x", "elsewhere 3 x"]);
}

/// BC-10, LOOP-01
#[test]
fn one_post_comes_to_every_channel_of_a_loop_before_the_next_one_does_each_in_a_task_of_its_own() {
    let context = Context::default();
    let channels = ["a ", "b ", "c "].map(|name| context.listen(name));

    channels[0].post_value("1").unwrap();
    channels[2].post_value("2").unwrap();
    channels[0].post_value("3").unwrap();

    assert_eq!(context.event_loop.run_until_idle(), 6);
    assert_eq!(context.log.taken(), ["b 1", "c 1", "a 2", "b 2", "b 3", "c 3"]);
}

/// BC-10, LOOP-01
#[test]
fn what_a_delivery_wakes_runs_before_the_next_delivery_of_the_same_post() {
    let context = Context::default();
    let (send, mut wakes) = mpsc::unbounded();
    let channels = [context.open::<String>(), context.open()];
    for channel in &channels {
        let (send, log) = (send.clone(), context.log.clone());
        channel.set_onmessage(move |_| {
            log.push("delivery");
            send.unbounded_send("woken").unwrap();
        });
    }
    let (mut pool, log, event_loop) = (LocalPool::new(), context.log.clone(), context.event_loop.clone());
    context.open::<String>().post_value("x").unwrap();
    let woken = async move {
        while let Some(entry) = wakes.next().await {
            log.push(entry)
        }
    };
    pool.spawner().spawn_local(woken).unwrap();

    pool.spawner().spawn_local(async move { event_loop.run().await }).unwrap();
    pool.run_until_stalled();

    assert_eq!(context.log.taken(), ["delivery", "woken", "delivery", "woken"]);
}

/// A thread that waits for the others, and then posts these values on a channel of its own.
fn poster(group: &BroadcastGroup, start: &Arc<Barrier>, values: std::ops::Range<u32>) -> thread::JoinHandle<()> {
    let (group, start) = (group.clone(), start.clone());
    thread::spawn(move || {
        let context = Context::in_group(&group);
        let channel = context.open::<u32>();
        start.wait();
        for value in values {
            channel.post_value(&value).unwrap();
        }
    })
}

/// BC-10
#[test]
fn of_two_threads_that_post_at_once_each_post_comes_whole() {
    const POSTS: u32 = 500;
    let context = Context::default();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let channels: Vec<_> = (0..3).map(|_| context.open::<u32>()).collect();
    for (index, channel) in channels.iter().enumerate() {
        let seen = seen.clone();
        channel.set_onmessage(move |event| seen.borrow_mut().push((index, event.data)));
    }
    let start = Arc::new(Barrier::new(2));

    let posters = [0..POSTS, POSTS..2 * POSTS].map(|values| poster(&context.group, &start, values));
    for poster in posters {
        poster.join().unwrap();
    }
    context.event_loop.run_until_idle();

    let seen = seen.take();
    assert_eq!(seen.len(), 3 * 2 * POSTS as usize);
    let posts: Vec<u32> = seen.chunks(3).map(|post| post[0].1).collect();
    for (post, value) in seen.chunks(3).zip(&posts) {
        assert_eq!(post, [(0, *value), (1, *value), (2, *value)]);
    }
    for values in [0..POSTS, POSTS..2 * POSTS] {
        assert!(posts.iter().copied().filter(|post| values.contains(post)).eq(values.clone()), "one thread's order");
    }
}

thread_local! {
    /// What is posted on when the loop is woken.
    static POSTED_ON_WAKING: RefCell<Option<BroadcastChannel<String>>> = const { RefCell::new(None) };
}

/// Posts while another post is waking the loop.
struct PostingWaker;

impl Wake for PostingWaker {
    fn wake(self: Arc<Self>) {
        if let Some(channel) = POSTED_ON_WAKING.take() {
            channel.post_value("2").unwrap();
        }
    }
}

/// BC-10
#[test]
fn a_post_that_is_made_while_another_one_wakes_the_loop_comes_whole_after_it() {
    let context = Context::default();
    let _receivers = ["a ", "b ", "c "].map(|name| context.listen(name));
    let sender = context.open::<String>();
    POSTED_ON_WAKING.set(Some(context.open()));
    let waker = Waker::from(Arc::new(PostingWaker));
    let mut run = context.event_loop.run();
    assert!(Pin::new(&mut run).poll(&mut task::Context::from_waker(&waker)).is_pending());

    sender.post_value("1").unwrap();

    assert_eq!(context.received(), ["a 1", "b 1", "c 1", "a 2", "b 2", "c 2"]);
}

/// BC-11
#[test]
fn closing_the_sender_cancels_nothing_that_it_has_posted() {
    let context = Context::default();
    let _receiver = context.listen("");
    let sender = context.open::<String>();

    sender.post_value("1").unwrap();
    sender.post_value("2").unwrap();
    sender.close();
    drop(sender);

    assert_eq!(context.received(), ["1", "2"]);
}

/// BC-08, BC-11
#[test]
fn a_channel_that_closes_itself_in_its_handler_gets_nothing_more_and_all_its_listeners_were_told() {
    let context = Context::default();
    let receiver = context.open::<String>();
    let (here, log) = (receiver.clone(), context.log.clone());
    receiver.set_onmessage(move |event| {
        log.push(&event.data);
        here.close();
    });
    receiver.add_listener(context.log.handler("second listener "));
    let sender = context.open::<String>();

    sender.post_value("1").unwrap();
    sender.post_value("2").unwrap();

    assert_eq!(context.received(), ["1", "second listener 1"]);
}

thread_local! {
    static READ: Cell<u32> = const { Cell::new(0) };
}

/// Counts how often one was read on this thread.
struct Counted;

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        READ.set(READ.get() + 1);
        String::deserialize(deserializer).map(|_| Self)
    }
}

/// BC-12
#[test]
fn each_destination_reads_a_copy_of_its_own_when_it_is_delivered() {
    let context = Context::default();
    let receivers: Vec<_> = (0..3).map(|_| context.open::<Counted>()).collect();
    context.open::<String>().post_value("x").unwrap();
    assert_eq!(READ.get(), 0);

    context.event_loop.run_until_idle();

    assert_eq!(READ.get(), 3);
    drop(receivers);
}

/// BC-12, EVT-09, SER-23
#[test]
fn what_one_destination_cannot_read_is_an_error_event_there_only_with_the_senders_origin() {
    let context = Context::default();
    let number = context.open::<[u64; 3]>();
    let log = context.log.clone();
    number.set_onmessage(|_| panic!("there is no number in it"));
    number.set_onmessageerror(move |event| log.push(format!("error {} {:?}", event.origin, event.source)));
    let _text = context.listen("text ");
    let sender = context.open::<String>();

    sender.post_value("1").unwrap();
    sender.post_value("2").unwrap();

    let error = "error https://news.example None";
    assert_eq!(context.received(), [error, "text 1", error, "text 2"]);
}

/// BC-13
#[test]
fn closing_twice_is_as_closing_once() {
    let context = Context::default();
    let (one, other) = (context.listen("one "), context.listen("other "));

    one.close();
    one.close();
    one.clone().close();
    context.open::<String>().post_value("1").unwrap();

    assert_eq!(context.received(), ["other 1"]);
    drop(other);
}

/// BC-14
#[test]
fn what_arrives_while_nobody_listens_is_gone() {
    let context = Context::default();
    let (sender, receiver) = (context.open::<String>(), context.open::<String>());
    sender.post_value("1").unwrap();
    context.event_loop.run_until_idle();
    sender.post_value("2").unwrap();

    receiver.set_onmessage(context.log.handler("handler "));
    receiver.add_listener(context.log.handler("listener "));

    assert_eq!(context.received(), ["handler 2", "listener 2"]);
}

/// BC-15
#[test]
fn channels_of_two_origins_do_not_hear_each_other_and_an_opaque_one_hears_itself_only() {
    let context = Context::default();
    let sandbox = Origin::opaque();
    let open = |origin: &Origin| BroadcastChannel::<String>::new(&context.event_loop, &context.group, origin, "news");
    let origins = [here(), "http://news.example".parse().unwrap(), sandbox.clone(), Origin::opaque()];
    let receivers = origins.each_ref().map(open);
    for (index, receiver) in receivers.iter().enumerate() {
        receiver.set_onmessage(context.log.handler(&format!("{index} ")));
    }

    open(&"https://NEWS.example:443/x".parse().unwrap()).post_value("from here").unwrap();
    open(&sandbox).post_value("from the sandbox").unwrap();

    assert_eq!(context.received(), ["0 from here", "2 from the sandbox"]);
}

/// BC-16
#[test]
fn the_loop_that_counts_is_the_channels_and_not_the_one_that_runs() {
    let context = Context::default();
    let elsewhere = Context::in_group(&context.group);
    let of_elsewhere = elsewhere.open::<String>();
    let ended = elsewhere.event_loop.clone();
    let log = context.log.clone();
    let receiver = context.open::<String>();
    receiver.set_onmessage(move |event| {
        log.push(&event.data);
        ended.close();
        of_elsewhere.post_value("from a loop that has ended").unwrap();
    });

    context.open::<String>().post_value("1").unwrap();

    assert_eq!(context.received(), ["1"]);
}

/// BC-17
#[test]
fn channels_in_a_loop_that_has_ended_can_be_made_and_used_and_neither_send_nor_receive() {
    let context = Context::default();
    let ended = Context::in_group(&context.group);
    let before = ended.listen("made before ");
    ended.event_loop.close();
    let _receiver = context.listen("");

    let after = ended.listen("made after ");
    context.open::<String>().post_value("to all").unwrap();
    assert_eq!(before.post_value("x"), Ok(()));
    assert_eq!(after.post_value("x"), Ok(()));
    after.close();

    assert_eq!(context.received(), ["to all"]);
    assert!(ended.received().is_empty());
    assert_eq!(after.name(), "news");
}

/// How many channels a group knows.
fn count(group: &BroadcastGroup) -> String {
    format!("{group:?}").replace("BroadcastGroup { channels: ", "").replace(", .. }", "")
}

/// BC-18
#[test]
fn a_channel_that_somebody_listens_to_needs_no_handle() {
    let context = Context::default();

    drop(context.listen("handler "));
    context.open::<String>().add_listener(context.log.handler("listener "));
    context.open::<String>().post_value("1").unwrap();

    assert_eq!(context.received(), ["handler 1", "listener 1"]);
    assert_eq!(count(&context.group), "2");
}

/// BC-18
#[test]
fn a_channel_leaves_its_group_when_it_is_closed_unused_or_its_loop_ends() {
    let context = Context::default();
    let (closed, unused, listening) = (context.listen(""), context.open::<String>(), context.listen(""));
    assert_eq!(count(&context.group), "3");

    closed.close();
    assert_eq!(count(&context.group), "2");
    drop(unused);
    assert_eq!(count(&context.group), "1");
    drop(context.event_loop);
    assert_eq!(count(&context.group), "0");
    drop(listening);
}

/// BC-18
#[test]
fn a_channel_whose_last_listener_removes_itself_is_let_go_after_that_event() {
    let context = Context::default();
    let receiver = context.open::<String>();
    let handle = RefCell::new(Some(receiver.clone()));
    let log = context.log.clone();
    receiver.set_onmessage(move |event| {
        log.push(&event.data);
        handle.take().unwrap().clear_onmessage();
    });
    drop(receiver);
    let sender = context.open::<String>();

    sender.post_value("1").unwrap();
    sender.post_value("2").unwrap();

    assert_eq!(context.received(), ["1"]);
    assert_eq!(count(&context.group), "1", "the sender");
}

/// BC-19
#[test]
fn a_channel_receives_what_another_thread_posts_after_it_was_created() {
    let context = Context::default();
    let group = context.group.clone();
    let (created, is_created) = std::sync::mpsc::channel();
    let sender = thread::spawn(move || {
        let context = Context::in_group(&group);
        let channel = context.open::<String>();
        is_created.recv().unwrap();
        channel.post_value("x").unwrap();
    });

    let receiver = context.listen("");
    created.send(()).unwrap();
    sender.join().unwrap();

    assert_eq!(context.received(), ["x"]);
    drop(receiver);
}

/// BC-06, BC-19, LOOP-03
#[test]
fn loops_on_two_threads_hear_each_other_while_they_run() {
    let context = Context::default();
    let (group, event_loop) = (context.group.clone(), context.event_loop.clone());
    let (ready, is_ready) = std::sync::mpsc::channel();
    let echo = thread::spawn(move || {
        let context = Context::in_group(&group);
        let channel = context.open::<String>();
        let (here, this_loop) = (channel.clone(), context.event_loop.clone());
        channel.set_onmessage(move |event| {
            here.post_value(&format!("{}!", event.data)).unwrap();
            if event.data == "stop" {
                this_loop.close();
            }
        });
        ready.send(()).unwrap();
        block_on(context.event_loop.run());
    });
    is_ready.recv().unwrap();
    let channel = context.open::<String>();
    let log = context.log.clone();
    channel.set_onmessage(move |event| {
        log.push(&event.data);
        if event.data == "stop!" {
            event_loop.close();
        }
    });

    for text in ["1", "2", "stop"] {
        channel.post_value(text).unwrap();
    }
    block_on(context.event_loop.run());
    echo.join().unwrap();

    assert_eq!(context.log.taken(), ["1!", "2!", "stop!"]);
}

/// EVT-01, EVT-06
#[test]
fn the_event_tells_the_senders_origin_and_neither_source_nor_ports() {
    let context = Context::default();
    let sandbox = Origin::opaque();
    for origin in [here(), sandbox.clone()] {
        let (open, log) = (
            || BroadcastChannel::<String>::new(&context.event_loop, &context.group, &origin, "news"),
            context.log.clone(),
        );
        let receiver = open();
        receiver.set_onmessage(move |event| {
            let MessageEvent { data, origin, last_event_id, source, ports, .. } = event;
            log.push(format!("{data:?} {origin:?} {last_event_id:?} {source:?} {ports:?}"));
        });
        open().post_value("x").unwrap();
        context.event_loop.run_until_idle();
    }

    assert_eq!(context.log.taken(), [r#""x" "https://news.example" "" None []"#, r#""x" "null" "" None []"#]);
}

/// BC-12
#[test]
fn bytes_can_be_posted_and_received_as_they_are() {
    let context = Context::default();
    let receiver = context.open::<Message>();
    let log = context.log.clone();
    receiver.set_onmessage(move |event| log.push(format!("{:?}", event.data.data())));

    let sender = context.open::<Message>();
    sender.post_message("hi").unwrap();
    sender.post_message([0, 255]).unwrap();

    assert_eq!(context.received(), ["[104, 105]", "[0, 255]"]);
}

/// LOOP-02
#[test]
fn no_handler_runs_inside_the_call_that_posts() {
    let context = Context::default();
    let receiver = context.open::<String>();
    let (here, log) = (receiver.clone(), context.log.clone());
    receiver.set_onmessage(move |event| {
        log.push(format!("begin {}", event.data));
        here.post_value("2").unwrap();
        log.push("end");
    });
    let sender = context.listen("sender ");

    sender.post_value("1").unwrap();
    assert!(context.log.taken().is_empty());

    assert_eq!(context.received(), ["begin 1", "end", "sender 2"]);
}

#[test]
fn a_handler_may_close_and_drop_channels_end_its_loop_and_post_while_it_does() {
    let context = Context::default();
    let elsewhere = Context::in_group(&context.group);
    let _receiver = elsewhere.listen("");
    let others = RefCell::new(vec![context.listen("closed "), context.listen("dropped ")]);
    let receiver = context.open::<String>();
    let (here, this_loop) = (receiver.clone(), context.event_loop.clone());
    let first = context.open::<String>();
    receiver.set_onmessage(move |_| {
        others.borrow()[0].close();
        others.take();
        here.post_value("from the handler").unwrap();
        this_loop.close();
        here.post_value("too late").unwrap();
    });

    first.post_value("1").unwrap();
    context.event_loop.run_until_idle();

    assert_eq!(elsewhere.received(), ["1", "from the handler"]);
    assert_eq!(count(&context.group), "1", "the one elsewhere");
}

/// Serialises as a text, and closes the channel that it is posted on.
struct Closes<'c>(&'c BroadcastChannel<String>);

impl Serialize for Closes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.close();
        serializer.serialize_str("x")
    }
}

/// BC-04
#[test]
fn a_channel_that_is_closed_while_its_value_is_serialised_still_posts_it() {
    let context = Context::default();
    let _receiver = context.listen("");
    let sender = context.open::<String>();

    assert_eq!(sender.post_value(&Closes(&sender)), Ok(()));

    assert_eq!(context.received(), ["x"]);
    assert_eq!(sender.post_value("y"), Err(BroadcastError::InvalidState));
}

#[test]
fn a_channel_that_was_closed_keeps_no_handler() {
    let context = Context::default();
    let witness = Rc::new(());
    let channel = context.open::<String>();
    let holder = || {
        let held = (witness.clone(), channel.clone());
        move |_: &mut MessageEvent<String>| drop(held.clone())
    };
    channel.set_onmessage(holder());

    channel.close();
    channel.add_listener(holder());
    channel.set_onmessage(holder());

    assert_eq!(Rc::strong_count(&witness), 1);
}

#[test]
fn a_panic_in_a_handler_leaves_the_channel_as_it_was() {
    let context = Context::default();
    let receiver = context.listen("");
    let panics = receiver.add_listener(|_| panic!("on purpose"));
    let sender = context.open::<String>();
    sender.post_value("1").unwrap();
    let run = std::panic::AssertUnwindSafe(|| context.event_loop.run_until_idle());
    assert!(std::panic::catch_unwind(run).is_err());

    receiver.remove_listener(panics);
    assert!(context.log.taken() == ["1"]);
    sender.post_value("2").unwrap();
    assert_eq!(context.received(), ["2"]);
}

/// BC-13
#[test]
fn a_channel_that_holds_itself_and_closes_itself_is_let_go_also_if_its_handler_panics_then() {
    let context = Context::default();
    let witness = Rc::new(());
    for panics in [false, true] {
        let receiver = context.open::<String>();
        let held = (receiver.clone(), witness.clone());
        receiver.set_onmessage(move |_| {
            held.0.close();
            assert!(!panics, "on purpose");
        });
    }
    context.open::<String>().post_value("1").unwrap();

    let run = std::panic::AssertUnwindSafe(|| context.event_loop.run_until_idle());
    assert!(std::panic::catch_unwind(run).is_err());

    assert_eq!(Rc::strong_count(&witness), 1);
    assert_eq!(count(&context.group), "0");
}

/// BC-18
#[test]
fn a_group_that_lives_on_keeps_nothing_of_names_that_are_no_longer_used() {
    let context = Context::default();
    let last = Cell::new(0);
    let action = || {
        for _ in 0..100 {
            last.set(last.get() + 1);
            let name = last.get().to_string();
            drop(BroadcastChannel::<String>::new(&context.event_loop, &context.group, &here(), name));
        }
    };
    action();

    let left = allocation_counter::measure(action);

    assert!(left.count_total > 0, "nothing was measured");
    assert_eq!((left.count_current, left.bytes_current), (0, 0), "blocks and bytes that were not freed");
}

/// GC-03
#[test]
fn channels_loops_and_groups_that_are_dropped_leave_nothing() {
    let action = || {
        let context = Context::default();
        let elsewhere = Context::in_group(&context.group);
        let channels = ["a ", "b "].map(|name| context.listen(name));
        let holds_itself = elsewhere.open::<String>();
        let held = holds_itself.clone();
        holds_itself.set_onmessage(move |_| held.post_value("again").unwrap());
        for channel in &channels {
            channel.post_value("x").unwrap();
        }
        context.event_loop.run_until_idle();
        elsewhere.event_loop.run_until_idle();
        holds_itself.post_value("waits for ever").unwrap();
    };
    action();

    let left = allocation_counter::measure(action);

    assert!(left.count_total > 0, "nothing was measured");
    assert_eq!((left.count_current, left.bytes_current), (0, 0), "blocks and bytes that were not freed");
}

/// Writes down what it is told, and delivers what is posted to another group.
#[derive(Debug, Default)]
struct Bridge {
    told: Arc<Mutex<Vec<String>>>,
    to: BroadcastGroup,
}

impl Bridge {
    fn told(&self, what: String) {
        self.told.lock().unwrap().push(what);
    }
}

impl Medium for Bridge {
    fn opened(&self, origin: &Origin, name: &str) {
        self.told(format!("opened {name} for {origin}"));
    }

    fn closed(&self, _: &Origin, name: &str) {
        self.told(format!("closed {name}"));
    }

    fn posted(&self, origin: &Origin, name: &str, message: Message) {
        self.told(format!("posted {} bytes and {} buffers", message.data().len(), message.buffers().len()));
        self.to.deliver(origin, name, message, "https://there.example");
    }
}

/// BC-06, BC-11
#[test]
fn a_group_over_a_medium_tells_it_who_listens_and_what_is_posted() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let there = Context::default();
    let heard_there = there.listen("there: ");
    let here = Context::in_group(&BroadcastGroup::over(Bridge { told: told.clone(), to: there.group.clone() }));
    let told = || std::mem::take(&mut *told.lock().unwrap());

    let (one, two) = (here.listen("one: "), here.listen("two: "));
    assert_eq!(told(), ["opened news for https://news.example"], "once");

    one.post_value("rain").unwrap();
    assert_eq!(here.received(), ["two: rain"]);
    assert_eq!(there.received(), ["there: rain"]);
    assert_eq!(told(), ["posted 5 bytes and 0 buffers"]);
    heard_there.post_value("nobody carries that back").unwrap();
    assert!(here.received().is_empty());

    one.close();
    assert!(told().is_empty(), "one is left");
    two.post_value("sun").unwrap();
    two.close();
    assert_eq!(told(), ["posted 4 bytes and 0 buffers", "closed news"]);
    assert_eq!(there.received(), ["there: sun"]);
}

/// BC-05, BC-06, BC-07
#[test]
fn what_is_delivered_from_elsewhere_reaches_everyone_of_its_name_and_origin_who_is_there() {
    let context = Context::default();
    let (_one, _two) = (context.listen("one: "), context.listen("two: "));
    let deliver = |origin: &Origin, name: &str, text: &str| {
        let message = Message::new(postcard::to_allocvec(text).unwrap());
        context.group.deliver(origin, name, message, "https://there.example");
    };

    deliver(&here(), "news", "rain");
    deliver(&here(), "olds", "snow");
    deliver(&"https://olds.example".parse().unwrap(), "news", "hail");
    let _late = context.listen("late: ");

    assert_eq!(context.received(), ["one: rain", "two: rain"]);
}

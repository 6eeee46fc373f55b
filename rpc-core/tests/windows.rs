//! Messages between windows.
#![cfg(feature = "windows")]

mod common;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{Arc, Barrier, mpsc},
    thread,
};

use common::{Log, channel, closed_by, closed_port, holding, take_texts};
use futures::executor::block_on;
use handover_core::{
    Buffer, ClosedBy, Message, MessagePort, Origin, TargetOrigin, Window, WindowProxy,
    event_loop::EventLoop,
    message::{MessageErrorEvent, MessageEvent, Source},
    port::DataCloneReason,
};
use serde::{Serialize, Serializer, ser};

const SHOP: &str = "https://shop.example";
const BANK: &str = "https://bank.example";

fn origin(text: &str) -> Origin {
    text.parse().unwrap()
}

fn only(text: &str) -> TargetOrigin {
    TargetOrigin::Only(origin(text))
}

/// Two windows of one loop, of different origins; what the second one receives is written down.
struct Two {
    event_loop: EventLoop,
    shop: Window<String>,
    bank: Window<String>,
    log: Log,
}

fn two() -> Two {
    let (event_loop, log) = (EventLoop::new(), Log::default());
    let shop = Window::new(&event_loop, origin(SHOP));
    let bank = Window::new(&event_loop, origin(BANK));
    bank.set_onmessage(log.handler(""));
    Two { event_loop, shop, bank, log }
}

impl Two {
    /// Posts a text from the shop to the bank.
    fn post(&self, text: &str, target: TargetOrigin) {
        self.bank.proxy().post_value(&self.shop, text.to_owned(), target).unwrap();
    }

    /// What the bank has received when everything has run.
    fn received(&self) -> Vec<String> {
        self.event_loop.run_until_idle();
        self.log.taken()
    }
}

fn sender(source: &Option<Source>) -> WindowProxy {
    match source {
        Some(Source::Window(window)) => window.clone(),
        other => panic!("no window: {other:?}"),
    }
}

/// Does not serialise.
#[derive(Debug)]
struct Unserializable;

impl Serialize for Unserializable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom("on purpose"))
    }
}

/// WIN-02
#[test]
fn a_slash_is_the_senders_own_origin() {
    let two = two();
    let branch = Window::<String>::new(&two.event_loop, origin(BANK));

    two.post("from another origin", TargetOrigin::Same);
    two.bank.proxy().post_value(&branch, "from its own", TargetOrigin::Same).unwrap();

    assert_eq!(two.received(), ["from its own"]);
}

/// WIN-02
#[test]
fn an_asterisk_is_any_origin() {
    let two = two();

    two.post("1", TargetOrigin::Any);
    two.bank.navigate(Origin::opaque());
    two.bank.set_onmessage(two.log.handler("opaque "));
    two.post("2", TargetOrigin::Any);

    assert_eq!(two.received(), ["opaque 1", "opaque 2"]);
}

/// WIN-02
#[test]
fn of_a_url_only_the_origin_counts() {
    let two = two();

    two.post("1", "HTTPS://Bank.Example:443/accounts?all#top".parse().unwrap());
    two.post("2", "http://bank.example".parse().unwrap());
    two.post("3", "https://bank.example:8443".parse().unwrap());

    assert_eq!(two.received(), ["1"]);
}

/// WIN-03
#[test]
fn a_url_with_an_opaque_origin_matches_nobody() {
    let two = two();

    two.post("1", "data:text/html,x".parse().unwrap());
    two.bank.navigate(origin("data:text/html,x"));
    two.bank.set_onmessage(two.log.handler(""));
    two.post("2", "data:text/html,x".parse().unwrap());

    assert!(two.received().is_empty());
}

/// WIN-04
#[test]
fn a_message_arrives_with_its_bytes_its_ports_and_its_buffers() {
    let (event_loop, log) = (EventLoop::new(), Log::default());
    let window = Window::<Message>::new(&event_loop, origin(SHOP));
    let seen = log.clone();
    window.set_onmessage(move |event| {
        let parts = std::mem::take(&mut event.data).into_parts();
        seen.push(format!("{:?} {:?}", parts.data, parts.buffers));
        parts.ports[0].post_message("from the port").unwrap();
    });
    let (kept, sent) = channel();
    let message = holding(sent).with_buffer(vec![7, 8]);

    window.proxy().post_message(&window, message, TargetOrigin::Same).unwrap();
    event_loop.run_until_idle();

    assert_eq!(log.taken(), ["[] [[7, 8]]"]);
    kept.start();
    assert_eq!(take_texts(&kept), ["from the port"]);
}

/// WIN-04
#[test]
fn a_buffer_in_a_value_is_moved_and_not_copied() {
    let event_loop = EventLoop::new();
    let window = Window::<Buffer>::new(&event_loop, origin(SHOP));
    let bytes = vec![7; 1_000];
    let place = bytes.as_ptr();
    let arrived = Rc::new(Cell::new(None));
    let seen = arrived.clone();
    window.set_onmessage(move |event| seen.set(Some(std::mem::take(&mut event.data).into_vec().as_ptr())));

    window.proxy().post_value(&window, Buffer::from(bytes), TargetOrigin::Same).unwrap();
    event_loop.run_until_idle();

    assert_eq!(arrived.get(), Some(place));
}

/// WIN-04
#[test]
fn ports_in_a_value_are_gone_from_the_sender_when_the_call_returns() {
    let two = two();
    let (kept, sent) = channel();
    let value = ("x", &sent);

    two.bank.proxy().post_value(&two.shop, &value, only(SHOP)).unwrap();

    assert_eq!(closed_by(&sent), Some(ClosedBy::ThisEnd), "still there");
    assert_eq!(closed_by(&kept), None, "lost before anybody refused it");
}

/// WIN-04, WIN-05, PORT-59
#[test]
fn a_message_that_is_refused_takes_its_ports_with_it() {
    let two = two();
    let ((kept, sent), (kept_too, sent_too)) = (channel(), channel());
    two.bank.proxy().post_message(&two.shop, holding(sent), only(SHOP)).unwrap();
    two.bank.proxy().post_value(&two.shop, sent_too, only(SHOP)).unwrap();
    assert_eq!(closed_by(&kept), None);

    two.event_loop.run_until_idle();

    assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
    assert_eq!(closed_by(&kept_too), Some(ClosedBy::Peer));
}

/// WIN-04, PORT-31
#[test]
fn a_message_with_a_closed_port_comes_back_whole_and_is_not_posted() {
    let two = two();
    let (kept, open) = channel();
    let message = Message::new("x").with_port(open).with_port(closed_port());

    let error = two.bank.proxy().post_message(&two.shop, message, TargetOrigin::Any).unwrap_err();

    assert_eq!(*error.reason(), DataCloneReason::DetachedPort(1));
    assert_eq!(two.event_loop.run_until_idle(), 0);
    let open = error.into_rejected().into_parts().ports.remove(0);
    open.post_message("still connected").unwrap();
    kept.start();
    assert_eq!(take_texts(&kept), ["still connected"]);
}

/// WIN-04, PORT-31
#[test]
fn a_value_that_does_not_serialise_comes_back_whole_and_is_not_posted() {
    let two = two();
    let (kept, sent) = channel();

    let error = two.bank.proxy().post_value(&two.shop, (sent, Unserializable), TargetOrigin::Any).unwrap_err();

    assert!(matches!(error.reason(), DataCloneReason::Unserializable { path, .. } if path == "[1]"), "{error}");
    let (sent, _) = error.into_rejected();
    kept.post_message("still connected").unwrap();
    sent.start();
    assert_eq!(take_texts(&sent), ["still connected"]);
    assert_eq!(two.event_loop.run_until_idle(), 0);
}

/// WIN-05
#[test]
fn a_message_for_another_origin_is_dropped_and_the_next_one_is_not() {
    let two = two();

    two.post("1", only(SHOP));
    two.post("2", only(BANK));

    assert_eq!(two.received(), ["2"]);
}

/// WIN-05
#[test]
fn the_origin_that_counts_is_the_one_that_the_window_has_when_the_message_arrives() {
    let two = two();
    two.post("for the bank", only(BANK));
    two.post("for the thief", only("https://thief.example"));

    two.bank.navigate(origin("https://thief.example"));
    two.bank.set_onmessage(two.log.handler(""));

    assert_eq!(two.bank.origin(), origin("https://thief.example"));
    assert_eq!(two.received(), ["for the thief"]);
}

/// WIN-05, WIN-09
#[test]
fn the_senders_origin_is_the_one_that_it_had_when_it_posted() {
    let two = two();
    let log = two.log.clone();
    two.bank.set_onmessage(move |event| log.push(&event.origin));

    two.post("x", only(BANK));
    two.shop.navigate(origin("https://elsewhere.example"));

    assert_eq!(two.received(), [SHOP]);
}

/// WIN-06
#[test]
fn windows_with_the_same_opaque_origin_reach_each_other_and_others_do_not() {
    let (event_loop, log) = (EventLoop::new(), Log::default());
    let sandbox = Origin::opaque();
    let window = Window::<String>::new(&event_loop, sandbox.clone());
    window.set_onmessage(log.handler(""));
    let inside = Window::<String>::new(&event_loop, sandbox);
    let outside = Window::<String>::new(&event_loop, Origin::opaque());

    window.proxy().post_value(&inside, "from inside", TargetOrigin::Same).unwrap();
    window.proxy().post_value(&outside, "from outside", TargetOrigin::Same).unwrap();
    event_loop.run_until_idle();

    assert_eq!(log.taken(), ["from inside"]);
}

/// WIN-07, EVT-02, EVT-05
#[test]
fn the_event_tells_the_senders_origin_in_ascii() {
    let two = two();
    let sender = Window::<String>::new(&two.event_loop, origin("https://Bücher.example:443/shelf"));
    let log = two.log.clone();
    two.bank.set_onmessage(move |event| log.push(&event.origin));

    two.bank.proxy().post_value(&sender, "x", TargetOrigin::Any).unwrap();

    assert_eq!(two.received(), ["https://xn--bcher-kva.example"]);
}

/// WIN-07
#[test]
fn an_opaque_sender_can_be_answered_as_anybody_only() {
    let two = two();
    let sandbox = Window::<String>::new(&two.event_loop, Origin::opaque());
    sandbox.set_onmessage(two.log.handler("answered: "));
    let (here, log) = (two.bank.clone(), two.log.clone());
    two.bank.set_onmessage(move |event| {
        assert_eq!(event.origin, "null");
        log.push(event.origin.parse::<TargetOrigin>().is_err());
        sender(&event.source).post_value(&here, "hello", TargetOrigin::Any).unwrap();
    });

    two.bank.proxy().post_value(&sandbox, "x", TargetOrigin::Any).unwrap();

    assert_eq!(two.received(), ["true", "answered: hello"]);
}

/// WIN-08, EVT-09, PORT-60, SER-23
#[test]
fn what_cannot_be_read_is_an_error_event_with_its_sender_and_no_harm_to_what_follows() {
    let two = two();
    let (log, shop) = (two.log.clone(), two.shop.proxy());
    two.bank.set_onmessageerror(move |event: &mut MessageErrorEvent| {
        log.push(format!("{} {}", event.origin, sender(&event.source) == shop));
    });
    let (kept, sent) = channel();

    two.bank.proxy().post_message(&two.shop, holding(sent), TargetOrigin::Any).unwrap();
    two.post("next", TargetOrigin::Any);

    assert_eq!(two.received(), ["https://shop.example true", "next"]);
    assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
}

/// WIN-05, WIN-08
#[test]
fn what_cannot_be_read_and_is_meant_for_another_origin_is_no_event_at_all() {
    let two = two();
    let log = two.log.clone();
    two.bank.set_onmessageerror(move |_| log.push("error"));

    two.bank.proxy().post_message(&two.shop, [0xff; 3].as_slice(), only(SHOP)).unwrap();

    assert!(two.received().is_empty());
}

/// WIN-09, EVT-05
#[test]
fn the_source_is_the_window_that_posted_and_not_another_of_its_origin() {
    let two = two();
    let twin = Window::<String>::new(&two.event_loop, origin(SHOP));
    let (log, shop, twin_proxy) = (two.log.clone(), two.shop.proxy(), twin.proxy());
    two.bank.set_onmessage(move |event| {
        let source = sender(&event.source);
        log.push(format!("{} {} {}", event.data, source == shop, source == twin_proxy));
    });

    two.post("from the shop", TargetOrigin::Any);
    two.bank.proxy().post_value(&twin, "from its twin", TargetOrigin::Any).unwrap();

    assert_eq!(two.received(), ["from the shop true false", "from its twin false true"]);
}

/// WIN-09
#[test]
fn a_message_can_be_answered_through_its_source() {
    let two = two();
    two.shop.set_onmessage(two.log.handler("answered: "));
    let here = two.bank.clone();
    two.bank.set_onmessage(move |event| {
        let target = event.origin.parse().unwrap();
        sender(&event.source).post_value(&here, format!("{}!", event.data), target).unwrap();
    });

    two.post("hello", only(BANK));

    assert_eq!(two.received(), ["answered: hello!"]);
}

/// WIN-10, LOOP-01
#[test]
fn messages_to_one_window_come_one_a_task_in_the_order_of_posting_whoever_posts() {
    let two = two();
    let third = Window::<String>::new(&two.event_loop, Origin::opaque());

    two.post("1", TargetOrigin::Any);
    two.bank.proxy().post_value(&third, "2", TargetOrigin::Any).unwrap();
    two.post("3", only(BANK));

    assert_eq!(two.event_loop.run_until_idle(), 3);
    assert_eq!(two.log.taken(), ["1", "2", "3"]);
}

/// WIN-11
#[test]
fn a_document_that_was_navigated_away_from_receives_nothing_more() {
    let two = two();
    two.bank.add_listener(two.log.handler("listener "));
    let log = two.log.clone();
    two.bank.set_onmessageerror(move |_| log.push("error"));
    two.post("1", TargetOrigin::Any);
    two.bank.proxy().post_message(&two.shop, [0xff; 3].as_slice(), TargetOrigin::Any).unwrap();

    two.bank.navigate(origin(BANK));

    assert!(two.received().is_empty());
}

/// WIN-11
#[test]
fn navigating_in_a_handler_ends_the_event_for_the_former_document_and_does_not_begin_it_for_the_next() {
    let two = two();
    two.bank.clear_onmessage();
    two.bank.navigate(origin(BANK));
    let (here, log) = (two.bank.clone(), two.log.clone());
    two.bank.add_listener(move |event| {
        log.push(&event.data);
        here.navigate(origin(BANK));
        here.set_onmessage(log.handler("the next document: "));
    });
    two.bank.set_onmessage(two.log.handler("the former document: "));

    two.post("1", TargetOrigin::Any);
    two.post("2", TargetOrigin::Any);

    assert_eq!(two.received(), ["1", "the next document: 2"]);
}

/// WIN-11
#[test]
fn a_listener_of_the_former_document_removes_nothing_from_the_next() {
    let two = two();
    two.bank.clear_onmessage();
    let former = two.bank.add_listener(two.log.handler("former "));

    two.bank.navigate(origin(BANK));
    two.bank.add_listener(two.log.handler("next "));
    two.bank.remove_listener(former);
    two.post("1", TargetOrigin::Any);

    assert_eq!(two.received(), ["next 1"]);
}

/// WIN-12, EVT-04
#[test]
fn strangers_check_each_other_once_and_go_on_by_a_port() {
    let event_loop = EventLoop::new();
    let shop = Window::<String>::new(&event_loop, origin(SHOP));
    let bank = Window::<MessagePort>::new(&event_loop, origin(BANK));
    bank.set_onmessage(|event| {
        if event.origin == SHOP {
            let port = std::mem::replace(&mut event.data, closed_port());
            port.post_message("welcome").unwrap();
        }
    });
    let ((ours, theirs), (thiefs, passed)) = (channel(), channel());
    let thief = Window::<String>::new(&event_loop, origin("https://thief.example"));

    bank.proxy().post_value(&thief, passed, TargetOrigin::Any).unwrap();
    bank.proxy().post_value(&shop, theirs, only(BANK)).unwrap();
    event_loop.run_until_idle();

    assert_eq!(closed_by(&thiefs), Some(ClosedBy::Peer));
    ours.start();
    assert_eq!(take_texts(&ours), ["welcome"]);
}

/// EVT-01
#[test]
fn ports_that_no_part_of_the_data_takes_are_in_the_list_of_the_event() {
    let event_loop = EventLoop::new();
    let window = Window::<()>::new(&event_loop, origin(SHOP));
    window.set_onmessage(|event| {
        assert_eq!(event.last_event_id, "");
        for (index, port) in event.ports.iter().enumerate() {
            port.post_message(index.to_string().as_str()).unwrap();
        }
    });
    let ((first, sent_first), (second, sent_second)) = (channel(), channel());
    let message = Message::default().with_ports([sent_first, sent_second]);

    window.proxy().post_message(&window, message, TargetOrigin::Same).unwrap();
    event_loop.run_until_idle();

    first.start();
    second.start();
    assert_eq!((take_texts(&first), take_texts(&second)), (vec!["0".to_owned()], vec!["1".to_owned()]));
}

/// PORT-54
#[test]
fn a_port_that_arrives_is_not_started_whatever_it_was() {
    let event_loop = EventLoop::new();
    let window = Window::<MessagePort>::new(&event_loop, origin(SHOP));
    let arrived = Rc::new(RefCell::new(None));
    let seen = arrived.clone();
    window.set_onmessage(move |event| *seen.borrow_mut() = Some(std::mem::replace(&mut event.data, closed_port())));
    let (kept, sent) = channel();
    sent.start();
    kept.post_message("waits").unwrap();

    window.proxy().post_value(&window, sent, TargetOrigin::Same).unwrap();
    event_loop.run_until_idle();

    let port = arrived.take().unwrap();
    assert!(take_texts(&port).is_empty());
    port.start();
    assert_eq!(take_texts(&port), ["waits"]);
}

/// LOOP-02
#[test]
fn no_handler_runs_inside_the_call_that_posts() {
    let two = two();
    let here = two.bank.clone();
    let log = two.log.clone();
    two.bank.set_onmessage(move |event| {
        log.push(format!("begin {}", event.data));
        if event.data == "1" {
            here.proxy().post_value(&here, "2", TargetOrigin::Same).unwrap();
        }
        log.push(format!("end {}", event.data));
    });

    two.post("1", TargetOrigin::Any);
    assert!(two.log.taken().is_empty());

    assert_eq!(two.received(), ["begin 1", "end 1", "begin 2", "end 2"]);
}

/// LOOP-03
#[test]
fn a_message_is_delivered_although_its_sender_does_nothing_more() {
    let (event_loop, log) = (EventLoop::new(), Log::default());
    let window = Window::<String>::new(&event_loop, origin(BANK));
    window.set_onmessage(log.handler(""));
    let (proxy, posted) = (window.proxy(), Arc::new(Barrier::new(2)));
    let blocked = posted.clone();
    let (release, released) = mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        let event_loop = EventLoop::new();
        let sender = Window::<String>::new(&event_loop, origin(SHOP));
        proxy.post_value(&sender, "x", TargetOrigin::Any).unwrap();
        blocked.wait();
        let _ = released.recv();
    });

    posted.wait();
    event_loop.run_until_idle();

    assert_eq!(log.taken(), ["x"]);
    drop(release);
    thread.join().unwrap();
}

/// A thread with a loop and a window of the bank's origin that answers whatever it is sent, until it is sent `stop`.
fn bank_on_a_thread() -> (WindowProxy, thread::JoinHandle<()>) {
    let (send, proxy) = mpsc::channel();
    let thread = thread::spawn(move || {
        let event_loop = EventLoop::new();
        let bank = Window::<String>::new(&event_loop, origin(BANK));
        let (here, this_loop) = (bank.clone(), event_loop.clone());
        bank.set_onmessage(move |event| {
            let answer = format!("{} from {}", event.data, event.origin);
            sender(&event.source).post_value(&here, answer, event.origin.parse().unwrap()).unwrap();
            if event.data == "stop" {
                this_loop.close();
            }
        });
        send.send(bank.proxy()).unwrap();
        block_on(event_loop.run());
    });
    (proxy.recv().unwrap(), thread)
}

/// WIN-09, WIN-10
#[test]
fn windows_on_two_threads_answer_each_other_in_order() {
    let (bank, thread) = bank_on_a_thread();
    let (event_loop, log) = (EventLoop::new(), Log::default());
    let shop = Window::<String>::new(&event_loop, origin(SHOP));
    let (this_loop, seen, is_bank) = (event_loop.clone(), log.clone(), bank.clone());
    shop.set_onmessage(move |event| {
        assert_eq!((event.origin.as_str(), sender(&event.source) == is_bank), (BANK, true));
        seen.push(&event.data);
        if event.data.starts_with("stop") {
            this_loop.close();
        }
    });

    for text in ["1", "2", "stop"] {
        bank.post_value(&shop, text, only(BANK)).unwrap();
    }
    block_on(event_loop.run());
    thread.join().unwrap();

    let from = " from https://shop.example";
    assert_eq!(log.taken(), [format!("1{from}"), format!("2{from}"), format!("stop{from}")]);
}

/// LOOP-09, PORT-59
#[test]
fn what_is_posted_to_a_thread_that_has_ended_is_dropped_without_a_word() {
    let (bank, thread) = bank_on_a_thread();
    let event_loop = EventLoop::new();
    let shop = Window::<String>::new(&event_loop, origin(SHOP));
    bank.post_value(&shop, "stop", TargetOrigin::Any).unwrap();
    thread.join().unwrap();
    let (kept, sent) = channel();

    bank.post_message(&shop, holding(sent), TargetOrigin::Any).unwrap();

    assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
}

/// LOOP-09, PORT-59
#[test]
fn what_waits_for_a_window_is_dropped_with_its_loop() {
    let two = two();
    let (kept, sent) = channel();
    two.bank.proxy().post_message(&two.shop, holding(sent), TargetOrigin::Any).unwrap();
    assert_eq!(closed_by(&kept), None);

    two.event_loop.close();

    assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
    assert!(two.bank.is_closed());
}

/// PORT-59
#[test]
fn a_window_that_was_closed_receives_nothing_more_also_not_what_waits() {
    let two = two();
    let (kept, sent) = channel();
    two.bank.proxy().post_message(&two.shop, holding(sent), TargetOrigin::Any).unwrap();
    two.post("1", TargetOrigin::Any);

    two.bank.close();
    two.bank.close();
    two.bank.set_onmessage(two.log.handler("closed "));
    two.post("2", TargetOrigin::Any);

    assert!(two.received().is_empty());
    assert!(two.bank.is_closed());
    assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
}

#[test]
fn a_window_in_a_loop_that_has_ended_is_closed_from_the_start() {
    let event_loop = EventLoop::new();
    event_loop.close();
    let witness = Rc::new(());

    let window = Window::<String>::new(&event_loop, origin(SHOP));
    let (here, held) = (window.clone(), witness.clone());
    window.set_onmessage(move |_| drop((here.clone(), held.clone())));

    assert!(window.is_closed());
    assert_eq!(Rc::strong_count(&witness), 1, "kept what can never run");
    window.proxy().post_value(&window, "x", TargetOrigin::Same).unwrap();
}

#[test]
fn a_closed_window_is_still_the_sender_of_what_it_posts() {
    let two = two();
    let shop = two.shop.proxy();
    let log = two.log.clone();
    two.bank.set_onmessage(move |event| log.push(format!("{} {}", event.origin, sender(&event.source) == shop)));

    two.shop.close();
    two.post("x", TargetOrigin::Any);

    assert_eq!(two.received(), ["https://shop.example true"]);
}

#[test]
fn proxies_of_one_window_are_equal_wherever_it_has_navigated_and_others_are_not() {
    let two = two();
    let before = two.bank.proxy();

    two.bank.navigate(origin(SHOP));

    assert_eq!(before, two.bank.proxy());
    assert_ne!(before, two.shop.proxy());
    let elsewhere = EventLoop::new();
    assert_ne!(two.shop.proxy(), Window::<String>::new(&elsewhere, origin(SHOP)).proxy());
}

#[test]
fn a_proxy_goes_to_any_thread() {
    fn assert_shared<T: Send + Sync + Clone + 'static>() {}

    assert_shared::<WindowProxy>();
    assert_shared::<Source>();
}

#[test]
fn a_window_that_somebody_listens_in_stays_open_without_a_handle() {
    let Two { event_loop, shop, bank, log } = two();
    let proxy = bank.proxy();

    drop(bank);
    proxy.post_value(&shop, "x", TargetOrigin::Any).unwrap();
    event_loop.run_until_idle();

    assert_eq!(log.taken(), ["x"]);
}

#[test]
fn a_window_without_a_handle_and_a_listener_is_closed() {
    let Two { event_loop, shop, bank, log: _ } = two();
    let proxy = bank.proxy();
    bank.clear_onmessage();
    let (kept, sent) = channel();
    proxy.post_message(&shop, holding(sent), TargetOrigin::Any).unwrap();

    drop(bank);
    event_loop.run_until_idle();

    assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
}

#[test]
fn a_window_stays_open_until_its_last_handle_is_dropped() {
    let Two { event_loop, shop, bank, log } = two();
    bank.clear_onmessage();

    drop(bank.clone());
    shop.proxy().post_value(&bank, "x", TargetOrigin::Any).unwrap();
    event_loop.run_until_idle();

    assert!(!bank.is_closed() && !shop.is_closed());
    bank.set_onmessage(log.handler(""));
    bank.proxy().post_value(&shop, "x", TargetOrigin::Any).unwrap();
    event_loop.run_until_idle();
    assert_eq!(log.taken(), ["x"]);
}

#[test]
fn a_handler_may_close_its_window_and_drop_the_last_handle() {
    let Two { event_loop, shop, bank, log } = two();
    let proxy = bank.proxy();
    let handle = RefCell::new(Some(bank.clone()));
    let seen = log.clone();
    bank.set_onmessage(move |event| {
        seen.push(&event.data);
        handle.take().unwrap().close();
    });
    bank.add_listener(log.handler("next listener "));
    drop(bank);

    for text in ["1", "2"] {
        proxy.post_value(&shop, text, TargetOrigin::Any).unwrap();
    }
    event_loop.run_until_idle();

    assert_eq!(log.taken(), ["1"]);
}

#[test]
fn a_handler_may_change_the_handlers_open_windows_and_end_the_loop() {
    let Two { event_loop, shop, bank, log } = two();
    let (here, this_loop) = (bank.clone(), event_loop.clone());
    let seen = log.clone();
    bank.set_onmessage(move |event| {
        seen.push(&event.data);
        let opened = Window::<String>::new(&this_loop, origin(SHOP));
        let last = this_loop.clone();
        let seen = seen.clone();
        opened.set_onmessage(move |event| {
            seen.push(&event.data);
            last.close();
        });
        here.clear_onmessage();
        opened.proxy().post_value(&here, "2", TargetOrigin::Any).unwrap();
    });

    for text in ["1", "lost"] {
        bank.proxy().post_value(&shop, text, TargetOrigin::Any).unwrap();
    }
    event_loop.run_until_idle();

    assert_eq!(log.taken(), ["1", "2"]);
    assert!(bank.is_closed());
}

/// Serialises as a text, and makes a window navigate.
#[derive(Debug)]
struct Navigates<'w>(&'w Window<String>);

impl Serialize for Navigates<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.navigate(origin("https://elsewhere.example"));
        serializer.serialize_str("x")
    }
}

/// WIN-02, WIN-09
#[test]
fn a_sender_that_navigates_while_its_value_is_serialised_is_still_who_it_was() {
    let two = two();
    let log = two.log.clone();
    two.bank.set_onmessage(move |event| log.push(&event.origin));

    two.bank.proxy().post_value(&two.shop, Navigates(&two.shop), TargetOrigin::Any).unwrap();

    assert_eq!(two.received(), [SHOP]);
}

#[test]
fn a_handler_is_let_go_when_it_is_replaced_navigated_away_from_or_closed() {
    let two = two();
    let witness = Rc::new(());
    let holder = || {
        let held = witness.clone();
        move |_: &mut MessageEvent<String>| drop(held.clone())
    };

    two.bank.set_onmessage(holder());
    two.bank.set_onmessage(holder());
    assert_eq!(Rc::strong_count(&witness), 2);

    two.bank.navigate(origin(BANK));
    assert_eq!(Rc::strong_count(&witness), 1);

    two.bank.add_listener(holder());
    two.bank.close();
    assert_eq!(Rc::strong_count(&witness), 1);
}

/// GC-03
#[test]
fn a_loop_that_lives_on_keeps_nothing_of_a_window_whose_last_listener_removes_itself() {
    let Two { event_loop, shop, .. } = two();
    let action = || {
        let window = Window::<String>::new(&event_loop, origin(SHOP));
        let proxy = window.proxy();
        let handle = RefCell::new(Some(window.clone()));
        window.set_onmessage(move |_| handle.take().unwrap().clear_onmessage());
        drop(window);
        proxy.post_value(&shop, "x", TargetOrigin::Any).unwrap();
        assert_eq!(event_loop.run_until_idle(), 1);
    };
    action();

    let left = allocation_counter::measure(action);

    assert!(left.count_total > 0, "nothing was measured");
    assert_eq!((left.count_current, left.bytes_current), (0, 0), "blocks and bytes that were not freed");
}

/// GC-03
#[test]
fn windows_that_hold_themselves_and_each_other_leave_nothing_when_their_loop_is_gone() {
    let action = || {
        let Two { event_loop, shop, bank, log: _ } = two();
        let (near, far) = (shop.clone(), bank.clone());
        shop.set_onmessage(move |_| drop(far.clone()));
        bank.set_onmessage(move |event| {
            let (_lost, sent) = channel();
            sender(&event.source).post_message(&near, holding(sent), TargetOrigin::Any).unwrap();
        });
        let (_kept, sent) = channel();
        bank.proxy().post_value(&shop, "1", TargetOrigin::Any).unwrap();
        event_loop.run_until_idle();
        bank.proxy().post_message(&shop, holding(sent), TargetOrigin::Any).unwrap();
    };
    action();

    let left = allocation_counter::measure(action);

    assert!(left.count_total > 0, "nothing was measured");
    assert_eq!((left.count_current, left.bytes_current), (0, 0), "blocks and bytes that were not freed");
}

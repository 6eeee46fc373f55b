//! Ports with a channel of the browser's in between, all in one page.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]

mod common;

use common::{
    desk::{DeskClient, Named, serve},
    microtask, pair, settle, settled_bridges, spy_on_posts, with_raw_end,
};
use futures::{FutureExt, StreamExt, stream};
use handover::{
    Buffer, CallError, Interruption, Message, NotSent,
    browser::{
        self,
        packet::{ContextId, Entry, Packet},
    },
    context, in_process,
    prelude::*,
    testing::LeakCheck,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test as test;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// A desk at the other end of a channel of the browser's.
fn desk() -> DeskClient {
    let (ours, theirs) = pair();
    context::spawn_local(serve(theirs));
    ours.into()
}

/// The entry of a message with nothing beside its bytes.
fn message(data: &[u8]) -> Entry<'_> {
    Entry::Message { data, ports: 0, buffers: 0, values: 0 }
}

#[test]
async fn a_call_is_answered_with_its_result_or_the_services_error() {
    context::run(async {
        let desk = desk();

        assert_eq!(desk.add(2, 3).await.unwrap(), 5);
        assert!(matches!(desk.add(u32::MAX, 1).await, Err(RpcError::Service(text)) if text == "too much"));
    })
    .await;
}

#[test]
async fn streams_come_and_go_whole() {
    context::run(async {
        let desk = desk();

        let numbers: Vec<u32> = desk.count_to(3000).await.unwrap().map(Result::unwrap).collect().await;
        assert_eq!(numbers, Vec::from_iter(1..=3000));
        assert_eq!(desk.sum(stream::iter(1..=3000)).await.unwrap(), 3000 * 3001 / 2);
    })
    .await;
}

#[test]
async fn clients_are_values_in_both_directions() {
    context::run(async {
        let desk = desk();

        let another = desk.another().await.unwrap();
        assert_eq!(another.add(1, 1).await.unwrap(), 2);
        let ours = in_process::spawn(serve);
        let desks = vec![Named { name: "four".into(), desk: another }, Named { name: "three".into(), desk: ours }];
        assert_eq!(desk.ask(desks).await.unwrap(), 9);
    })
    .await;
}

#[test]
async fn a_buffer_is_moved_there_and_back() {
    context::run(async {
        let desk = desk();
        let bytes: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();

        let mut back = desk.reverse(bytes.clone().into()).await.unwrap().into_vec();
        back.reverse();
        assert!(back == bytes);
        assert!(desk.reverse(Buffer::default()).await.unwrap().is_empty());
    })
    .await;
}

#[test]
async fn what_is_posted_in_one_turn_goes_out_as_one_packet_in_order() {
    let (ours, raw) = with_raw_end();

    for number in 0..64_u8 {
        ours.post_message(&[number]).unwrap();
        if number % 8 == 0 {
            // Still the same turn.
            microtask().await;
        }
    }
    settle().await;

    let packets = raw.packets();
    assert_eq!(packets.len(), 1);
    let packet = Packet::parse(&packets[0]).unwrap();
    let (here, messages) = packet.entries.split_first().unwrap();
    assert!(matches!(here, Entry::Here { .. }));
    let numbers: Vec<_> = (0..64).map(|number| [number]).collect();
    let expected: Vec<_> = numbers.iter().map(|data| message(data)).collect();
    assert_eq!(messages, expected);
}

#[test]
async fn a_message_that_is_alone_is_posted_before_the_turn_ends() {
    let channel = web_sys::MessageChannel::new().unwrap();
    let posted = spy_on_posts(&channel.port1());
    let ours = browser::port(channel.port1());
    settle().await;
    posted.take();
    ours.post_message("alone").unwrap();

    for _ in 0..8 {
        microtask().await;
    }

    let posted = posted.take();
    assert_eq!(posted.len(), 1);
    assert_eq!(Packet::parse(&posted[0]).unwrap().entries, [message(b"alone")]);
}

#[test]
async fn what_one_port_has_to_send_does_not_hurry_another() {
    let (early, _raw) = with_raw_end();
    let (late, raw) = with_raw_end();
    settle().await;
    raw.forget();

    early.post_message("early").unwrap();
    microtask().await;
    late.post_message("one").unwrap();
    microtask().await;
    late.post_message("two").unwrap();
    settle().await;

    assert_eq!(raw.packets().len(), 1);
}

#[test]
async fn a_packet_of_any_length_is_what_was_posted_byte_for_byte() {
    let (ours, theirs) = pair();
    theirs.start();
    let message = |length| Vec::from_iter((0..=255_u8).rev().cycle().take(length));

    for length in (0..300).chain(65_520..65_540) {
        ours.post_message(message(length)).unwrap();
        assert_eq!(theirs.recv().await.unwrap().data(), message(length), "{length} bytes");
    }
}

#[test]
async fn packets_of_about_the_same_length_are_not_mixed_up() {
    let ports: Vec<_> = (0..3).map(|_| pair()).collect();
    ports.iter().for_each(|(_, theirs)| theirs.start());
    let message = |number| vec![number; 1000 - 30 * usize::from(number)];

    for round in [0, 3] {
        for (number, (ours, _)) in (round..).zip(&ports) {
            ours.post_message(message(number)).unwrap();
        }
        for (number, (_, theirs)) in (round..).zip(&ports) {
            assert_eq!(theirs.recv().await.unwrap().data(), message(number), "{number}");
        }
    }
}

#[test]
async fn more_than_fits_one_packet_goes_in_several_and_in_order() {
    let (ours, theirs) = pair();
    theirs.start();
    for number in 0..5000_u32 {
        ours.post_message(number.to_le_bytes().to_vec()).unwrap();
    }
    for _ in 0..3 {
        ours.post_message(vec![7; 1 << 20]).unwrap();
    }

    for number in 0..5000_u32 {
        assert_eq!(theirs.recv().await.unwrap().data(), number.to_le_bytes());
    }
    for _ in 0..3 {
        assert_eq!(theirs.recv().await.unwrap().data().len(), 1 << 20);
    }
}

#[test]
async fn closing_a_port_ends_the_other_after_the_data_and_leaves_no_bridge() {
    let before = settled_bridges().await;
    let (ours, theirs) = pair();
    theirs.start();
    ours.post_message("last words").unwrap();

    drop(ours);

    assert_eq!(theirs.recv().await.unwrap().data(), b"last words");
    assert!(theirs.recv().await.is_err());
    assert_eq!(browser::bridges(), before);
}

#[test]
async fn calls_end_when_their_service_goes() {
    context::run(async {
        let (ours, theirs) = pair();
        let desk = DeskClient::from(ours);
        let mut call = Box::pin(desk.wait_for_ever());
        assert!((&mut call).now_or_never().is_none());
        settle().await;

        drop(theirs);

        assert_eq!(call.await, Err(CallError::Unknown(Interruption::Closed)));
        assert_eq!(desk.tell(1).await, Err(CallError::NotSent(NotSent::Closed)));
    })
    .await;
}

#[test]
async fn calls_end_when_the_browser_does_not_post_them() {
    context::run(async {
        let channel = web_sys::MessageChannel::new().unwrap();
        let refuse = js_sys::Function::new_no_args("throw new Error('not today')");
        js_sys::Reflect::set(&channel.port1(), &"postMessage".into(), &refuse).unwrap();
        let desk = DeskClient::from(browser::port(channel.port1()));

        assert_eq!(desk.wait_for_ever().await, Err(CallError::Unknown(Interruption::Closed)));
    })
    .await;
}

#[test]
async fn nothing_is_left_of_calls_and_capabilities_once_they_are_over() {
    let bridges = settled_bridges().await;
    let check = LeakCheck::begin();
    context::run(async {
        let desk = desk();
        let another = desk.another().await.unwrap();
        another.add(1, 1).await.unwrap();
        drop((another, desk));
        settle().await;
    })
    .await;
    settle().await;

    assert_eq!(browser::bridges(), bridges);
    check.end();
}

#[test]
async fn what_is_no_packet_is_ignored_and_the_next_one_is_not() {
    let (ours, raw) = with_raw_end();
    ours.start();

    raw.post_value(&JsValue::from_str("hello from another library"));
    raw.post_value(&JsValue::NULL);
    raw.post_value(&js_sys::Array::of1(&JsValue::from_f64(1.0)));
    raw.post(&[]);
    raw.post(&[9, 1, 1, 0]);
    raw.post(&[1, 1, 200]);
    // One port, one buffer, one value, which did not come.
    raw.post(&[1, 1, 2, 1, 0, 0, 0, 0]);
    raw.post(&[1, 1, 2, 0, 1, 0, 0]);
    raw.post(&[1, 1, 2, 0, 0, 1, 0]);
    raw.post(&Packet { entries: vec![message(b"real")], carried: vec![] }.to_bytes());

    assert_eq!(ours.recv().await.unwrap().data(), b"real");
    assert!(!ours.is_closed());
}

/// The packet with one message, as a string whose characters are its bytes.
fn in_a_string(data: &[u8]) -> String {
    let entries = vec![message(data)];
    Packet { entries, carried: vec![] }.to_bytes().into_iter().map(char::from).collect()
}

#[test]
async fn a_packet_may_come_as_a_string_that_has_a_character_for_each_byte() {
    let (ours, raw) = with_raw_end();
    ours.start();
    let every_byte = Vec::from_iter(128..=255);

    raw.post_value(&JsValue::from_str(&in_a_string(b"first").replace('f', "\u{166}")));
    raw.post_value(&JsValue::from_str(&in_a_string(&[7; 4096])));
    raw.post_value(&JsValue::from_str(&in_a_string(&every_byte[..100])));
    raw.post_value(&JsValue::from_str(&in_a_string(&every_byte[28..])));

    assert_eq!(
        ours.recv().await.unwrap().data(),
        &every_byte[..100],
        "what is no byte, and what is too long, are no packets"
    );
    assert_eq!(ours.recv().await.unwrap().data(), &every_byte[28..]);
}

#[test]
async fn what_is_short_is_posted_as_a_string_and_what_is_long_as_bytes() {
    let (ours, raw) = with_raw_end();

    ours.post_message(vec![200; 100]).unwrap();
    settle().await;
    ours.post_message(vec![200; 1000]).unwrap();
    settle().await;

    let [short, long] = &raw.packets()[..] else { panic!("two packets have come: {:?}", raw.packets()) };
    assert!(short.ends_with(&[200; 100]));
    assert!(Packet::parse(long).unwrap().entries.ends_with(&[message(&[200; 1000])]));
    assert!(raw.next().await.is_string());
}

#[test]
async fn a_port_that_no_message_speaks_of_is_ignored() {
    let (ours, raw) = with_raw_end();
    ours.start();
    let channel = web_sys::MessageChannel::new().unwrap();
    let bytes = Packet { entries: vec![message(b"real")], carried: vec![] }.to_bytes();
    let ports = js_sys::Array::of1(&channel.port1());

    raw.port.post_message_with_transferable(&js_sys::Uint8Array::from(&bytes[..]), &ports).unwrap();

    assert!(ours.recv().await.unwrap().ports().is_empty());
}

#[test]
async fn a_port_from_the_browser_is_handed_on_itself_with_what_was_read_in_front() {
    let before = settled_bridges().await;
    let (provider, at_middle) = pair();
    let (middle, game) = pair();
    game.start();
    provider.post_message("first").unwrap();
    provider.post_message("second").unwrap();
    settle().await;
    at_middle.post_message("from the middle").unwrap();

    middle.post_message(Message::new("for you").with_port(at_middle)).unwrap();
    let message = game.recv().await.unwrap();
    let mut ports = message.into_parts().ports;
    let right = ports.remove(0);
    provider.post_message("third").unwrap();

    // One for each end of the three that are left: none in the middle.
    assert_eq!(browser::bridges() - before, 4);
    drop((middle, game));
    right.start();
    for expected in ["first", "second", "third"] {
        assert_eq!(right.recv().await.unwrap().data(), expected.as_bytes());
    }
    right.post_message("from the game").unwrap();
    provider.start();
    assert_eq!(provider.recv().await.unwrap().data(), b"from the middle");
    assert_eq!(provider.recv().await.unwrap().data(), b"from the game");
    drop(provider);
    assert!(right.recv().await.is_err());
    assert_eq!(browser::bridges(), before);
}

#[test]
async fn whoever_gets_a_port_that_was_handed_on_is_told_who_holds_the_other_end() {
    let (_ours, raw) = with_raw_end();
    raw.next().await;
    let at_first = raw.packets().remove(0);
    raw.forget();

    let other = Entry::Here { context: ContextId([7; 16]), has_lock: false };
    for entries in [vec![Entry::Moving { to: None }], vec![other]] {
        let packet = Packet { entries, carried: vec![] }.to_bytes();
        raw.port.post_message(&js_sys::Uint8Array::from(&packet[..])).unwrap();
    }
    raw.next().await;

    let packets = raw.packets();
    let (here, again) = (Packet::parse(&at_first).unwrap(), Packet::parse(&packets[0]).unwrap());
    assert!(matches!(here.entries[..], [Entry::Here { .. }]));
    assert_eq!(again.entries.first(), here.entries.first());
}

#[test]
async fn ports_that_lie_unread_in_a_port_that_is_handed_on_are_handed_on_too() {
    let before = settled_bridges().await;
    let (provider, at_middle) = pair();
    let (middle, game) = pair();
    game.start();
    let (inner, given) = pair();
    inner.post_message("deep").unwrap();
    settle().await;
    provider.post_message(Message::new("holds a port").with_port(given)).unwrap();
    settle().await;

    middle.post_message(Message::new("for you").with_port(at_middle)).unwrap();
    let right = game.recv().await.unwrap().into_parts().ports.remove(0);

    right.start();
    let deep = right.recv().await.unwrap().into_parts().ports.remove(0);
    deep.start();
    assert_eq!(deep.recv().await.unwrap().data(), b"deep");
    inner.start();
    deep.post_message("back").unwrap();
    assert_eq!(inner.recv().await.unwrap().data(), b"back");
    assert_eq!(browser::bridges() - before, 6);
}

#[test]
async fn a_client_that_was_received_is_called_where_it_is_handed_on_to() {
    context::run(async {
        let provider = desk();
        let right = provider.another().await.unwrap();
        let game = desk();

        assert_eq!(game.ask(vec![Named { name: "three".into(), desk: right }]).await.unwrap(), 5);
    })
    .await;
}

#[test]
async fn a_port_is_turned_into_the_browsers_own_and_back() {
    let before = settled_bridges().await;
    let (ours, theirs) = pair();
    settle().await;

    let raw = browser::into_js(theirs);
    assert_eq!(browser::bridges() - before, 1);
    let again = browser::port(raw);

    ours.post_message("hello").unwrap();
    again.start();
    assert_eq!(again.recv().await.unwrap().data(), b"hello");
}

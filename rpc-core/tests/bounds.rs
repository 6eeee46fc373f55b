//! How much may wait at a port, for those who ask.

mod common;

use common::{started_channel, take, turn};
use futures::{FutureExt, executor::block_on, future::join, poll};
use handover_core::{
    Bound, Message, MessagePort,
    port::{Queued, TryPostError},
};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn bounded(messages: usize, bytes: usize) -> (MessagePort, MessagePort) {
    let (ours, theirs) = started_channel();
    ours.set_bound(Bound { messages, bytes });
    (ours, theirs)
}

fn is_full(posted: Result<(), TryPostError>) -> bool {
    matches!(posted, Err(TryPostError::Full(_)))
}

/// PORT-07
#[test]
fn a_port_has_no_bound_unless_one_is_set() {
    let (ours, theirs) = started_channel();

    for _ in 0..10_000 {
        theirs.try_post_message("x").unwrap();
    }

    assert_eq!(ours.queued(), Queued { messages: 10_000, bytes: 10_000 });
    assert!(theirs.ready().now_or_never().is_some());
}

#[test]
fn a_full_port_hands_the_message_back_with_its_ports_and_takes_it_when_there_is_room() {
    let (ours, theirs) = bounded(2, usize::MAX);
    let (near, far) = started_channel();
    theirs.try_post_message("1").unwrap();
    theirs.try_post_message("2").unwrap();

    let Err(TryPostError::Full(message)) = theirs.try_post_message(Message::new("3").with_port(far)) else {
        panic!("there was room");
    };

    assert!(!near.is_closed());
    assert_eq!(take(&ours).data(), b"1");
    theirs.try_post_message(message).unwrap();
    assert_eq!(take(&ours).data(), b"2");
    assert_eq!(take(&ours).ports().len(), 1);
}

#[test]
fn bytes_are_counted_with_those_of_buffers_and_an_empty_port_takes_a_message_of_any_size() {
    let (ours, theirs) = bounded(usize::MAX, 10);

    theirs.try_post_message(Message::new("12345").with_buffer(vec![0; 100])).unwrap();

    assert_eq!(ours.queued(), Queued { messages: 1, bytes: 105 });
    assert!(is_full(theirs.try_post_message("6")));
    take(&ours);
    assert_eq!(ours.queued(), Queued::default());
    theirs.try_post_message("123456789").unwrap();
    theirs.try_post_message("0123456789").unwrap();
    assert!(is_full(theirs.try_post_message("")));
}

#[test]
fn posting_without_asking_knows_no_bound() {
    let (ours, theirs) = bounded(1, 1);

    for _ in 0..3 {
        theirs.post_message("xx").unwrap();
    }

    assert_eq!(ours.queued(), Queued { messages: 3, bytes: 6 });
}

#[test]
fn waiting_for_room_ends_when_a_message_is_received() {
    block_on(async {
        let (ours, theirs) = bounded(1, usize::MAX);
        theirs.post_message("1").unwrap();
        let mut ready = theirs.ready();
        assert!(poll!(&mut ready).is_pending());

        take(&ours);

        ready.await;
        theirs.try_post_message("2").unwrap();
    });
}

#[test]
fn a_fast_sender_and_a_slow_receiver_keep_to_the_bound() {
    block_on(async {
        let (ours, theirs) = bounded(4, usize::MAX);
        let mut most = 0;
        let send = async {
            for number in 0..1000_u32 {
                let mut message = Message::new(number.to_le_bytes());
                while let Err(error) = theirs.try_post_message(message) {
                    message = error.into_message();
                    theirs.ready().await;
                }
            }
            theirs.close();
        };
        let receive = async {
            let mut next = 0_u32;
            while let Ok(message) = ours.recv().await {
                assert_eq!(message.data(), next.to_le_bytes());
                most = most.max(ours.queued().messages + 1);
                next += 1;
                turn().await;
            }
            next
        };

        let (_, count) = join(send, receive).await;

        assert_eq!(count, 1000);
        assert_eq!(most, 4);
    });
}

#[test]
fn waiting_for_room_ends_when_either_end_closes_or_goes_or_the_bound_is_raised() {
    let ends: [fn(MessagePort, &MessagePort); 4] = [
        |ours, _| drop(ours),
        |ours, _| {
            ours.close();
            std::mem::forget(ours);
        },
        |_ours, theirs| theirs.close(),
        |ours, _| {
            ours.set_bound(Bound::NONE);
            std::mem::forget(ours);
        },
    ];
    for end in ends {
        block_on(async {
            let (ours, theirs) = bounded(1, usize::MAX);
            theirs.post_message("1").unwrap();
            let mut ready = theirs.ready();
            assert!(poll!(&mut ready).is_pending());

            end(ours, &theirs);

            ready.await;
            theirs.try_post_message("2").unwrap();
        });
    }
}

#[test]
fn a_bound_travels_with_its_port_and_so_does_what_was_counted() {
    let (ours, theirs) = bounded(2, usize::MAX);
    theirs.post_message("1").unwrap();
    let (carrier, arrival) = started_channel();
    carrier.post_message(Message::new("a port").with_port(ours)).unwrap();
    theirs.try_post_message("2").unwrap();
    assert!(is_full(theirs.try_post_message("3")));

    let ours = common::take_port(&arrival);

    assert_eq!(ours.queued(), Queued { messages: 2, bytes: 2 });
    ours.start();
    take(&ours);
    theirs.try_post_message("3").unwrap();
}

#[test]
fn several_who_wait_for_room_are_all_told() {
    block_on(async {
        let (ours, theirs) = bounded(1, usize::MAX);
        theirs.post_message("1").unwrap();
        let (mut first, mut second) = (theirs.ready(), theirs.ready());
        assert!(poll!(&mut first).is_pending());
        assert!(poll!(&mut second).is_pending());
        drop(first);

        take(&ours);

        second.await;
    });
}

#[test]
fn a_message_with_a_closed_port_is_refused_as_such_when_there_is_room() {
    let (_ours, theirs) = bounded(1, usize::MAX);

    let refused = theirs.try_post_message(Message::default().with_port(common::closed_port()));

    assert!(matches!(refused, Err(TryPostError::DataClone(_))));
}

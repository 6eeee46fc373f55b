//! Handlers, and the event loop that runs them.

mod common;

use std::{
    cell::Cell,
    rc::Rc,
    sync::{Arc, Weak},
    thread,
};

use common::Log;
use futures::executor::{LocalPool, block_on};
use futures::{FutureExt, task::LocalSpawnExt};
use handover_core::{
    ClosedBy, Message, MessageChannel, MessagePort,
    event_loop::{EventLoop, PortTarget},
};

fn channel() -> (MessagePort, MessagePort) {
    MessageChannel::new().into_ports()
}

/// A port in a loop, its other end, and a log.
fn attached() -> (EventLoop, PortTarget<u32>, MessagePort, Log) {
    let event_loop = EventLoop::new();
    let (ours, theirs) = channel();
    let target = event_loop.attach(ours);
    (event_loop, target, theirs, Log::default())
}

/// PORT-36
#[test]
fn assigning_a_handler_starts_the_port_and_adding_a_listener_does_not() {
    let (event_loop, target, theirs, log) = attached();
    theirs.post_value(1_u32).unwrap();
    target.add_listener(log.handler("listener "));
    target.set_onmessageerror(|_| {});
    target.set_onclose(|_| {});
    assert_eq!(event_loop.run_until_idle(), 0, "nothing has started the port");

    target.set_onmessage(log.handler("handler "));
    event_loop.run_until_idle();

    assert_eq!(log.taken(), ["listener 1", "handler 1"]);
}

/// PORT-36
#[test]
fn taking_a_handler_away_starts_the_port_too_and_what_comes_is_told_to_nobody() {
    let (event_loop, target, theirs, log) = attached();

    target.clear_onmessage();
    theirs.post_value(1_u32).unwrap();
    event_loop.run_until_idle();
    target.set_onmessage(log.handler(""));
    theirs.post_value(2_u32).unwrap();
    event_loop.run_until_idle();

    assert_eq!(log.taken(), ["2"]);
}

/// LOOP-02
#[test]
fn no_handler_runs_inside_the_call_that_posts_or_starts_or_assigns_or_closes() {
    let (event_loop, target, theirs, log) = attached();

    theirs.post_value(1_u32).unwrap();
    target.set_onmessage(log.handler(""));
    theirs.post_value(2_u32).unwrap();
    target.start();
    theirs.close();

    assert_eq!(log.taken(), [""; 0]);
    event_loop.run_until_idle();
    assert_eq!(log.taken(), ["1", "2"]);
}

/// LOOP-02
#[test]
fn a_handler_that_posts_to_itself_is_done_before_it_is_told() {
    let event_loop = EventLoop::new();
    let (ours, theirs) = channel();
    let (ours, theirs) = (event_loop.attach::<u32>(ours), event_loop.attach::<u32>(theirs));
    let log = Log::default();
    let (said, poster) = (log.clone(), theirs.clone());
    ours.set_onmessage(move |event| {
        said.push(format!("begin {}", event.data));
        if event.data < 3 {
            poster.post_value(event.data + 1).unwrap();
        }
        said.push(format!("end {}", event.data));
    });

    theirs.post_value(1_u32).unwrap();
    event_loop.run_until_idle();

    assert_eq!(log.taken(), ["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"]);
}

#[test]
#[should_panic(expected = "may not run the event loop")]
fn a_handler_that_runs_its_own_loop_is_told_that_it_may_not() {
    let (event_loop, target, theirs, _) = attached();
    let inner = event_loop.clone();
    target.set_onmessage(move |_| {
        inner.run_until_idle();
    });
    theirs.post_value(1_u32).unwrap();
    theirs.post_value(2_u32).unwrap();

    event_loop.run_until_idle();
}

/// LOOP-01
#[test]
fn a_handler_that_a_woken_task_replaces_after_one_message_does_not_see_the_next() {
    let (event_loop, target, theirs, log) = attached();
    let (woken, waiting) = futures::channel::oneshot::channel::<()>();
    let mut woken = Some(woken);
    let first = log.clone();
    target.set_onmessage(move |event| {
        first.push(format!("first {}", event.data));
        woken.take().map(|woken| woken.send(()));
    });
    theirs.post_value(1_u32).unwrap();
    theirs.post_value(2_u32).unwrap();

    let mut pool = LocalPool::new();
    let second = log.handler("second ");
    let replaced = target.clone();
    pool.spawner().spawn_local(event_loop.run()).unwrap();
    pool.spawner()
        .spawn_local(async move {
            waiting.await.unwrap();
            replaced.set_onmessage(second);
        })
        .unwrap();
    pool.run_until_stalled();

    assert_eq!(log.taken(), ["first 1", "second 2"]);
}

/// DEC-10, LOOP-05
#[test]
fn messages_at_all_ports_of_a_loop_come_in_the_order_in_which_they_were_posted() {
    let event_loop = EventLoop::new();
    let log = Log::default();
    let mut ends = Vec::new();
    let mut targets = Vec::new();
    for name in ["a", "b", "c"] {
        let (ours, theirs) = channel();
        let target = event_loop.attach::<u32>(ours);
        target.set_onmessage(log.handler(name));
        targets.push(target);
        ends.push(theirs);
    }

    for (number, end) in [2, 0, 1, 1, 0, 2].into_iter().enumerate() {
        ends[end].post_value(number as u32).unwrap();
    }
    event_loop.run_until_idle();

    assert_eq!(log.taken(), ["c0", "a1", "b2", "b3", "a4", "c5"]);
}

/// LOOP-06
#[test]
fn a_message_whose_task_waits_is_still_in_its_ports_queue_and_nowhere_else() {
    let (event_loop, target, theirs, log) = attached();
    target.set_onmessage(log.handler(""));
    theirs.post_value(1_u32).unwrap();
    theirs.post_value(2_u32).unwrap();

    let port = target.detach().unwrap();

    assert_eq!(port.queued().messages, 2);
    assert_eq!(event_loop.run_until_idle(), 2, "the tasks find nothing");
    assert_eq!(log.taken(), [""; 0]);
    assert_eq!(port.recv_value::<u32>().now_or_never().unwrap().unwrap().data, 1);
}

/// PORT-53, PORT-61
#[test]
fn a_transfer_inside_the_ports_own_handler_takes_the_rest_of_the_messages_along() {
    let (event_loop, target, theirs, log) = attached();
    let (carrier, arrival) = channel();
    let (said, own) = (log.clone(), target.clone());
    target.set_onmessage(move |event| {
        said.push(format!("here {}", event.data));
        carrier.post_message(Message::new("on").with_port(own.detach().unwrap())).unwrap();
    });
    for number in [1_u32, 2, 3] {
        theirs.post_value(number).unwrap();
    }

    event_loop.run_until_idle();
    arrival.start();
    let port = arrival.recv().now_or_never().unwrap().unwrap().into_parts().ports.remove(0);
    let there = event_loop.attach::<u32>(port);
    there.set_onmessage(log.handler("there "));
    theirs.post_value(4_u32).unwrap();
    event_loop.run_until_idle();

    assert_eq!(log.taken(), ["here 1", "there 2", "there 3", "there 4"]);
    assert!(target.detach().is_none());
}

/// PORT-43
#[test]
fn a_handler_that_closes_its_own_port_still_gets_what_waits() {
    let (event_loop, target, theirs, log) = attached();
    let (said, own) = (log.clone(), target.clone());
    target.set_onmessage(move |event| {
        said.push(event.data);
        own.close();
    });
    theirs.post_value(1_u32).unwrap();
    theirs.post_value(2_u32).unwrap();

    event_loop.run_until_idle();
    theirs.post_value(3_u32).unwrap();
    event_loop.run_until_idle();

    assert_eq!(log.taken(), ["1", "2"]);
}

/// PORT-27, SER-23, EVT-09
#[test]
fn a_message_that_cannot_be_read_is_told_as_such_and_the_next_one_arrives() {
    let (event_loop, target, theirs, log) = attached();
    let errors = log.clone();
    target.set_onmessageerror(move |event| {
        assert_eq!(event.origin, "");
        assert!(event.source.is_none());
        errors.push("error");
    });
    target.set_onmessage(log.handler(""));

    theirs.post_message("\u{ff}").unwrap();
    theirs.post_value(2_u32).unwrap();
    event_loop.run_until_idle();

    assert_eq!(log.taken(), ["error", "2"]);
}

/// PORT-60
#[test]
fn the_ports_of_a_message_that_cannot_be_read_are_closed() {
    let (event_loop, target, theirs, _) = attached();
    let (near, far) = channel();
    target.set_onmessage(|_| {});

    theirs.post_message(Message::new("no number").with_port(far)).unwrap();
    event_loop.run_until_idle();

    assert!(near.is_closed());
}

/// DEC-06, EVT-01, EVT-04, EVT-10, PORT-29
#[test]
fn an_event_of_a_port_has_its_data_and_ports_and_nothing_else() {
    let event_loop = EventLoop::new();
    let (ours, theirs) = channel();
    let (_near, far) = channel();
    let target = event_loop.attach::<Message>(ours);
    let seen = Rc::new(Cell::new(false));
    let told = seen.clone();
    target.set_onmessage(move |event| {
        assert_eq!(event.data.data(), b"data");
        assert_eq!(event.data.ports().len(), 1);
        assert_eq!((event.origin.as_str(), event.last_event_id.as_str()), ("", ""));
        assert!(event.source.is_none());
        told.set(true);
    });

    theirs.post_message(Message::new("data").with_port(far)).unwrap();
    event_loop.run_until_idle();

    assert!(seen.get());
}

/// PORT-29
#[test]
fn ports_that_are_listed_and_not_part_of_the_value_are_beside_it_in_list_order() {
    let (event_loop, target, theirs, log) = attached();
    let (first, one) = channel();
    let (second, two) = channel();
    let said = log.clone();
    target.set_onmessage(move |event| {
        for port in event.ports.drain(..) {
            port.post_value(said.len() as u32).unwrap();
            said.push("port");
        }
    });

    theirs.post_message(Message::new([7]).with_port(one).with_port(two)).unwrap();
    event_loop.run_until_idle();

    for (number, end) in [first, second].into_iter().enumerate() {
        end.start();
        assert_eq!(end.recv_value::<u32>().now_or_never().unwrap().unwrap().data, number as u32);
    }
}

/// CLOSE-01, CLOSE-03, CLOSE-07
#[test]
fn the_end_of_the_other_side_is_told_once_and_after_its_messages() {
    let (event_loop, target, theirs, log) = attached();
    let ends = log.clone();
    target.set_onclose(move |by| ends.push(format!("{by:?}")));
    target.set_onmessage(log.handler(""));

    theirs.post_value(1_u32).unwrap();
    theirs.post_value(2_u32).unwrap();
    theirs.close();
    drop(theirs);
    event_loop.run_until_idle();

    assert_eq!(log.taken(), ["1", "2", "Peer"]);
}

/// CLOSE-02
#[test]
fn ones_own_close_is_told_to_nobody_here() {
    let (event_loop, target, _theirs, log) = attached();
    let ends = log.clone();
    target.set_onclose(move |by| ends.push(format!("{by:?}")));
    target.start();

    target.close();
    event_loop.run_until_idle();

    assert_eq!(log.taken(), [""; 0]);
}

/// CLOSE-08
#[test]
fn the_end_of_the_other_side_is_told_although_the_port_was_never_started() {
    let (event_loop, target, theirs, log) = attached();
    let ends = log.clone();
    target.set_onclose(move |by| ends.push(format!("{by:?}")));
    theirs.post_value(1_u32).unwrap();

    drop(theirs);
    event_loop.run_until_idle();
    assert_eq!(log.taken(), ["Peer"]);

    target.set_onmessage(log.handler(""));
    event_loop.run_until_idle();
    assert_eq!(log.taken(), ["1"], "what waits can still be read");
}

/// CLOSE-05
#[test]
fn an_end_that_comes_while_the_port_travels_is_told_where_it_arrives() {
    let event_loop = EventLoop::new();
    let (mut travelling, theirs) = channel();
    let (carrier, arrival) = channel();
    theirs.post_value(1_u32).unwrap();
    carrier.post_value(travelling).unwrap();
    drop(theirs);
    arrival.start();
    travelling = arrival.recv_value::<MessagePort>().now_or_never().unwrap().unwrap().data;

    let log = Log::default();
    let target = event_loop.attach::<u32>(travelling);
    let ends = log.clone();
    target.set_onclose(move |by| ends.push(format!("{by:?}")));
    target.set_onmessage(log.handler(""));
    event_loop.run_until_idle();

    assert_eq!(log.taken(), ["1", "Peer"]);
}

#[test]
fn a_panic_at_the_other_end_is_told_as_one() {
    let (event_loop, target, theirs, log) = attached();
    let ends = log.clone();
    target.set_onclose(move |by| ends.push(format!("{by:?}")));

    thread::spawn(move || {
        let _theirs = theirs;
        panic!("as the test wants");
    })
    .join()
    .unwrap_err();
    event_loop.run_until_idle();

    assert_eq!(log.taken(), [format!("{:?}", ClosedBy::PeerPanic)]);
}

/// PORT-03
#[test]
fn a_port_whose_handler_was_taken_away_stays_started() {
    let (event_loop, target, theirs, log) = attached();
    target.set_onmessage(log.handler(""));
    target.clear_onmessage();

    theirs.post_value(1_u32).unwrap();
    event_loop.run_until_idle();
    target.set_onmessage(log.handler("late "));
    event_loop.run_until_idle();

    assert_eq!(log.taken(), [""; 0], "the message was dispatched to nobody");
}

#[test]
fn listeners_are_told_in_order_and_only_as_long_as_they_listen() {
    let (event_loop, target, theirs, log) = attached();
    target.add_listener(log.handler("first "));
    target.set_onmessage(log.handler("old handler "));
    let gone = target.add_listener(log.handler("gone "));
    let (said, own) = (log.clone(), target.clone());
    target.add_listener(move |event| {
        said.push(format!("last {}", event.data));
        own.remove_listener(gone);
    });
    target.set_onmessage(log.handler("handler "));

    theirs.post_value(1_u32).unwrap();
    theirs.post_value(2_u32).unwrap();
    event_loop.run_until_idle();

    let one = ["first 1", "handler 1", "gone 1", "last 1"];
    assert_eq!(log.taken(), [&one[..], &["first 2", "handler 2", "last 2"]].concat());
}

#[test]
fn what_another_thread_posts_wakes_the_loop() {
    let (event_loop, target, theirs, log) = attached();
    let (said, own) = (log.clone(), event_loop.clone());
    target.set_onmessage(move |event| {
        said.push(event.data);
        if event.data == 1000 {
            own.close();
        }
    });

    let thread = thread::spawn(move || (1..=1000_u32).for_each(|number| theirs.post_value(number).unwrap()));
    block_on(event_loop.run());
    thread.join().unwrap();

    assert!(log.taken().into_iter().eq((1..=1000).map(|number: u32| number.to_string())));
}

/// LOOP-07
#[test]
fn handlers_that_post_to_each_other_for_ever_starve_nobody() {
    let event_loop = EventLoop::new();
    let (ours, theirs) = channel();
    let (ours, theirs) = (event_loop.attach::<u32>(ours), event_loop.attach::<u32>(theirs));
    for port in [&ours, &theirs] {
        let back = port.clone();
        port.set_onmessage(move |event| back.post_value(event.data).unwrap());
    }
    ours.post_value(1_u32).unwrap();

    let mut pool = LocalPool::new();
    pool.spawner().spawn_local(event_loop.run()).unwrap();
    // This comes back, although the handlers never stop.
    pool.run_until(async {
        for _ in 0..100 {
            common::turn().await;
        }
    });

    event_loop.close();
}

/// LOOP-09
#[test]
fn a_loop_that_is_closed_takes_nothing_and_lets_go_of_everything() {
    let (event_loop, target, theirs, log) = attached();
    let guard = Arc::new(());
    let held: Weak<()> = Arc::downgrade(&guard);
    let said = log.clone();
    target.set_onmessage(move |event| {
        let _guard = &guard;
        said.push(event.data);
    });
    theirs.post_value(1_u32).unwrap();

    event_loop.close();
    theirs.post_value(2_u32).unwrap();

    assert_eq!(event_loop.run_until_idle(), 0);
    block_on(event_loop.run());
    assert!(theirs.is_closed(), "the port was in the loop");
    assert!(held.upgrade().is_none(), "the handler was let go");
    assert!(target.is_closed());
}

/// GC-01, GC-03
#[test]
fn a_handler_that_holds_its_own_port_is_let_go_when_nothing_can_come_any_more() {
    let (event_loop, target, theirs, _) = attached();
    let guard = Arc::new(());
    let held = Arc::downgrade(&guard);
    let own = target.clone();
    target.set_onmessage(move |_| {
        let _held = (&guard, &own);
    });
    drop(target);
    theirs.post_value(1_u32).unwrap();
    event_loop.run_until_idle();
    assert!(held.upgrade().is_some(), "the other end can still post");

    drop(theirs);
    event_loop.run_until_idle();

    assert!(held.upgrade().is_none());
}

#[test]
fn a_listener_that_is_added_after_the_port_was_taken_out_is_let_go() {
    let (_event_loop, target, _theirs, _) = attached();
    let guard = Arc::new(());
    let held = Arc::downgrade(&guard);
    drop(target.detach());

    let own = (target.clone(), guard);
    target.set_onmessage(move |_| {
        let _own = &own;
    });
    let own = target.clone();
    target.add_listener(move |_| {
        let _own = &own;
    });

    assert!(held.upgrade().is_none());
}

#[test]
fn a_port_that_is_attached_to_a_loop_that_has_ended_is_closed() {
    let event_loop = EventLoop::new();
    let (ours, theirs) = channel();
    event_loop.close();

    let target = event_loop.attach::<u32>(ours);

    assert!(theirs.is_closed());
    assert!(target.is_closed());
}

/// GC-04
#[test]
fn a_port_that_nobody_holds_or_listens_to_is_closed() {
    let (event_loop, target, theirs, _) = attached();
    target.start();

    drop(target);
    event_loop.run_until_idle();

    assert!(theirs.is_closed());
}

#[test]
fn a_loop_that_is_dropped_lets_go_of_handlers_that_hold_their_ports() {
    let (event_loop, target, theirs, _) = attached();
    let own = target.clone();
    target.set_onmessage(move |_| {
        let _own = &own;
    });
    drop(target);

    drop(event_loop);

    assert!(theirs.is_closed());
}

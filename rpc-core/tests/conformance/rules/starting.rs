//! When a port begins to deliver.

use super::{Departure, Log, Port, UnderTest, test};

/// PORT-01, PORT-36
#[test]
async fn a_listener_alone_hears_nothing_before_the_start() {
    let (ours, theirs) = UnderTest::channel();
    let log = Log::default();
    let listener = log.clone();
    theirs.add_listener(move |event| listener.push(&event.text));
    ours.post("1");
    log.assert::<UnderTest>(&[]).await;

    theirs.start();

    log.assert::<UnderTest>(&["1"]).await;
}

/// PORT-36
#[test]
async fn handlers_for_errors_and_for_the_close_start_nothing() {
    let (ours, theirs) = UnderTest::channel();
    let log = Log::default();
    let listener = log.clone();
    theirs.add_listener(move |event| listener.push(&event.text));

    theirs.set_onmessageerror(|| {});
    theirs.set_onclose(|| {});
    ours.post("1");

    let is_started = UnderTest::is_known_for(Departure::ErrorHandlerStarts);
    log.assert::<UnderTest>(if is_started { &["1"] } else { &[] }).await;
}

/// PORT-36, PORT-37
#[test]
async fn assigning_a_handler_starts_the_port_and_what_waited_comes_in_order() {
    let (ours, theirs) = UnderTest::channel();
    ours.post_all(&["1", "2"]);
    UnderTest::settle().await;

    let log = theirs.listen();
    ours.post("3");

    log.assert::<UnderTest>(&["1", "2", "3"]).await;
}

/// PORT-36
#[test]
async fn assigning_no_handler_starts_the_port_too() {
    let (ours, theirs) = UnderTest::channel();
    theirs.clear_onmessage();
    ours.post("to nobody");
    UnderTest::settle().await;

    let log = theirs.listen();

    let is_not = UnderTest::is_known_for(Departure::NoHandlerStartsNothing);
    log.assert::<UnderTest>(if is_not { &["to nobody"] } else { &[] }).await;
}

/// PORT-35
#[test]
async fn starting_twice_delivers_each_message_only_once() {
    let (ours, theirs) = UnderTest::channel();
    let log = theirs.listen();
    ours.post("1");

    theirs.start();
    theirs.start();
    ours.post("2");

    log.assert::<UnderTest>(&["1", "2"]).await;
}

/// PORT-03
#[test]
async fn a_message_that_reaches_a_started_port_without_a_listener_is_gone() {
    let (ours, theirs) = UnderTest::channel();
    theirs.start();
    ours.post("to nobody");
    UnderTest::settle().await;

    let log = theirs.listen();
    ours.post("1");

    log.assert::<UnderTest>(&["1"]).await;
}

/// PORT-03
#[test]
async fn a_port_whose_handler_is_taken_away_goes_on_delivering_to_nobody() {
    let (ours, theirs) = UnderTest::channel();
    let before = theirs.listen();
    ours.post("1");
    before.assert::<UnderTest>(&["1"]).await;

    theirs.clear_onmessage();
    ours.post("to nobody");
    UnderTest::settle().await;
    let after = theirs.listen();
    ours.post("2");

    after.assert::<UnderTest>(&["2"]).await;
    before.assert::<UnderTest>(&["1"]).await;
}

/// PORT-38
#[test]
async fn starting_listening_and_posting_on_a_closed_or_a_moved_port_do_nothing() {
    let (closed, peer) = UnderTest::channel();
    closed.close();
    let (moved, _peer) = UnderTest::channel();
    let arrived = moved.transferred().await;

    for port in [&closed, &moved] {
        port.start();
        port.post("from nobody");
        port.listen();
        port.clear_onmessage();
    }

    peer.listen().assert::<UnderTest>(&[]).await;
    arrived.listen().assert::<UnderTest>(&[]).await;
}

//! What closing a port ends, and what it does not.

use super::{DataCloneError, Departure, Log, Port, UnderTest, test};

/// PORT-42
#[test]
async fn all_that_was_posted_before_the_sender_closed_arrives() {
    let (ours, theirs) = UnderTest::channel();
    ours.post_all(&["1", "2", "3"]);

    ours.close();
    UnderTest::settle().await;

    theirs.listen().assert::<UnderTest>(&["1", "2", "3"]).await;
}

/// PORT-42, PORT-46
#[test]
async fn what_was_posted_before_a_close_arrives_at_a_listener_and_what_is_posted_after_it_does_not() {
    let (ours, theirs) = UnderTest::channel();
    let log = theirs.listen();

    ours.post("before");
    ours.close();
    ours.post("after");

    log.assert::<UnderTest>(&["before"]).await;
}

/// PORT-40, PORT-45
#[test]
async fn nothing_that_is_posted_after_a_port_closed_arrives_there() {
    let (ours, theirs) = UnderTest::channel();
    let log = theirs.listen();
    ours.post("before");
    log.assert::<UnderTest>(&["before"]).await;

    theirs.close();
    ours.post("after");

    log.assert::<UnderTest>(&["before"]).await;
}

/// PORT-45
#[test]
async fn nothing_arrives_at_a_closed_port_from_a_sender_that_travelled_after_the_close() {
    let (ours, theirs) = UnderTest::channel();
    let log = theirs.listen();

    theirs.close();
    let sender = ours.transferred().await;
    sender.post("after");

    log.assert::<UnderTest>(&[]).await;
}

/// PORT-41
#[test]
async fn closing_both_ends_twice_each_does_no_harm() {
    let (ours, theirs) = UnderTest::channel();
    let log = theirs.listen();
    ours.post("1");
    log.assert::<UnderTest>(&["1"]).await;

    for port in [&ours, &theirs, &ours, &theirs] {
        port.close();
    }

    ours.post("2");
    log.assert::<UnderTest>(&["1"]).await;
}

/// PORT-43
#[test]
async fn a_handler_that_closes_its_port_on_the_first_message_still_hears_those_that_wait() {
    let (ours, theirs) = UnderTest::channel();
    ours.post_all(&["1", "2", "3"]);
    UnderTest::settle().await;
    let log = Log::default();
    let (heard, own) = (log.clone(), theirs.clone());

    theirs.set_onmessage(move |event| {
        heard.push(&event.text);
        own.close();
    });

    let expected: &[&str] = if UnderTest::is_known_for(Departure::OwnCloseDrops) { &["1"] } else { &["1", "2", "3"] };
    log.assert::<UnderTest>(expected).await;
}

/// PORT-44, PORT-58
#[test]
async fn a_closed_port_cannot_be_transferred() {
    let (carrier, _far) = UnderTest::channel();
    let (closed, _peer) = UnderTest::channel();
    closed.close();

    let posted = carrier.post_with("", &[&closed]);

    let is_allowed = UnderTest::is_known_for(Departure::ClosedPortTravels);
    assert_eq!(posted, if is_allowed { Ok(()) } else { Err(DataCloneError) });
}

/// PORT-44
#[test]
async fn the_peer_of_a_closed_port_can_be_transferred_with_what_waits_there() {
    let (ours, theirs) = UnderTest::channel();
    ours.post("1");
    ours.close();
    UnderTest::settle().await;

    let arrived = theirs.transferred().await;

    let is_lost = UnderTest::is_known_for(Departure::WaitingIsLostOnTheWay);
    arrived.listen().assert::<UnderTest>(if is_lost { &[] } else { &["1"] }).await;
}

/// CLOSE-01, CLOSE-02, CLOSE-07
#[test]
async fn the_other_end_alone_learns_of_a_close_after_all_that_was_posted() {
    let (ours, theirs) = UnderTest::channel();
    let (at_ours, at_theirs) = (ours.listen(), theirs.listen());
    let log = at_ours.clone();
    ours.set_onclose(move || log.push("closed"));
    let log = at_theirs.clone();
    theirs.set_onclose(move || log.push("closed"));

    ours.post("1");
    ours.close();

    let expected: &[&str] = if UnderTest::is_known_for(Departure::CloseIsUntold) { &["1"] } else { &["1", "closed"] };
    at_theirs.assert::<UnderTest>(expected).await;
    at_ours.assert::<UnderTest>(&[]).await;
}

/// CLOSE-05, PORT-62
#[test]
async fn a_close_that_meets_a_travelling_port_is_learnt_where_it_arrives() {
    let (ours, theirs) = UnderTest::channel();
    let (carrier, far) = UnderTest::channel();
    let log = Log::default();
    let heard = log.clone();
    // In the task in which it arrives: what is told to nobody is gone.
    far.set_onmessage(move |event| {
        let closed = heard.clone();
        event.ports[0].set_onclose(move || closed.push("closed"));
        event.ports[0].log_to(&heard, "");
    });

    ours.post("1");
    carrier.post_with("", &[&theirs]).unwrap();
    ours.close();

    let is_untold = UnderTest::is_known_for(Departure::CloseIsUntold);
    let is_lost = UnderTest::is_known_for(Departure::WaitingIsLostOnTheWay);
    let expected: &[&str] = match (is_lost, is_untold) {
        (true, _) => &[],
        (false, true) => &["1"],
        (false, false) => &["1", "closed"],
    };
    log.assert::<UnderTest>(expected).await;
}

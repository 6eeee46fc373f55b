//! Ports that travel.

use super::{DataCloneError, Departure, Log, Port, UnderTest, test};

/// PORT-26, PORT-51
#[test]
async fn a_port_that_was_transferred_sends_nothing_from_where_it_was() {
    let (port, peer) = UnderTest::channel();
    let (carrier, far) = UnderTest::channel();
    let log = peer.listen();

    carrier.post_with("", &[&port]).unwrap();
    port.post("before it arrives");
    let arrived = far.first_port().await;
    port.post("after it arrived");
    arrived.post("from there");

    log.assert::<UnderTest>(&["from there"]).await;
}

/// PORT-58
#[test]
async fn a_port_cannot_be_transferred_twice() {
    let (port, _peer) = UnderTest::channel();
    let (carrier, far) = UnderTest::channel();
    carrier.post_with("", &[&port]).unwrap();

    let at_once = carrier.post_with("", &[&port]);
    let _arrived = far.first_port().await;
    let later = carrier.post_with("", &[&port]);

    assert_eq!((at_once, later), (Err(DataCloneError), Err(DataCloneError)));
}

/// PORT-37, PORT-50, PORT-52, PORT-54, PORT-55
#[test]
async fn what_is_posted_before_during_and_after_the_journey_arrives_in_order_when_the_port_is_started() {
    let (ours, theirs) = UnderTest::channel();
    let (carrier, far) = UnderTest::channel();

    ours.post("before");
    carrier.post_with("", &[&theirs]).unwrap();
    ours.post("during");
    let arrived = far.first_port().await;
    ours.post("after");
    let log = Log::default();
    let listener = log.clone();
    arrived.add_listener(move |event| listener.push(&event.text));
    log.assert::<UnderTest>(&[]).await;

    arrived.start();

    log.assert::<UnderTest>(&["before", "during", "after"]).await;
}

/// PORT-54
#[test]
async fn a_port_that_was_started_arrives_not_started() {
    let (ours, theirs) = UnderTest::channel();
    theirs.start();

    let arrived = theirs.transferred().await;
    ours.post("1");
    let log = Log::default();
    let listener = log.clone();
    arrived.add_listener(move |event| listener.push(&event.text));
    log.assert::<UnderTest>(&[]).await;

    arrived.start();
    log.assert::<UnderTest>(&["1"]).await;
}

/// PORT-53, PORT-61
#[test]
async fn a_transfer_inside_a_handler_stops_it_and_takes_the_rest_of_the_messages_along() {
    if UnderTest::is_known_for(Departure::TransferInAHandlerCrashes) {
        return;
    }
    let (ours, theirs) = UnderTest::channel();
    let (carrier, far) = UnderTest::channel();
    ours.post_all(&["1", "2", "3"]);
    UnderTest::settle().await;
    let here = Log::default();
    let (heard, own) = (here.clone(), theirs.clone());

    theirs.set_onmessage(move |event| {
        heard.push(&event.text);
        carrier.post_with("", &[&own]).unwrap();
    });
    let there = far.first_port().await.listen();

    there.assert::<UnderTest>(&["2", "3"]).await;
    here.assert::<UnderTest>(&["1"]).await;
}

/// PORT-55, PORT-56
#[test]
async fn a_port_may_travel_on_unstarted_and_every_journey_keeps_the_order() {
    let (ours, theirs) = UnderTest::channel();
    let mut port = theirs;
    for number in ["1", "2", "3", "4"] {
        ours.post(number);
        port = port.transferred().await;
    }
    ours.post("5");

    port.listen().assert::<UnderTest>(&["1", "2", "3", "4", "5"]).await;
}

/// PORT-56
#[test]
async fn a_port_may_travel_on_from_the_handler_that_received_it() {
    let (ours, theirs) = UnderTest::channel();
    let (carrier, near) = UnderTest::channel();
    let (onward, far) = UnderTest::channel();
    near.set_onmessage(move |event| {
        onward.post_with("", &[&event.ports[0]]).unwrap();
    });

    ours.post("1");
    carrier.post_with("", &[&theirs]).unwrap();
    ours.post("2");
    let arrived = far.first_port().await;
    ours.post("3");

    arrived.listen().assert::<UnderTest>(&["1", "2", "3"]).await;
    let log = ours.listen();
    arrived.post("back");
    log.assert::<UnderTest>(&["back"]).await;
}

/// PORT-55, PORT-57
#[test]
async fn both_ends_may_travel_at_once_and_are_each_others_peer_where_they_arrive() {
    let (one, other) = UnderTest::channel();
    let (carrier_of_one, place_of_one) = UnderTest::channel();
    let (carrier_of_other, place_of_other) = UnderTest::channel();
    one.post("before");

    carrier_of_one.post_with("", &[&one]).unwrap();
    carrier_of_other.post_with("", &[&other]).unwrap();
    let one = place_of_one.first_port().await;
    let other = place_of_other.first_port().await;
    one.post("after");
    other.post("back");

    other.listen().assert::<UnderTest>(&["before", "after"]).await;
    one.listen().assert::<UnderTest>(&["back"]).await;
}

/// PORT-57
#[test]
async fn both_ends_may_travel_in_one_message() {
    let (one, other) = UnderTest::channel();
    let (carrier, place) = UnderTest::channel();
    let log = Log::default();
    let heard = log.clone();
    place.set_onmessage(move |event| {
        event.ports[1].log_to(&heard, "");
        event.ports[0].post("2");
    });
    one.post("1");

    carrier.post_with("", &[&one, &other]).unwrap();

    log.assert::<UnderTest>(&["1", "2"]).await;
}

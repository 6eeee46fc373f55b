//! Where a message goes, and what it takes along.

use std::{cell::RefCell, rc::Rc};

use super::{DataCloneError, Departure, Port, UnderTest, test};

/// PORT-02
#[test]
async fn what_is_posted_on_one_end_arrives_at_the_other_and_only_there() {
    let (ours, theirs) = UnderTest::channel();
    let (at_ours, at_theirs) = (ours.listen(), theirs.listen());

    ours.post("from ours");
    theirs.post("from theirs");

    at_ours.assert::<UnderTest>(&["from theirs"]).await;
    at_theirs.assert::<UnderTest>(&["from ours"]).await;
}

/// PORT-07, PORT-37
#[test]
async fn a_thousand_messages_wait_for_the_start_and_all_arrive_in_order() {
    let (ours, theirs) = UnderTest::channel();
    let texts: Vec<_> = (0..1000).map(|number| number.to_string()).collect();
    let expected: Vec<_> = texts.iter().map(String::as_str).collect();
    ours.post_all(&expected);
    UnderTest::settle().await;

    let log = theirs.listen();

    log.assert::<UnderTest>(&expected).await;
}

/// PORT-23, PORT-59
#[test]
async fn posting_to_a_closed_peer_succeeds_and_loses_the_ports_in_the_message() {
    let (ours, theirs) = UnderTest::channel();
    let (listed, peer) = UnderTest::channel();
    let log = peer.listen();
    theirs.close();
    UnderTest::settle().await;

    let posted = ours.post_with("1", &[&listed]);
    listed.post("from the old place");

    assert_eq!(posted, Ok(()));
    log.assert::<UnderTest>(&[]).await;
    let (other, _other_peer) = UnderTest::channel();
    assert_eq!(other.post_with("2", &[&listed]), Err(DataCloneError));
}

/// PORT-23
#[test]
async fn posting_to_nobody_still_refuses_what_cannot_be_transferred() {
    let (ours, theirs) = UnderTest::channel();
    let (moved, _peer) = UnderTest::channel();
    let _arrived = moved.transferred().await;
    theirs.close();
    UnderTest::settle().await;

    assert_eq!(ours.post_with("1", &[&moved]), Err(DataCloneError));
}

/// PORT-24
#[test]
async fn posting_the_destination_to_itself_succeeds_and_the_channel_is_lost() {
    let (ours, theirs) = UnderTest::channel();
    let (listed, peer) = UnderTest::channel();
    let at_theirs = theirs.listen();
    let at_peer = peer.listen();

    let posted = ours.post_with("1", &[&theirs, &listed]);
    ours.post("2");
    listed.post("3");

    if UnderTest::is_known_for(Departure::DestinationIsRefused) {
        assert_eq!(posted, Err(DataCloneError));
        at_theirs.assert::<UnderTest>(&["2"]).await;
        at_peer.assert::<UnderTest>(&["3"]).await;
    } else {
        assert_eq!(posted, Ok(()));
        at_theirs.assert::<UnderTest>(&[]).await;
        at_peer.assert::<UnderTest>(&[]).await;
    }
}

/// PORT-29
#[test]
async fn the_ports_of_an_event_are_those_of_the_list_in_its_order() {
    let (ours, theirs) = UnderTest::channel();
    let ends = [(); 3].map(|()| UnderTest::channel());
    let logs = [0, 1, 2].map(|end: usize| ends[end].1.listen());
    let arrived = Rc::new(RefCell::new(Vec::new()));
    let place = arrived.clone();
    theirs.set_onmessage(move |event| place.borrow_mut().extend(event.ports.iter().cloned()));

    ours.post_with("", &[&ends[1].0, &ends[0].0, &ends[2].0]).unwrap();
    UnderTest::settle().await;
    for (port, text) in arrived.borrow().iter().zip(["first", "second", "third"]) {
        port.post(text);
    }

    logs[0].assert::<UnderTest>(&["second"]).await;
    logs[1].assert::<UnderTest>(&["first"]).await;
    logs[2].assert::<UnderTest>(&["third"]).await;
}

/// PORT-30, PORT-51
#[test]
async fn a_port_arrives_as_a_new_one_and_the_old_one_is_of_no_use() {
    let (port, peer) = UnderTest::channel();
    let log = peer.listen();

    let arrived = port.transferred().await;
    port.post("from the old place");
    arrived.post("from the new one");
    port.close();
    arrived.post("still there");

    log.assert::<UnderTest>(&["from the new one", "still there"]).await;
}

/// PORT-31, SER-05
#[test]
async fn a_post_that_is_refused_leaves_what_it_listed_as_it_was() {
    let (ours, theirs) = UnderTest::channel();
    let (good, peer) = UnderTest::channel();
    let (moved, _peer) = UnderTest::channel();
    let _arrived = moved.transferred().await;
    let at_theirs = theirs.listen();
    let at_peer = peer.listen();

    let refused = ours.post_with("never posted", &[&moved, &good]);
    good.post("still works");
    ours.post("this one too");

    assert_eq!(refused, Err(DataCloneError));
    at_peer.assert::<UnderTest>(&["still works"]).await;
    at_theirs.assert::<UnderTest>(&["this one too"]).await;
}

/// SER-05, DEC-05
#[test]
async fn what_stands_before_a_bad_object_in_a_list_that_is_refused_still_works() {
    let (ours, _theirs) = UnderTest::channel();
    let (good, peer) = UnderTest::channel();
    let (moved, _peer) = UnderTest::channel();
    let _arrived = moved.transferred().await;
    let log = peer.listen();

    let refused = ours.post_with("never posted", &[&good, &moved]);
    good.post("still works");

    assert_eq!(refused, Err(DataCloneError));
    let expected: &[&str] =
        if UnderTest::is_known_for(Departure::RefusalCostsTheFirst) { &[] } else { &["still works"] };
    log.assert::<UnderTest>(expected).await;
}

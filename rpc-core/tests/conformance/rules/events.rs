//! What an event tells.

use super::{Log, Port, UnderTest, test};

/// EVT-01, EVT-04, EVT-10
#[test]
async fn an_event_of_a_port_has_its_text_and_ports_and_nobodys_name() {
    let (ours, theirs) = UnderTest::channel();
    let log = Log::default();
    let heard = log.clone();
    theirs.set_onmessage(move |event| {
        heard.push(format!(
            "{:?}, {} ports, origin {:?}, id {:?}, source: {}",
            event.text,
            event.ports.len(),
            event.origin,
            event.last_event_id,
            event.has_source
        ));
    });

    ours.post("1");

    log.assert::<UnderTest>(&[r#""1", 0 ports, origin "", id "", source: false"#]).await;
}

/// SER-24, PORT-29
#[test]
async fn a_listed_port_arrives_although_nothing_mentions_it() {
    let (ours, theirs) = UnderTest::channel();
    let (listed, peer) = UnderTest::channel();
    let log = peer.listen();

    ours.post_with("says nothing of a port", &[&listed]).unwrap();
    theirs.first_port().await.post("I am here");

    log.assert::<UnderTest>(&["I am here"]).await;
}

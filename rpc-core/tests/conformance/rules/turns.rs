//! Tasks: when handlers run, and in which order.

use std::{cell::Cell, rc::Rc};

use futures::channel::oneshot;

use super::{Departure, Log, Port, UnderTest, test};

/// So many answers are enough to be sure that nobody else gets a turn.
const FOR_EVER: u32 = 10_000;

/// LOOP-01
#[test]
async fn a_handler_that_is_replaced_by_what_one_message_woke_does_not_hear_the_next() {
    let (ours, theirs) = UnderTest::channel();
    ours.post_all(&["1", "2"]);
    UnderTest::settle().await;
    let log = Log::default();
    let (first, second, replaced) = (log.clone(), log.clone(), theirs.clone());
    let (wake, woken) = oneshot::channel();
    let mut wake = Some(wake);
    UnderTest::spawn(async move {
        woken.await.expect("the first message wakes");
        replaced.log_to(&second, "second ");
    });

    theirs.set_onmessage(move |event| {
        first.push(format!("first {}", event.text));
        wake.take().map(|wake| wake.send(()));
    });

    log.assert::<UnderTest>(&["first 1", "second 2"]).await;
}

/// LOOP-02
#[test]
async fn no_handler_runs_inside_a_call_that_posts_starts_assigns_or_closes() {
    let (ours, theirs) = UnderTest::channel();
    let log = Log::default();
    ours.post("1");
    theirs.log_to(&log, "");
    theirs.start();
    ours.post("2");
    log.push("assigned, started, posted");

    ours.close();
    log.push("closed");

    log.assert::<UnderTest>(&["assigned, started, posted", "closed", "1", "2"]).await;
}

/// LOOP-02
#[test]
async fn a_handler_that_posts_to_itself_is_done_before_it_is_called_again() {
    let (ours, theirs) = UnderTest::channel();
    let log = Log::default();
    let heard = log.clone();
    let post = ours.clone();
    theirs.set_onmessage(move |event| {
        heard.push(format!("{} begins", event.text));
        if event.text == "1" {
            post.post("2");
        }
        heard.push(format!("{} ends", event.text));
    });

    ours.post("1");

    log.assert::<UnderTest>(&["1 begins", "1 ends", "2 begins", "2 ends"]).await;
}

/// LOOP-05
#[test]
async fn ports_of_one_context_that_never_travelled_share_one_order() {
    let log = Log::default();
    let names = ["a", "b", "c"];
    let channels = names.map(|_| UnderTest::channel());
    for ((_, theirs), name) in channels.iter().zip(names) {
        theirs.log_to(&log, name);
    }

    for (text, channel) in ["1", "2", "3", "4", "5", "6"].into_iter().zip([2, 0, 1, 1, 0, 2]) {
        channels[channel].0.post(text);
    }

    if UnderTest::is_known_for(Departure::OneOrderPerPort) {
        for texts in [["a2", "a5"], ["b3", "b4"], ["c1", "c6"]] {
            log.assert_some::<UnderTest>(6, &texts).await;
        }
    } else {
        log.assert::<UnderTest>(&["c1", "a2", "b3", "b4", "a5", "c6"]).await;
    }
}

/// LOOP-07
#[test]
async fn ports_that_answer_each_other_for_ever_leave_room_for_others() {
    let (ours, theirs) = UnderTest::channel();
    let answers = Rc::new(Cell::new(0));
    for port in [&ours, &theirs] {
        let (answer, answers) = (port.clone(), answers.clone());
        port.set_onmessage(move |_| {
            if answers.get() < FOR_EVER {
                answers.set(answers.get() + 1);
                answer.post("and you?");
            }
        });
    }
    let (another, waiting) = UnderTest::channel();
    let log = waiting.listen();
    let enough = answers.clone();
    let answers_before = Rc::new(Cell::new(0));
    let before = answers_before.clone();
    waiting.add_listener(move |_| before.set(enough.replace(FOR_EVER)));

    ours.post("how do you do?");
    another.post("enough");

    log.assert::<UnderTest>(&["enough"]).await;
    assert!(answers_before.get() < FOR_EVER);
}

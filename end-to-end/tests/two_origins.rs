//! The harness itself, with nothing of handover in it: two origins that talk by `postMessage`.

use handover_end_to_end::{Site, run};

#[test]
fn a_page_and_a_frame_of_another_origin_talk_over_a_port() {
    run(async |browser| {
        let child = browser.page(Site::B, "raw_child", &[("parent", &browser.origin(Site::A))]);

        browser.open(&browser.page(Site::A, "raw_parent", &[("child", &child)])).await;

        browser.wait_for(&format!("ready, from {}", browser.origin(Site::B))).await;
        browser.wait_for("over the port: hello, parent").await;
        browser.enter("iframe").await;
        browser.wait_for(&format!("a port, from {}", browser.origin(Site::A))).await;
        browser.wait_for("over the port: hello, child").await;
    });
}

#[test]
fn a_message_for_another_origin_does_not_arrive() {
    run(async |browser| {
        let child = browser.page(Site::B, "raw_child", &[("parent", &browser.origin(Site::C))]);

        browser.open(&browser.page(Site::A, "raw_parent", &[("child", &child)])).await;
        browser.enter("iframe").await;
        browser.wait_for("said that it is ready").await;
        browser.enter_parent_frame().await.unwrap();
        // What was posted before has arrived, or was dropped, when this has.
        browser.execute("postMessage('after that', location.origin)", Vec::new()).await.unwrap();

        browser.wait_for(&format!("after that, from {}", browser.origin(Site::A))).await;
        assert_eq!(browser.lines().await, [format!("after that, from {}", browser.origin(Site::A))]);
    });
}

#[test]
fn a_page_that_panics_says_so_at_once() {
    let failed = std::panic::catch_unwind(|| {
        run(async |browser| {
            browser.open(&browser.page(Site::A, "panics", &[])).await;
            browser.wait_for("what never comes").await;
        });
    });

    let message = *failed.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("on purpose"), "{message}");
}

//! How connections between windows of different origins end, and what goes on without a window that was in the middle.

use handover_end_to_end::{Browser, Site, fantoccini::Locator, run};

/// How long it may take until a call has ended, in milliseconds.
const SOON: f64 = 2_000.0;

/// A page that is connected to a frame of another origin, and waits for the answer of a call.
async fn call_a_frame(browser: &Browser) {
    browser.open(&browser.page(Site::A, "waits", &[])).await;
    browser.wait_for("loaded").await;
    browser.show("frame", &browser.page(Site::B, "accepts", &[("from", &browser.origin(Site::A))])).await;
    let connect = format!("pages.connect(frames[0], '{}', 10000)", browser.origin(Site::B));
    browser.tell(&connect).await;
    browser.wait_for(&format!("connected to {}", browser.origin(Site::B))).await;
    browser.tell("pages.call_for_ever()").await;
    browser.wait_for("calling").await;
}

/// How the call has ended, and that it was soon.
async fn ended(browser: &Browser) -> String {
    let line = browser.wait_for_start("ended after ").await;
    let (after, how) = line.trim_start_matches("ended after ").split_once(" ms: ").expect("the page says when and how");
    assert!(after.parse::<f64>().is_ok_and(|after| after < SOON), "{line}");
    how.to_owned()
}

const CLOSED: &str = "Err(Unknown(Closed))";

#[test]
fn a_call_into_a_frame_that_is_removed_ends_soon() {
    run(async |browser| {
        call_a_frame(browser).await;

        browser.tell("pages.begin(), document.getElementById('frame').remove()").await;

        assert_eq!(ended(browser).await, CLOSED);
        browser.tell("pages.call()").await;
        browser.wait_for("no sum: NotSent(Closed)").await;
    });
}

#[test]
fn a_call_into_a_frame_that_is_navigated_elsewhere_ends_soon() {
    run(async |browser| {
        call_a_frame(browser).await;
        let elsewhere = browser.page(Site::C, "waits", &[]);

        browser.tell(&format!("pages.begin(), document.getElementById('frame').src = '{elsewhere}'")).await;

        assert_eq!(ended(browser).await, CLOSED);
    });
}

/// Has the page ask no more whether others live: no timer goes off that could be the one for it. Nor can it see their locks.
const WITHOUT_HEARTBEAT: &str = "(() => {
    const real = setTimeout;
    window.setTimeout = (act, ms, ...more) => ms > 99 && ms < 1900 ? 0 : real(act, ms, ...more);
})()";

#[test]
fn a_frame_that_is_navigated_or_loaded_again_says_goodbye() {
    for leave in ["location.href = 'about:blank'", "location.reload()"] {
        run(async |browser| {
            call_a_frame(browser).await;
            browser.tell(WITHOUT_HEARTBEAT).await;

            browser.tell("pages.begin()").await;
            browser.inside("#frame", async |frame| frame.tell(leave).await).await;

            assert_eq!(ended(browser).await, CLOSED, "{leave}");
        });
    }
}

#[test]
fn a_call_into_a_frame_that_is_loaded_again_ends_soon_and_the_next_page_can_be_connected_to() {
    run(async |browser| {
        call_a_frame(browser).await;

        browser.tell("pages.begin()").await;
        browser.inside("#frame", async |frame| frame.tell("location.reload()").await).await;

        assert_eq!(ended(browser).await, CLOSED);
        browser.tell(&format!("pages.connect(frames[0], '{}', 10000)", browser.origin(Site::B))).await;
        browser.wait_until_says("pages.call()", "the sum is 5").await;
    });
}

#[test]
fn a_popup_is_called_and_a_call_into_it_ends_soon_when_it_is_closed() {
    run(async |browser| {
        browser.open(&browser.page(Site::A, "waits", &[])).await;
        browser.wait_for("loaded").await;
        let popup = browser.page(Site::B, "accepts", &[("from", &browser.origin(Site::A))]);
        // Only somebody who uses a page may have it open windows.
        browser.tell(&format!("window.onclick = () => window.popup = open('{popup}')")).await;
        browser.find(Locator::Css("#report")).await.unwrap().click().await.unwrap();
        browser.tell(&format!("pages.connect(popup, '{}', 10000)", browser.origin(Site::B))).await;
        browser.wait_for(&format!("connected to {}", browser.origin(Site::B))).await;
        browser.tell("pages.call_for_ever()").await;
        browser.wait_for("calling").await;

        browser.tell("pages.begin(), popup.close()").await;

        assert_eq!(ended(browser).await, CLOSED);
    });
}

#[test]
fn a_frame_that_is_removed_is_connected_to_no_longer() {
    run(async |browser| {
        browser.open(&browser.page(Site::A, "waits", &[])).await;
        browser.wait_for("loaded").await;
        browser.show("frame", &browser.page(Site::B, "waits", &[])).await;
        browser.inside("#frame", async |frame| frame.wait_for("loaded").await).await;
        browser.tell(&format!("pages.connect(frames[0], '{}', 10000)", browser.origin(Site::B))).await;

        browser.tell("document.getElementById('frame').remove()").await;

        browser.wait_for("not connected: WindowClosed").await;
    });
}

#[test]
fn a_panic_in_a_frame_ends_its_calls_with_what_it_said() {
    run(async |browser| {
        call_a_frame(browser).await;

        browser.tell("pages.begin(), pages.call_panic()").await;

        assert_eq!(ended(browser).await, "Err(Unknown(Panicked(\"the page panicked: out of paper\")))");
    });
}

#[test]
fn a_frame_that_has_panicked_lets_nobody_in() {
    run(async |browser| {
        call_a_frame(browser).await;
        browser.tell("pages.begin(), pages.call_panic()").await;
        ended(browser).await;

        let frame = "document.getElementById('frame').contentWindow";
        browser.tell(&format!("pages.connect({frame}, '{}', 1500)", browser.origin(Site::B))).await;

        browser.wait_for_start("not connected: TimedOut").await;
    });
}

#[test]
fn a_frame_learns_that_its_page_is_gone() {
    run(async |browser| {
        browser.open(&browser.page(Site::A, "waits", &[])).await;
        browser.wait_for("loaded").await;
        browser.show("middle", &browser.page(Site::B, "waits", &[])).await;
        browser.show("service", &browser.page(Site::C, "accepts", &[("from", &browser.origin(Site::B))])).await;
        let connect = format!("pages.connect(parent.frames[1], '{}', 10000)", browser.origin(Site::C));
        browser
            .inside("#middle", async |middle| {
                middle.wait_for("loaded").await;
                middle.tell(&connect).await;
                middle.wait_for_start("connected to").await;
            })
            .await;

        browser.tell("document.getElementById('middle').remove()").await;

        browser.enter("#service").await;
        browser.wait_for(&format!("{} has gone", browser.origin(Site::B))).await;
    });
}

#[test]
fn a_right_works_on_when_the_frame_that_handed_it_on_is_removed() {
    run(async |browser| {
        // A's page is the game, B's the social site in the middle, C's the contacts.
        browser.open(&browser.page(Site::A, "accepts", &[("from", &browser.origin(Site::B))])).await;
        browser.wait_for("loaded").await;
        browser.show("middle", &browser.page(Site::B, "waits", &[])).await;
        browser.show("contacts", &browser.page(Site::C, "accepts", &[("from", &browser.origin(Site::B))])).await;
        let connect = format!("pages.connect(parent.frames[1], '{}', 10000)", browser.origin(Site::C));
        let hand_on = format!("pages.hand_to(parent, '{}')", browser.origin(Site::A));
        browser
            .inside("#middle", async |middle| {
                middle.wait_for("loaded").await;
                middle.tell(&connect).await;
                middle.wait_for_start("connected to").await;
                middle.tell("pages.fetch_a_right()").await;
                middle.wait_for("fetched").await;
                middle.tell(&hand_on).await;
                middle.wait_for("handed on").await;
            })
            .await;

        browser.tell("document.getElementById('middle').remove()").await;
        browser.wait_for(&format!("{} has gone", browser.origin(Site::B))).await;
        browser.tell("pages.take_what_is_held()").await;
        browser.tell("pages.call()").await;

        browser.wait_for("the sum is 5").await;
    });
}

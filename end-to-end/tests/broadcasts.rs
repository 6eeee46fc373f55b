//! Broadcasts between pages.

use handover_end_to_end::{Browser, Site, run};

/// A page with two frames that listen, one of its own origin and one of another.
async fn open_with_two_frames(browser: &Browser) {
    browser.open(&browser.page(Site::A, "listens", &[])).await;
    browser.wait_for("listens").await;
    for (id, site) in [("same", Site::A), ("other", Site::B)] {
        browser.show(id, &browser.page(site, "listens", &[])).await;
        browser.inside(&format!("#{id}"), async |frame| frame.wait_for("listens").await).await;
    }
}

#[test]
fn pages_of_one_origin_hear_each_other_and_one_of_another_origin_hears_and_says_nothing_to_them() {
    run(async |browser| {
        open_with_two_frames(browser).await;
        let from_here = |text: &str| format!("heard {text} from {}", browser.origin(Site::A));

        browser.inside("#other", async |other| other.tell("pages.broadcast('hail')").await).await;
        browser.tell("pages.broadcast('rain')").await;

        browser.inside("#same", async |same| same.wait_for(&from_here("rain")).await).await;
        browser.inside("#same", async |same| same.tell("pages.broadcast('sun')").await).await;
        browser.wait_for(&from_here("sun")).await;
        assert_eq!(browser.lines().await, ["listens".to_owned(), from_here("sun")]);
        browser
            .inside("#same", async |same| assert_eq!(same.lines().await, ["listens".to_owned(), from_here("rain")]))
            .await;
        browser.inside("#other", async |other| assert_eq!(other.lines().await, ["listens"])).await;
    });
}

#[test]
fn a_frame_without_an_origin_hears_nobody_but_itself() {
    run(async |browser| {
        browser.open(&browser.page(Site::A, "listens", &[])).await;
        browser.show("same", &browser.page(Site::A, "listens", &[])).await;
        browser.show_in_a_sandbox("sandboxed", &browser.page(Site::A, "listens", &[])).await;
        for frame in ["#same", "#sandboxed"] {
            browser.inside(frame, async |frame| frame.wait_for("listens").await).await;
        }

        browser.inside("#sandboxed", async |frame| frame.tell("pages.broadcast('hail')").await).await;
        browser.tell("pages.broadcast('rain')").await;

        let rain = format!("heard rain from {}", browser.origin(Site::A));
        browser.inside("#same", async |same| same.wait_for(&rain).await).await;
        browser.inside("#sandboxed", async |frame| assert_eq!(frame.lines().await, ["listens"])).await;
        assert_eq!(browser.lines().await, ["listens"]);
    });
}

//! The demo: every step of its story is made of calls between pages of three origins, and what the stage shows is what has happened.

use std::{env, fs, path::Path};

use fantoccini::{
    actions::{InputSource, KeyAction, KeyActions},
    key::Key,
};
use handover_end_to_end::{Browser, Demo, Site, fantoccini, run};

/// The stage, with everybody on it. Nothing is slowed down.
async fn open(browser: &Browser) {
    let demo = Demo::of_tests().await;
    browser.open(&format!("{}?pace=0", demo.address())).await;
    are_there(browser, 0).await;
}

/// Waits until so many steps are done, and the next one can be taken.
async fn are_there(browser: &Browser, done: usize) {
    let is_next = "document.querySelectorAll('#steps .now button:enabled').length === 1";
    browser.wait_until(&format!("document.querySelectorAll('#steps .done').length === {done} && {is_next}")).await;
}

/// Takes the steps from that one to this one, both counted from one, and tells what came of the last.
async fn take(browser: &Browser, steps: std::ops::RangeInclusive<usize>) -> String {
    let last = *steps.end();
    for step in steps {
        browser.tell("document.querySelector('#steps .now button').click()").await;
        are_there(browser, step).await;
    }
    browser.ask(&format!("document.querySelectorAll('#steps output')[{}].textContent", last - 1)).await
}

/// The lines that are drawn, in the order in which they came, as `name: from what to what`.
async fn lines(browser: &Browser) -> Vec<String> {
    // Told by where the ends are drawn, so it is what a viewer sees.
    let lines = "[...document.querySelectorAll('#wires g.there')].map((line) => {
        const ends = [...line.querySelectorAll('circle')].map((end) => {
            const { x, y, width, height } = end.getBoundingClientRect();
            const at = [x + width / 2, y + height / 2];
            const boxes = [...document.querySelectorAll('article:not(.gone)')];
            return boxes.find((box) => {
                const { left, right, top, bottom } = box.getBoundingClientRect();
                return at[0] > left - 3 && at[0] < right + 3 && at[1] > top - 3 && at[1] < bottom + 3;
            })?.id;
        });
        return `${line.querySelector('text').textContent}: ${ends.join(' to ')}`;
    }).join('\\n')";
    browser.ask(lines).await.lines().map(str::to_owned).collect()
}

/// What was said to have happened.
async fn log(browser: &Browser) -> Vec<String> {
    let log = "[...document.querySelectorAll('#log p')].map((entry) => entry.textContent).join('\\n')";
    browser.ask(log).await.lines().map(str::to_owned).collect()
}

/// Waits until that is what a page in a frame shows in this place.
async fn shows(browser: &Browser, page: &str, place: &str, text: &str) {
    let claim = format!("document.getElementById('{place}').innerText.trim().replaceAll('\\n', ', ') === '{text}'");
    browser.inside(&format!("#{page} iframe"), async |page| page.wait_until(&claim).await).await;
}

/// The connections, as they are from the beginning.
const CONNECTIONS: [&str; 2] = ["manage contacts: social to contacts", "play: social to game"];

#[test]
fn a_right_that_is_granted_is_a_line_from_social_to_the_contacts() {
    run(async |browser| {
        open(browser).await;
        assert_eq!(lines(browser).await, CONNECTIONS);

        let came = take(browser, 1..=1).await;

        assert_eq!(came, "Social holds “add one contact”.");
        assert_eq!(lines(browser).await[2..], ["add one contact: social to contacts"]);
        let log = log(browser).await;
        assert!(
            log.iter().any(|entry| entry == "contacts: granted “add one contact”: only add, calls left: 1"),
            "{log:#?}"
        );
    });
}

#[test]
fn a_right_that_is_handed_on_leads_from_the_game_straight_to_the_contacts() {
    run(async |browser| {
        open(browser).await;

        take(browser, 1..=2).await;

        assert_eq!(lines(browser).await[2..], ["add one contact: game to contacts"]);
        shows(browser, "game", "state", "May do one thing: add one contact.").await;
    });
}

#[test]
fn the_game_uses_its_right_and_social_sees_nothing_of_it() {
    run(async |browser| {
        open(browser).await;
        take(browser, 1..=2).await;
        let before = log(browser).await.len();

        let came = take(browser, 3..=3).await;

        assert_eq!(came, "William Tell is contact no. 4.");
        let ran = "contacts: ran add by “add one contact”: returned";
        assert_eq!(log(browser).await[before..], ["game → contacts: add", ran, "contacts → game: add returned"]);
        shows(browser, "contacts", "people", "Hedwig, Walter, Arnold, William Tell").await;
    });
}

#[test]
fn a_right_for_one_call_is_refused_the_second_time() {
    run(async |browser| {
        open(browser).await;

        let came = take(browser, 1..=4).await;

        assert!(came.starts_with("Gessler was not added: "), "{came}");
        let log = log(browser).await;
        assert!(log.contains(&"contacts: refused a call by “add one contact”: no calls left".to_owned()), "{log:#?}");
        assert_eq!(lines(browser).await[2..], ["add one contact (used up): game to contacts"]);
        shows(browser, "contacts", "count", "4").await;
    });
}

#[test]
fn another_right_comes_to_the_game_beside_the_first() {
    run(async |browser| {
        open(browser).await;

        take(browser, 1..=5).await;

        let both = ["add one contact (used up): game to contacts", "add contacts: game to contacts"];
        assert_eq!(lines(browser).await[2..], both);
    });
}

#[test]
fn what_social_handed_on_works_when_social_is_removed() {
    run(async |browser| {
        open(browser).await;

        let came = take(browser, 1..=6).await;

        assert_eq!(came, "Bertha is contact no. 5.");
        assert_eq!(browser.ask("document.querySelectorAll('iframe').length").await, "2");
        let left = ["add one contact (used up): game to contacts", "add contacts: game to contacts"];
        assert_eq!(lines(browser).await, left);
    });
}

#[test]
fn the_contacts_move_into_a_worker_and_the_game_notices_nothing() {
    run(async |browser| {
        open(browser).await;

        let came = take(browser, 1..=7).await;

        assert_eq!(came, "The book and 2 ports went into a worker; meanwhile the game added 3 contacts.");
        let moved = ["add one contact (used up): game to worker", "add contacts: game to worker"];
        assert_eq!(lines(browser).await, moved);
        let log = log(browser).await;
        assert!(log.contains(&"worker: granted “add one contact”: only add, calls left: 0".to_owned()), "{log:#?}");
        let at_the_worker = log.iter().filter(|entry| *entry == "worker: ran add by “add contacts”: returned").count();
        assert!(at_the_worker > 0, "nothing ran there: {log:#?}");
        let people = "Hedwig, Walter, Arnold, William Tell, Bertha, Rösselmann, Stauffacher, Attinghausen";
        shows(browser, "contacts", "people", people).await;
        shows(browser, "contacts", "home", "kept in a worker").await;
    });
}

#[test]
fn a_right_that_is_revoked_can_do_nothing_more() {
    run(async |browser| {
        open(browser).await;

        let came = take(browser, 1..=8).await;

        assert_eq!(came, "Gessler was not added: the right to call was taken back.");
        assert_eq!(lines(browser).await[1..], ["add contacts (taken back): game to worker"]);
        shows(browser, "contacts", "count", "8").await;
        let again = "document.querySelector('#steps .now button').textContent";
        assert_eq!(browser.ask(again).await, "Start again");
    });
}

#[test]
fn a_call_is_seen_as_a_dot_on_its_line_while_it_is_shown() {
    run(async |browser| {
        let demo = Demo::of_tests().await;
        browser.open(&format!("{}?pace=400", demo.address())).await;
        are_there(browser, 0).await;

        browser.tell("document.querySelector('#steps .now button').click()").await;

        browser.wait_until("document.querySelector('#wires .dot.call')").await;
        browser.wait_until("document.querySelector('#wires .dot.reply.port')").await;
        are_there(browser, 1).await;
        assert_eq!(browser.ask("document.querySelectorAll('#wires .dot').length").await, "0");
    });
}

#[test]
fn nothing_moves_for_those_who_prefer_that_and_the_log_says_the_same() {
    run(async |browser| {
        let demo = Demo::of_tests().await;
        browser.open(&format!("{}?pace=400", demo.address())).await;
        are_there(browser, 0).await;
        let count = "window.dots = 0, new MutationObserver((changes) => changes.forEach(({ addedNodes }) =>
            addedNodes.forEach((node) => window.dots += node.classList.contains('dot')))
        ).observe(document.getElementById('wires'), { childList: true })";
        browser.tell(count).await;
        take(browser, 1..=1).await;
        assert_eq!(browser.ask("dots").await, "2");

        let is_still = browser.pose(PICTURE, &[("prefers-reduced-motion", "reduce")]).await;
        take(browser, 2..=3).await;

        let more = if is_still { "2" } else { "6" };
        assert_eq!(browser.ask("dots").await, more);
        assert_eq!(log(browser).await.last().map(String::as_str), Some("contacts → game: add returned"));
    });
}

#[test]
fn the_whole_story_is_told_by_the_keyboard_alone() {
    run(async |browser| {
        open(browser).await;
        let is_at_the_step = "document.activeElement === document.querySelector('#steps .now button')";

        press(browser, Key::Tab).await;
        for step in 1..=8 {
            browser.wait_until(is_at_the_step).await;
            let outline = "getComputedStyle(document.activeElement).outlineStyle";
            assert_eq!(browser.ask(outline).await, "solid", "nobody sees where the focus is, at step {step}");
            press(browser, Key::Enter).await;
            are_there(browser, step).await;
        }
        browser.wait_until(is_at_the_step).await;
        press(browser, Key::Enter).await;

        // From the beginning again.
        are_there(browser, 0).await;
    });
}

async fn press(browser: &Browser, key: Key) {
    let value = key.into();
    let actions = KeyActions::new("keyboard".to_owned()).then(KeyAction::Down { value }).then(KeyAction::Up { value });
    browser.perform_actions(actions).await.expect("a key can be pressed");
}

#[test]
fn nothing_is_wider_than_a_telephone() {
    run(async |browser| {
        open_in_a_frame(browser).await;

        for step in 1..=8 {
            take(browser, step..=step).await;

            browser.wait_until(&format!("{BEYOND} <= 0")).await;
        }
    });
}

#[test]
fn nothing_is_wider_than_its_window_however_wide_that_is() {
    run(async |browser| {
        open_in_a_frame(browser).await;
        take(browser, 1..=7).await;

        for width in [320, 640, 720, 800, 801, 1000, 1136, 1137, 1400] {
            browser.enter_parent_frame().await.unwrap();
            browser.tell(&format!("document.getElementById('phone').style.width = '{width}px'")).await;
            browser.enter("#phone").await;
            // Lines are drawn again a moment after the boxes.
            browser.wait_until(&format!("innerWidth === {width} && {BEYOND} <= 0")).await;
        }
    });
}

/// The stage, in a frame as large as a telephone: no browser can be asked for a window of that size, and a frame is laid out in the same way.
async fn open_in_a_frame(browser: &Browser) {
    let demo = Demo::of_tests().await;
    browser.open(&browser.page(Site::A, "waits", &[])).await;
    browser.wait_for("loaded").await;
    browser.show("phone", &format!("{}?pace=0", demo.address())).await;
    browser.tell("document.getElementById('phone').style = 'border: 0; width: 360px; height: 740px'").await;
    browser.enter("#phone").await;
    are_there(browser, 0).await;
}

/// How many pixels there are to the right of what is seen. What sticks out of a box that is cut off counts as well; what is not drawn does
/// not, for WebKit says of lines that are hidden where they were.
const BEYOND: &str = "(Math.max(document.documentElement.scrollWidth, ...[...document.querySelectorAll('body *')]
    .filter((element) => element.checkVisibility()).map((element) => Math.ceil(element.getBoundingClientRect().right))) - innerWidth)";

#[test]
fn no_page_complains_of_anything() {
    run(async |browser| {
        open(browser).await;
        take(browser, 1..=5).await;
        complains_of_nothing(browser, "social").await;

        take(browser, 6..=8).await;

        complains_of_nothing(browser, "contacts").await;
        complains_of_nothing(browser, "game").await;
        assert_eq!(browser.ask("complaints.join()").await, "");
        assert_eq!(browser.console().await, [""; 0]);
    });
}

async fn complains_of_nothing(browser: &Browser, page: &str) {
    let complaints = async |page: &Browser| {
        assert_eq!(page.ask("complaints.join()").await, "");
        assert_eq!(page.ask("document.getElementById('error').textContent").await, "");
    };
    browser.inside(&format!("#{page} iframe"), complaints).await;
}

#[test]
fn the_stage_is_dark_where_one_prefers_that_and_can_be_pictured_either_way() {
    run(async |browser| {
        open(browser).await;
        take(browser, 1..=5).await;
        let mut papers = Vec::new();
        for scheme in ["light", "dark"] {
            if !browser.pose(PICTURE, &[("prefers-color-scheme", scheme)]).await {
                return;
            }
            papers.push(browser.ask("getComputedStyle(document.body).backgroundColor").await);
            picture(browser, &format!("demo-{scheme}.png")).await;
        }
        assert_eq!(papers, ["rgb(246, 245, 241)", "rgb(22, 24, 26)"]);
    });
}

/// The size of the pictures, in pixels.
const PICTURE: (u32, u32) = (1200, 708);

/// Takes a picture, for the README, if `HANDOVER_PICTURES` says in which folder to put it.
async fn picture(browser: &Browser, name: &str) {
    let picture = browser.screenshot().await.expect("a page can be pictured");
    if let Some(folder) = env::var_os("HANDOVER_PICTURES") {
        fs::write(Path::new(&folder).join(name), picture).expect("the folder is there");
    }
}

#[test]
fn what_goes_wrong_is_shown_at_the_step_where_it_did() {
    run(async |browser| {
        open(browser).await;
        browser.tell("document.querySelector('#game iframe').remove()").await;
        take(browser, 1..=1).await;

        browser.tell("document.querySelector('#steps .now button').click()").await;

        browser.wait_until("document.querySelector('#steps .failed')").await;
        let said = browser.ask("document.querySelector('#steps .failed output').textContent").await;
        assert!(said.starts_with("This did not work: the game did not take it: "), "{said}");
    });
}

#[test]
fn what_goes_wrong_on_a_page_is_shown_there() {
    run(async |browser| {
        let demo = Demo::of_tests().await;

        browser.open(&format!("{}game.html", demo.address())).await;

        browser
            .wait_until("document.getElementById('error').textContent === 'no stage: this page is in no frame'")
            .await;
    });
}

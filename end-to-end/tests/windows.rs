//! Windows of different origins that connect to each other by handover: who gets a port, and who does not (C23).

use std::time::Duration;

use handover_end_to_end::{Browser, Site, run};

/// A page that shows one of another origin, which accepts it.
async fn open_with_a_frame(browser: &Browser) {
    browser.open(&browser.page(Site::A, "waits", &[])).await;
    browser.wait_for("loaded").await;
    browser.show("friend", &browser.page(Site::B, "accepts", &[("from", &browser.origin(Site::A))])).await;
}

/// The script by which a page connects to its frame of that id.
fn connect_to(frame: &str, origin: &str, limit_ms: u32) -> String {
    format!("pages.connect(document.getElementById('{frame}').contentWindow, '{origin}', {limit_ms})")
}

/// How what a page says begins that gave up after this time.
fn timed_out(limit_ms: u32) -> String {
    format!("not connected: TimedOut {{ limit: {:?}, ", Duration::from_millis(limit_ms.into()))
}

#[test]
fn a_page_calls_a_frame_of_another_origin_which_knows_whose_call_it_is() {
    run(async |browser| {
        open_with_a_frame(browser).await;
        browser.tell(&connect_to("friend", &browser.origin(Site::B), 10_000)).await;

        browser.wait_for(&format!("connected to {}", browser.origin(Site::B))).await;
        browser.tell("pages.call()").await;
        browser.wait_for("the sum is 5").await;
        browser.wait_for(&format!("called by {}", browser.origin(Site::A))).await;
    });
}

#[test]
fn a_frame_connects_to_its_parent_that_does_not_listen_yet() {
    run(async |browser| {
        browser.open(&browser.page(Site::A, "waits", &[])).await;
        browser.wait_for("loaded").await;
        let child = browser.page(Site::B, "connects_to_its_parent", &[("only", &browser.origin(Site::A))]);
        browser.show("child", &child).await;
        browser.inside("#child", async |child| child.wait_for("loaded").await).await;

        browser.tell(&format!("pages.accept('{}')", browser.origin(Site::B))).await;

        browser.wait_for(&format!("accepted {}", browser.origin(Site::B))).await;
        browser.enter("#child").await;
        browser.tell("pages.call()").await;
        browser.wait_for(&format!("called by {}", browser.origin(Site::B))).await;
    });
}

#[test]
fn a_frame_that_was_there_long_before_is_connected_to() {
    run(async |browser| {
        open_with_a_frame(browser).await;
        browser.inside("#friend", async |friend| friend.wait_for("loaded").await).await;

        browser.tell(&connect_to("friend", &browser.origin(Site::B), 10_000)).await;

        browser.wait_for(&format!("connected to {}", browser.origin(Site::B))).await;
    });
}

/// C23
#[test]
fn a_page_of_another_origin_than_was_meant_gets_no_port() {
    run(async |browser| {
        open_with_a_frame(browser).await;
        browser.inside("#friend", async |friend| friend.wait_for("loaded").await).await;
        // It hears everything that is posted there, whoever it is for.
        browser.inside("#friend", async |friend| friend.tell(LISTEN).await).await;

        browser.tell(&connect_to("friend", &browser.origin(Site::C), 700)).await;

        browser.wait_for_start(&timed_out(700)).await;
        browser.enter("#friend").await;
        let heard = browser.execute("return [window.heard, window.hellos]", Vec::new()).await.unwrap();
        assert_eq!(heard[0], heard[1], "it heard more than that somebody calls");
    });
}

/// Counts the messages that come to a window, and those of them that say that somebody is there, and nothing else.
const LISTEN: &str = "window.heard = 0, window.hellos = 0, addEventListener('message', ({ data, ports }) => {
    window.heard += 1;
    window.hellos += JSON.stringify(data) === '{\"handover\":1,\"says\":\"hello\"}' && ports.length === 0;
})";

async fn heard(browser: &Browser) -> u64 {
    let heard = browser.execute("return window.heard", Vec::new()).await.unwrap();
    heard.as_u64().expect("the page counts what it hears")
}

#[test]
fn nothing_is_written_to_the_console_while_a_page_of_another_origin_is_in_the_window() {
    run(async |browser| {
        if !browser.has_console() {
            return;
        }
        open_with_a_frame(browser).await;
        browser.show("sibling", &browser.page(Site::B, "accepts", &[("from", &browser.origin(Site::C))])).await;
        for frame in ["#friend", "#sibling"] {
            browser.inside(frame, async |frame| frame.wait_for("loaded").await).await;
        }
        browser.console().await;

        // Another origin is named than is there; and one is there that does not accept this one.
        for connect in ["friend", "sibling"].map(|frame| connect_to(frame, &browser.origin(Site::C), 700)) {
            browser.tell(&connect).await;
        }
        browser.wait_for_start(&timed_out(700)).await;
        browser.tell("window.postMessage('said to nobody', 'https://nobody.example')").await;

        let console = browser.console().await;
        assert_eq!(console.len(), 1, "{console:#?}");
        assert!(console[0].contains("https://nobody.example"), "what the browser does write is seen: {console:#?}");
    });
}

/// C23
#[test]
fn a_hostile_sibling_frame_gets_no_port_however_it_asks() {
    run(async |browser| {
        open_with_a_frame(browser).await;
        browser.show("sibling", &browser.page(Site::C, "waits", &[])).await;
        browser.inside("#friend", async |friend| friend.wait_for("loaded").await).await;
        // To both at once: it says that it is ready, says hello, accepts what it was not offered, and offers a port itself.
        let lie = "for (const target of [parent, parent.frames[0]]) {
            const say = (says, more, ports) => target.postMessage({ handover: 1, says, ...more }, '*', ports);
            say('hello'); say('ready', { acceptor: 'x' }); say('accepted', { connection: 'x' });
            say('connect', { acceptor: 'x', connection: 'x' }, [new MessageChannel().port1]);
        }";
        let lie = format!("{LISTEN}, (() => {{ {lie} }})()");

        browser.tell(&connect_to("friend", &browser.origin(Site::B), 10_000)).await;
        browser
            .inside("#sibling", async |sibling| {
                sibling.wait_for("loaded").await;
                sibling.tell(&lie).await;
            })
            .await;

        browser.wait_for(&format!("connected to {}", browser.origin(Site::B))).await;
        browser.tell("pages.call()").await;
        browser.wait_for("the sum is 5").await;
        browser.tell("pages.ignored()").await;
        browser.wait_for_start("ignored 4 of strangers, 0 foreign").await;
        browser
            .inside("#friend", async |friend| {
                friend.tell("pages.ignored()").await;
                friend.wait_for_start("ignored 4 of strangers, 0 foreign").await;
                assert_eq!(friend.lines().await.iter().filter(|line| line.starts_with("accepted")).count(), 1);
            })
            .await;
        browser.enter("#sibling").await;
        assert_eq!(heard(browser).await, 0, "it was answered");
    });
}

/// C23
#[test]
fn another_frame_of_the_right_origin_is_not_the_one_that_was_meant() {
    run(async |browser| {
        browser.open(&browser.page(Site::A, "waits", &[])).await;
        browser.wait_for("loaded").await;
        browser.show("meant", &browser.page(Site::B, "waits", &[])).await;
        browser.show("other", &browser.page(Site::B, "accepts", &[("from", &browser.origin(Site::A))])).await;
        browser.inside("#other", async |other| other.wait_for("loaded").await).await;

        browser.tell(&connect_to("meant", &browser.origin(Site::B), 700)).await;

        browser.wait_for_start(&timed_out(700)).await;
        browser.enter("#other").await;
        assert_eq!(browser.lines().await, ["loaded"], "it was connected to");
    });
}

/// C23
#[test]
fn who_accepts_from_one_window_lets_no_other_of_the_same_origin_in() {
    run(async |browser| {
        browser.open(&browser.page(Site::A, "waits", &[])).await;
        browser.wait_for("loaded").await;
        let child = browser.page(Site::B, "connects_to_its_parent", &[("only", &browser.origin(Site::A))]);
        browser.show("meant", &browser.page(Site::B, "waits", &[])).await;
        browser.show("other", &child).await;
        browser.inside("#meant", async |meant| meant.wait_for("loaded").await).await;
        browser.tell(&format!("pages.accept_from(frames[0], '{}')", browser.origin(Site::B))).await;

        let connect = format!("pages.connect(parent, '{}', 10000)", browser.origin(Site::A));
        browser.inside("#meant", async |meant| meant.tell(&connect).await).await;

        browser.wait_for(&format!("accepted {}", browser.origin(Site::B))).await;
        browser.inside("#meant", async |meant| drop(meant.wait_for_start("connected to").await)).await;
        browser.enter("#other").await;
        browser.wait_for("loaded").await;
        assert_eq!(browser.lines().await, ["loaded"], "it was let in");
    });
}

/// C23
#[test]
fn a_frame_without_an_origin_gets_a_port_by_the_wildcard_only() {
    run(async |browser| {
        browser.open(&browser.page(Site::A, "waits", &[])).await;
        browser.wait_for("loaded").await;
        let friend = browser.page(Site::B, "accepts", &[("from", &browser.origin(Site::A))]);
        browser.show_in_a_sandbox("sandboxed", &friend).await;
        browser.inside("#sandboxed", async |frame| frame.wait_for("loaded").await).await;

        browser.tell(&connect_to("sandboxed", &browser.origin(Site::B), 700)).await;
        browser.wait_for_start(&timed_out(700)).await;

        browser.tell(&connect_to("sandboxed", "*", 10_000)).await;
        browser.wait_for("connected to null").await;
        browser.tell("pages.call()").await;
        browser.wait_for(&format!("called by {}", browser.origin(Site::A))).await;
    });
}

/// C23
#[test]
fn one_without_an_origin_is_not_let_in() {
    run(async |browser| {
        browser.open(&browser.page(Site::A, "accepts", &[("from", &browser.origin(Site::B))])).await;
        browser.wait_for("loaded").await;
        let child = browser.page(Site::B, "connects_to_its_parent", &[("only", &browser.origin(Site::A))]);

        browser.show_in_a_sandbox("sandboxed", &child).await;
        browser.show("child", &child).await;

        browser.wait_for(&format!("accepted {}", browser.origin(Site::B))).await;
        browser.enter("#sandboxed").await;
        browser.wait_for("loaded").await;
        assert_eq!(browser.lines().await, ["loaded"], "it was let in");
    });
}

/// C23
#[test]
fn a_frame_that_navigates_to_another_origin_before_it_is_connected_to_gets_no_port() {
    run(async |browser| {
        browser.open(&browser.page(Site::A, "waits", &[])).await;
        browser.wait_for("loaded").await;
        browser.show("frame", &browser.page(Site::B, "waits", &[])).await;
        browser.inside("#frame", async |frame| frame.wait_for("loaded").await).await;
        let elsewhere = browser.page(Site::C, "accepts", &[("from", &browser.origin(Site::A))]);

        browser.tell(&connect_to("frame", &browser.origin(Site::B), 1_500)).await;
        browser.tell(&format!("document.getElementById('frame').src = '{elsewhere}'")).await;

        browser.wait_for_start(&timed_out(1_500)).await;
        browser.enter("#frame").await;
        assert_eq!(browser.lines().await, ["loaded"], "it was connected to");
    });
}

/// C23
#[test]
fn what_is_said_again_is_counted_and_makes_no_second_connection() {
    run(async |browser| {
        open_with_a_frame(browser).await;
        let keep = "addEventListener('message', ({ data }) => { if (data.says === 'connect') window.said = data })";
        browser
            .inside("#friend", async |friend| {
                friend.wait_for("loaded").await;
                friend.tell(keep).await;
            })
            .await;
        browser.tell(&connect_to("friend", &browser.origin(Site::B), 10_000)).await;
        browser.wait_for(&format!("connected to {}", browser.origin(Site::B))).await;
        browser.enter("#friend").await;
        let said = browser.execute("return window.said", Vec::new()).await.unwrap();
        browser.enter_parent_frame().await.unwrap();

        // From the right window, of the right origin: what it has said before, what misses something, and other versions.
        let again = format!(
            "for (let time = 0; time < 3; time++) frames[0].postMessage({said}, '*', [new MessageChannel().port1]);
             frames[0].postMessage({said}, '*');
             frames[0].postMessage('{{\"handover\":1}}', '*');
             for (const handover of [0, 2, '1', null]) {{
                frames[0].postMessage({{ ...{said}, handover, connection: 'new' }}, '*', [new MessageChannel().port1]);
             }}"
        );
        browser.execute(&again, Vec::new()).await.unwrap();

        browser.tell("pages.call()").await;
        browser.wait_for("the sum is 5").await;
        browser.enter("#friend").await;
        browser.tell("pages.ignored()").await;
        browser.wait_for("ignored 0 of strangers, 6 foreign, 3 repeated").await;
        assert_eq!(browser.lines().await.iter().filter(|line| line.starts_with("accepted")).count(), 1);
        let ready =
            format!("parent.postMessage({{ handover: 1, says: 'ready', acceptor: {} }}, '*')", said["acceptor"]);
        browser.tell(&ready).await;
        browser.enter_parent_frame().await.unwrap();
        browser.tell("setTimeout(pages.ignored)").await;
        let ignored = browser.wait_for_start("ignored 0 of strangers, 0 foreign, ").await;
        assert!(!ignored.ends_with(" 0 repeated"), "{ignored}");
    });
}

/// What somebody may post on a port who has nothing to do with handover, or a broken one: text, objects, lists, random bytes, some of which
/// begin as packets do, with ports and buffers that nothing speaks of. None of them closes the port.
const NONSENSE: &str = "(() => {
    const post = (data, transfer) => window.taken.postMessage(data, transfer);
    const port = () => new MessageChannel().port1;
    for (const data of ['hello', null, 7, {}, [], [1, 2], [new Uint8Array([1, 1])], new ArrayBuffer(4)]) post(data);
    post(new Uint8Array([1, 1, 1, 1, 7]), [port(), port()]);
    post([new Uint8Array([1, 1, 2, 0, 2, 0, 0]), new ArrayBuffer(1)]);
    post([new Uint8Array([1, 1, 2, 0, 1, 0, 0]), 'no buffer']);
    post([new Uint8Array([1, 1, 2, 2, 0, 0, 0, 0, 0])], [port()]);
    let seed = 7;
    const random = () => (seed = (seed * 1103515245 + 12345) % 2147483648) >> 16;
    for (let time = 0; time < 2000; time++) {
        const bytes = new Uint8Array(random() % 40).map((_, index) => index === 0 ? 1 : random() % 256);
        // Those that say that the other end is closed would be believed.
        post(bytes.map((byte) => byte >= 4 && byte <= 6 ? 9 : byte));
    }
})()";

#[test]
fn nonsense_on_a_port_is_left_aside_and_leaves_the_console_clean() {
    run(async |browser| {
        open_with_a_frame(browser).await;
        let keep = "addEventListener('message', ({ data, ports }) => {
            if (data.says === 'connect') window.taken = ports[0];
        })";
        browser
            .inside("#friend", async |friend| {
                friend.wait_for("loaded").await;
                friend.tell(keep).await;
            })
            .await;
        browser.tell(&connect_to("friend", &browser.origin(Site::B), 10_000)).await;
        browser.wait_for(&format!("connected to {}", browser.origin(Site::B))).await;
        browser.console().await;

        browser.inside("#friend", async |friend| friend.tell(NONSENSE).await).await;

        browser.tell("pages.call()").await;
        browser.wait_for("the sum is 5").await;
        assert_eq!(browser.console().await, [""; 0]);
    });
}

#[test]
fn a_flood_of_what_strangers_say_is_counted_and_holds_nobody_up() {
    run(async |browser| {
        open_with_a_frame(browser).await;
        browser.show("sibling", &browser.page(Site::C, "waits", &[])).await;
        browser.inside("#friend", async |friend| friend.wait_for("loaded").await).await;
        browser.tell(&connect_to("friend", &browser.origin(Site::B), 10_000)).await;
        browser.wait_for(&format!("connected to {}", browser.origin(Site::B))).await;
        let flood = "for (let time = 0; time < 20000; time++) {
            for (const target of [parent, parent.frames[0]]) {
                target.postMessage({ handover: 1, says: 'connect', acceptor: 'x', connection: 'x'.repeat(1000) }, '*');
            }
        }";
        browser
            .inside("#sibling", async |sibling| {
                sibling.wait_for("loaded").await;
                sibling.execute(flood, Vec::new()).await.unwrap();
            })
            .await;

        browser.tell("pages.call()").await;
        browser.wait_for("the sum is 5").await;
        browser.wait_until_says("pages.ignored()", "ignored 20000 of strangers, 0 foreign").await;
        browser.enter("#friend").await;
        browser.wait_until_says("pages.ignored()", "ignored 20000 of strangers, 0 foreign").await;
    });
}

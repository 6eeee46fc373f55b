//! A browser, and what a test does with it.

use std::fs;
use std::ops::Deref;

use fantoccini::{Client, ClientBuilder, Locator, wd::Capabilities};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tokio::time::{Duration, Instant, sleep};

use crate::commands::Command;
use crate::driver::{Driver, variable};
use crate::sites::{Site, Sites};
use crate::{MOST_TIME, MOST_WAIT};

/// How often a page is asked for its lines.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What a page has reported so far, in the frame that is looked at; nothing, if it is still being loaded.
const LINES: &str = "return (document.getElementById('report')?.textContent ?? '').split('\\n').slice(0, -1)";

/// A browser with one window, and three sites for it. It is also a [`Client`], for all that WebDriver can do.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    is_chromium: bool,
    sites: Sites<3>,
    /// Dropped last: a driver that ends leaves its browser running.
    driver: Driver,
}

impl Browser {
    pub(crate) async fn start() -> Self {
        let path = variable("HANDOVER_CAPABILITIES");
        let capabilities = fs::read_to_string(path).expect("xtask has written what to ask the driver for");
        let capabilities: Capabilities = serde_json::from_str(&capabilities).expect("it is an object");
        let is_chromium = capabilities.contains_key("goog:chromeOptions");
        let driver = Driver::start().await;
        let url = driver.url();
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let connecting = builder.capabilities(capabilities).connect(&url);
        let connected = tokio::time::timeout(MOST_TIME, connecting).await.expect("the browser starts in time");
        Self { client: connected.expect("a session can be had"), is_chromium, sites: Sites::of_tests().await, driver }
    }

    /// Ends the browser. One that does not end is ended by xtask.
    pub(crate) async fn close(self) {
        if let Ok(Err(error)) = tokio::time::timeout(MOST_WAIT, self.client.close()).await {
            eprintln!("the browser did not close: {error}");
        }
        drop(self.driver);
    }

    /// The address of a page: the function of `pages/` that it runs, and the parameters that this can read.
    pub fn page(&self, site: Site, function: &str, parameters: &[(&str, &str)]) -> String {
        self.sites.page(site, function, parameters).into()
    }

    /// The address of a file among the pages.
    pub fn file(&self, site: Site, path: &str) -> String {
        format!("{}/{path}", self.origin(site))
    }

    /// The origin of a site, as pages see it.
    pub fn origin(&self, site: Site) -> String {
        self.sites.page(site, "", &[]).origin().ascii_serialization()
    }

    /// Opens a page in the window.
    ///
    /// # Panics
    /// If it cannot be opened.
    pub async fn open(&self, page: &str) {
        self.client.goto(page).await.expect("a page can be opened");
    }

    /// Looks at the frame that this selector of CSS finds, as soon as it is there. `enter_parent_frame` looks out again.
    ///
    /// # Panics
    /// If there is none in time.
    pub async fn enter(&self, frame: &str) {
        let found = self.client.wait().at_most(MOST_WAIT).every(LOOK_EVERY).for_element(Locator::Css(frame)).await;
        found.expect("the frame is there in time").enter_frame().await.expect("a frame can be entered");
    }

    /// Shows a page in a frame of this id, below what is looked at.
    ///
    /// # Panics
    /// If the page that is looked at cannot be told.
    pub async fn show(&self, id: &str, page: &str) {
        self.show_with(id, page, "").await;
    }

    /// As [`show`](Self::show), in a frame without an origin of its own.
    ///
    /// # Panics
    /// As there.
    pub async fn show_in_a_sandbox(&self, id: &str, page: &str) {
        self.show_with(id, page, "frame.sandbox = 'allow-scripts';").await;
    }

    async fn show_with(&self, id: &str, page: &str, settings: &str) {
        let frame = "const frame = document.createElement('iframe'); [frame.id, frame.src] = arguments;";
        let show = format!("{frame} {settings} document.body.append(frame)");
        let arguments = vec![id.into(), page.into()];
        self.client.execute(&show, arguments).await.expect("a frame can be shown");
    }

    /// Runs a script in what is looked at, and waits for nothing that it begins.
    ///
    /// # Panics
    /// If it throws.
    pub async fn tell(&self, script: &str) {
        self.client.execute(&format!("void ({script})"), Vec::new()).await.expect("the page does as it is told");
    }

    /// Waits until what a script returns is true, in what is looked at.
    ///
    /// # Panics
    /// If it is not in time. The message has what the page says.
    pub async fn wait_until(&self, claim: &str) {
        let started = Instant::now();
        let script = format!("return Boolean({claim})");
        while self.client.execute(&script, Vec::new()).await.expect("a page can be asked") != true {
            assert!(started.elapsed() < MOST_WAIT, "never: {claim}\n{}", self.ask("document.body.innerText").await);
            sleep(LOOK_EVERY).await;
        }
    }

    /// What an expression is worth, as text, in what is looked at.
    ///
    /// # Panics
    /// If the page cannot be asked, or it is no text.
    pub async fn ask(&self, expression: &str) -> String {
        let answer = self.client.execute(&format!("return String({expression})"), Vec::new()).await;
        answer.expect("a page can be asked").as_str().expect("it is a text").to_owned()
    }

    /// Looks at a frame inside this one, does something there, and looks out again.
    ///
    /// # Panics
    /// If there is no such frame in time.
    pub async fn inside(&self, frame: &str, act: impl AsyncFnOnce(&Self)) {
        self.enter(frame).await;
        act(self).await;
        self.client.enter_parent_frame().await.expect("what has a frame can be looked at");
    }

    /// What the page has reported, in the frame that is looked at.
    ///
    /// # Panics
    /// If the page cannot be asked.
    pub async fn lines(&self) -> Vec<String> {
        let lines = self.client.execute(LINES, Vec::new()).await.expect("a page can be asked");
        // Nothing comes from a page that another takes the place of meanwhile.
        serde_json::from_value::<Option<_>>(lines).expect("a page reports lines").unwrap_or_default()
    }

    /// Waits until the page has reported this.
    ///
    /// # Panics
    /// If it has reported an error or a panic before, and if it does not report this in time. The message has what it reported.
    pub async fn wait_for(&self, line: &str) {
        self.wait_for_one(line, |reported| reported == line).await;
    }

    /// Waits until the page has reported something that begins so: the whole of it.
    ///
    /// # Panics
    /// As [`wait_for`](Self::wait_for).
    pub async fn wait_for_start(&self, start: &str) -> String {
        self.wait_for_one(start, |reported| reported.starts_with(start)).await
    }

    /// Runs a script again and again, until the page has reported something that begins so.
    ///
    /// # Panics
    /// As [`wait_for`](Self::wait_for).
    pub async fn wait_until_says(&self, script: &str, start: &str) {
        let started = Instant::now();
        while !self.lines().await.iter().any(|line| line.starts_with(start)) {
            assert!(started.elapsed() < MOST_WAIT, "no {start:?}; the page has reported {:#?}", self.lines().await);
            self.tell(script).await;
            sleep(LOOK_EVERY).await;
        }
    }

    /// Whether what the console shows can be read.
    pub fn has_console(&self) -> bool {
        self.is_chromium
    }

    /// What the console has shown, in all pages, since it was asked last. Of Chromium only; the others tell nobody.
    ///
    /// # Panics
    /// If the browser cannot be asked.
    pub async fn console(&self) -> Vec<String> {
        if !self.is_chromium {
            return Vec::new();
        }
        let shown = self.client.issue_cmd(Command::Console).await.expect("the console can be asked for");
        let shown = shown.as_array().map(Vec::as_slice).unwrap_or_default();
        shown.iter().map(|entry| entry["message"].to_string()).collect()
    }

    /// Sets the size of what is looked at, in pixels, without scrollbars, and what its user prefers:
    /// `[("prefers-color-scheme", "dark")]`. In Chromium only; tells whether it is.
    ///
    /// # Panics
    /// If the browser does not do it.
    pub async fn pose(&self, (width, height): (u32, u32), preferences: &[(&str, &str)]) -> bool {
        if self.is_chromium {
            let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
            let preferences: Vec<_> =
                preferences.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
            let preferences = json!({ "features": preferences });
            let commands = [
                ("Emulation.setScrollbarsHidden", json!({ "hidden": true })),
                ("Emulation.setDeviceMetricsOverride", size),
                ("Emulation.setEmulatedMedia", preferences),
            ];
            for (name, parameters) in commands {
                let done = self.client.issue_cmd(Command::Protocol { name, parameters }).await;
                done.expect("Chromium can be made to look otherwise");
            }
        }
        self.is_chromium
    }

    async fn wait_for_one(&self, wanted: &str, is_it: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        loop {
            let lines = self.lines().await;
            if let Some(line) = lines.iter().find(|line| is_it(line)) {
                return line.clone();
            }
            let is_broken = lines.iter().any(|line| line.starts_with("error: "));
            assert!(!is_broken && started.elapsed() < MOST_WAIT, "no {wanted:?}; the page has reported {lines:#?}");
            sleep(LOOK_EVERY).await;
        }
    }
}

impl Deref for Browser {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

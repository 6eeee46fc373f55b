//! Windows that connect to each other by handover, as tests tell them to: `pages.connect(frames[0], …)`.
//!
//! What a page does when it is loaded is one of the functions without arguments; the others are called by a test.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    rc::Rc,
    time::Duration,
};

use futures::{StreamExt, future::join};
use handover::{
    context,
    wasm_window::{self, Acceptor, Ignored, Origins, Window},
};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::{
    desk::{Clerk, DeskClient, DeskServer, HELD},
    page::{parameter, report, window},
};

/// Whatever is called, once connected.
enum Desk {
    Window(Window<DeskClient>),
    /// Received from elsewhere.
    Right(DeskClient),
}

impl Desk {
    fn client(&self) -> &DeskClient {
        match self {
            Self::Window(window) => window,
            Self::Right(client) => client,
        }
    }
}

thread_local! {
    static ACCEPTOR: RefCell<Option<Rc<RefCell<Acceptor>>>> = RefCell::default();
    static DESK: RefCell<Option<Rc<Desk>>> = RefCell::default();
    static STARTED: Cell<f64> = const { Cell::new(0.0) };
}

fn origins(only: &str) -> Origins {
    if only == "*" { Origins::any_whatsoever() } else { Origins::only(only).expect("the test names an origin") }
}

fn desk() -> Rc<Desk> {
    DESK.with_borrow(Clone::clone).expect("the page is connected")
}

/// Does nothing until it is told.
#[wasm_bindgen]
pub fn waits() {
    report("loaded");
}

/// Accepts whom its address names.
#[wasm_bindgen]
pub fn accepts() {
    accept(&parameter("from"));
    report("loaded");
}

/// Connects to its parent.
#[wasm_bindgen]
pub async fn connects_to_its_parent() {
    report("loaded");
    let parent = window().parent().ok().flatten().expect("a window has a parent");
    connect(parent, parameter("only"), 10_000).await;
}

/// Lets those of an origin connect, and serves each.
#[wasm_bindgen]
pub fn accept(from: &str) {
    serve(wasm_window::accept(origins(from)));
}

/// As [`accept`], from one window.
#[wasm_bindgen]
pub fn accept_from(source: web_sys::Window, from: &str) {
    serve(wasm_window::accept_from(&source, origins(from)));
}

fn serve(acceptor: Acceptor) {
    let acceptor = Rc::new(RefCell::new(acceptor));
    ACCEPTOR.set(Some(acceptor.clone()));
    spawn_local(context::run(async move {
        while let Some(visitor) = poll_fn(|cx| acceptor.borrow_mut().poll_next_unpin(cx)).await {
            let origin = visitor.origin().to_string();
            report(&format!("accepted {origin}"));
            let options = visitor.serve_options();
            let port = visitor.into_client();
            context::spawn_local(async move {
                DeskServer::new(Clerk).with(options).serve(port).await;
                report(&format!("{origin} has gone"));
            });
        }
    }));
}

/// Connects to a window, and keeps the connection.
#[wasm_bindgen]
pub async fn connect(target: web_sys::Window, only: String, limit_ms: u32) {
    let limit = Duration::from_millis(limit_ms.into());
    match Window::<DeskClient>::connect_within(&target, origins(&only), limit).await {
        Ok(window) => {
            report(&format!("connected to {}", window.origin()));
            DESK.set(Some(Rc::new(Desk::Window(window))));
        }
        Err(why) => report(&format!("not connected: {why:?}")),
    }
}

/// Calls whoever it is connected to.
#[wasm_bindgen]
pub async fn call() {
    let desk = desk();
    match desk.client().add(2, 3).await {
        Ok(sum) => report(&format!("the sum is {sum}")),
        Err(why) => report(&format!("no sum: {why:?}")),
    }
    if let Ok(origin) = desk.client().who_calls().await {
        report(&format!("called by {origin}"));
    }
}

/// Makes a call that is not answered, and reports how it ends, and how long after [`begin`].
#[wasm_bindgen]
pub async fn call_for_ever() {
    let desk = desk();
    // Others come behind it, so it was sent.
    let calling = async { desk.client().add(1, 1).await.map(|_| report("calling")) };
    let (ended, _) = join(async { desk.client().wait_for_ever().await }, calling).await;
    report_end(format!("{ended:?}"));
}

/// Calls what ends in a panic.
#[wasm_bindgen]
pub async fn call_panic() {
    let ended = desk().client().panic().await;
    report_end(format!("{ended:?}"));
}

fn report_end(ended: String) {
    report(&format!("ended after {:.0} ms: {ended}", now() - STARTED.get()));
}

/// Something happens now.
#[wasm_bindgen]
pub fn begin() {
    STARTED.set(now());
}

fn now() -> f64 {
    window().performance().expect("a window has a clock").now()
}

/// Gets a right from whoever it is connected to, and has whoever that is connected to next keep it.
#[wasm_bindgen]
pub async fn fetch_a_right() {
    match desk().client().another().await {
        Ok(right) => {
            DESK.set(Some(Rc::new(Desk::Right(right))));
            report("fetched");
        }
        Err(why) => report(&format!("error: not fetched: {why:?}")),
    }
}

/// Connects to a window, and hands it the right that was fetched.
#[wasm_bindgen]
pub async fn hand_to(target: web_sys::Window, only: String) {
    let Some(desk) = DESK.take() else { return report("error: nothing was fetched") };
    let Some(Desk::Right(right)) = Rc::into_inner(desk) else { return report("error: it is still in use") };
    let window: Window<DeskClient> = match Window::connect(&target, origins(&only)).await {
        Ok(window) => window,
        Err(why) => return report(&format!("error: not connected: {why:?}")),
    };
    match window.hold(right).await {
        Ok(()) => report("handed on"),
        Err(why) => report(&format!("error: not handed on: {why:?}")),
    }
    DESK.set(Some(Rc::new(Desk::Window(window))));
}

/// Calls from now on what the page was given to hold.
#[wasm_bindgen]
pub fn take_what_is_held() {
    match HELD.take() {
        Some(right) => DESK.set(Some(Rc::new(Desk::Right(right)))),
        None => report("error: nothing is held"),
    }
}

/// What was left aside by whoever accepts here, or is connected.
#[wasm_bindgen]
pub fn ignored() {
    let accepted = ACCEPTOR.with_borrow(|acceptor| acceptor.as_ref().map(|acceptor| acceptor.borrow().ignored()));
    let connected = || match DESK.with_borrow(Clone::clone).as_deref() {
        Some(Desk::Window(window)) => Some(window.ignored()),
        Some(Desk::Right(_)) | None => None,
    };
    let Ignored { strangers, foreign, repeated, .. } = accepted.or_else(connected).unwrap_or_default();
    report(&format!("ignored {strangers} of strangers, {foreign} foreign, {repeated} repeated"));
}

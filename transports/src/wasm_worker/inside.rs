//! What runs in a worker.

use std::{future::poll_fn, task::Poll};

use futures::{StreamExt, channel::mpsc};
use handover_core::MessagePort;
use js_sys::{Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{DedicatedWorkerGlobalScope, EventTarget, MessageEvent, MessagePort as JsPort};

use crate::{
    browser::{self, Pace, Says},
    context::{self, Tasks},
};

/// Makes this worker a [context], in which `main` runs for everyone who connects: with that one's port. In a dedicated worker
/// this is its maker; in a shared one, everybody who has [connected](super::connect).
///
/// A dedicated worker closes when somebody has connected and everything in its context has ended: `main`, and what was
/// [spawned](context::spawn_local) there. A shared one is closed by the browser, when nobody is left who could use it.
///
/// # Panics
/// If this is no worker.
///
/// # Examples
/// ```no_run
/// # #[cfg(target_family = "wasm")] fn example() {
/// use handover_transports::wasm_worker;
///
/// // In a function that is exported by `#[wasm_bindgen]`.
/// wasm_worker::run(async |port| {
///     port.start();
///     while let Ok(message) = port.recv().await {
///         port.post_message(message).unwrap();
///     }
/// });
/// # }
/// ```
pub fn run<Fut: Future<Output = ()> + 'static>(main: impl Fn(MessagePort) -> Fut + 'static) {
    let (connected, connections) = mpsc::unbounded();
    let scope = js_sys::global();
    say_goodbye_before_closing(&scope);
    match scope.dyn_into::<DedicatedWorkerGlobalScope>() {
        Ok(scope) => {
            accept_at(scope.as_ref(), &connected);
            let _ready = scope.post_message(&Says::Ready.to_js(&[]));
            browser::spawn(Pace::Next, async move {
                let _closed = run_all(connections, &main).await;
                scope.close();
            });
        }
        Err(scope) => {
            let is_shared = Reflect::has(&scope, &JsValue::from_str("onconnect")).unwrap_or(false);
            assert!(is_shared, "this is no worker: `wasm_worker::run` is for what a worker has loaded");
            accept_shared(scope.unchecked_ref(), connected);
            browser::spawn(Pace::Next, async move {
                // Others may connect for as long as the browser lets it live.
                let mut connections = connections;
                loop {
                    connections = run_all(connections, &main).await;
                }
            });
        }
    }
}

/// Puts a goodbye before the scope's `close()`, whoever calls it: a browser may take two seconds and more to take a worker
/// down that has closed itself, and until then nobody can tell.
fn say_goodbye_before_closing(scope: &Object) {
    let name = JsValue::from_str("close");
    let Some(close) = Reflect::get(scope, &name).ok().and_then(|close| close.dyn_into::<Function>().ok()) else {
        return;
    };
    let this = scope.clone();
    let goodbye = Closure::<dyn FnMut()>::new(move || {
        browser::leave();
        let _closing = close.call0(&this);
    });
    let _is_plain = Reflect::set(scope, &name, &goodbye.into_js_value());
}

/// Hears of those who connect through the global scope of a shared worker.
fn accept_shared(scope: &EventTarget, connected: mpsc::UnboundedSender<MessagePort>) {
    let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let Ok(port) = event.ports().get(0).dyn_into::<JsPort>() else { return };
        accept_at(port.as_ref(), &connected);
        port.start();
        let _ready = port.post_message(&Says::Ready.to_js(&[]));
    });
    let _added = scope.add_event_listener_with_callback("connect", listener.into_js_value().unchecked_ref());
}

/// Hears of a port, at whoever may bring one.
fn accept_at(from: &EventTarget, connected: &mpsc::UnboundedSender<MessagePort>) {
    let connected = connected.clone();
    let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        if Says::read(&event.data()) != Some(Says::Connect) {
            return;
        }
        if let Ok(port) = event.ports().get(0).dyn_into::<JsPort>() {
            let _over = connected.unbounded_send(browser::port(port));
        }
    });
    let _added = from.add_event_listener_with_callback("message", listener.into_js_value().unchecked_ref());
}

/// Runs `main` for each connection, until there was one and everything in the context has ended.
async fn run_all<Fut: Future<Output = ()> + 'static>(
    mut connections: mpsc::UnboundedReceiver<MessagePort>,
    main: &impl Fn(MessagePort) -> Fut,
) -> mpsc::UnboundedReceiver<MessagePort> {
    let mut tasks = Tasks::default();
    let mut is_begun = false;
    poll_fn(|cx| {
        let _entered = tasks.spawner().enter();
        tasks.begin(cx);
        while let Poll::Ready(Some(port)) = connections.poll_next_unpin(cx) {
            is_begun = true;
            context::spawn_local(main(port));
        }
        let all_done = tasks.poll(cx).is_ready();
        if is_begun && all_done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    connections
}

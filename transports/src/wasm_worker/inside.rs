//! What runs in a worker.

use std::{cell::RefCell, future::poll_fn, rc::Rc, task::Poll};

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
    let close = say_goodbye_before_closing(&scope);
    match scope.dyn_into::<DedicatedWorkerGlobalScope>() {
        Ok(scope) => {
            let door = Door::new(connected);
            let here = scope.clone();
            door.accept_at(scope.as_ref(), move || drop(here.post_message(&browser::ready())));
            door.open();
            browser::spawn(Pace::Next, async move {
                let _closed = run_all(connections, &main).await;
                scope.close();
            });
        }
        Err(scope) => {
            let is_shared = Reflect::has(&scope, &JsValue::from_str("onconnect")).unwrap_or(false);
            assert!(is_shared, "this is no worker: `wasm_worker::run` is for what a worker has loaded");
            if let Some(close) = close {
                // Or it would go on being found by all who want it.
                browser::at_the_end(close);
            }
            accept_shared(scope.unchecked_ref(), Door::new(connected));
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
/// down that has closed itself, and until then nobody can tell. Gives what closes it without.
fn say_goodbye_before_closing(scope: &Object) -> Option<Function> {
    let name = JsValue::from_str("close");
    let close = Reflect::get(scope, &name).ok()?.dyn_into::<Function>().ok()?;
    let close = close.bind0(scope);
    let closing = close.clone();
    let goodbye = Closure::<dyn FnMut()>::new(move || {
        browser::leave();
        let _closing = closing.call0(&JsValue::UNDEFINED);
    });
    let _is_plain = Reflect::set(scope, &name, &goodbye.into_js_value());
    Some(close)
}

/// Hears of those who connect through the global scope of a shared worker.
fn accept_shared(scope: &EventTarget, door: Door) {
    door.open();
    let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let Ok(port) = event.ports().get(0).dyn_into::<JsPort>() else { return };
        let here = port.clone();
        door.accept_at(port.as_ref(), move || drop(here.post_message(&browser::ready())));
        port.start();
    });
    let _added = scope.add_event_listener_with_callback("connect", listener.into_js_value().unchecked_ref());
}

/// Where ports come in, of those who were told that this worker is ready.
#[derive(Clone)]
struct Door {
    connected: mpsc::UnboundedSender<MessagePort>,
    /// What tells those who came before it was; nothing since.
    waiting: Rc<RefCell<Option<Vec<Tell>>>>,
}

/// Tells somebody that the worker is ready.
type Tell = Rc<dyn Fn()>;

impl Door {
    fn new(connected: mpsc::UnboundedSender<MessagePort>) -> Self {
        Self { connected, waiting: Rc::new(RefCell::new(Some(Vec::new()))) }
    }

    /// The worker is ready as soon as others can see that it lives.
    fn open(&self) {
        let waiting = self.waiting.clone();
        browser::spawn(Pace::Next, async move {
            browser::can_be_seen().await;
            let all = waiting.take();
            all.into_iter().flatten().for_each(|tell| tell());
        });
    }

    /// Hears of a port, at whoever may bring one, and tells that one when this is ready, and whenever asked.
    fn accept_at(&self, from: &EventTarget, tell: impl Fn() + 'static) {
        let door = self.clone();
        let tell: Tell = Rc::new(tell);
        door.tell(&tell);
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if browser::is_over() {
                return;
            }
            match Says::read(&event.data()) {
                Some(Says::Hello) => door.tell(&tell),
                Some(Says::Connect) => {
                    if let Ok(port) = event.ports().get(0).dyn_into::<JsPort>() {
                        let _over = door.connected.unbounded_send(browser::port(port));
                    }
                }
                _ => {}
            }
        });
        let _added = from.add_event_listener_with_callback("message", listener.into_js_value().unchecked_ref());
    }

    fn tell(&self, tell: &Tell) {
        if browser::is_over() {
            return;
        }
        match &mut *self.waiting.borrow_mut() {
            Some(waiting) => waiting.push(tell.clone()),
            None => tell(),
        }
    }
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

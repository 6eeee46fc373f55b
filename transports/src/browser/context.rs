//! This context, as others know it: its name, the lock that lives as long as it does, and its last words.

use std::cell::{Cell, OnceCell};

use futures::{channel::oneshot, future::select};
use gloo_timers::{callback::Timeout, future::TimeoutFuture};
use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{ErrorEvent, Event, EventTarget};

use super::{
    bridge, js, locks,
    packet::{ContextId, Entry},
};

thread_local! {
    static HERE: Here = Here::new();
    /// How many calls of the browser's into this module have not come back.
    static ENTERED: Cell<usize> = const { Cell::new(0) };
    /// Whether the last words were said.
    static IS_OVER: Cell<bool> = const { Cell::new(false) };
    /// What is called after them.
    static AT_THE_END: OnceCell<Function> = const { OnceCell::new() };
}

/// What is said of this context.
struct Here {
    context: ContextId,
    has_lock: bool,
    /// Tells when it got it, if nobody has asked yet.
    granted: Cell<Option<oneshot::Receiver<()>>>,
}

impl Here {
    fn new() -> Self {
        let context = ContextId(js::random());
        let granted = locks::hold(context);
        report_panics();
        on("pagehide", |_| bridge::leave());
        on("unhandledrejection", |event| report_torn(&event));
        on("error", |event| look_after(event.dyn_ref::<ErrorEvent>().map(ErrorEvent::message)));
        Self { context, has_lock: granted.is_some(), granted: Cell::new(granted) }
    }
}

/// Tells who holds an end here.
pub(super) fn here() -> Entry<'static> {
    let (context, has_lock) = name_and_lock();
    Entry::Here { context, has_lock }
}

/// How others know this context, and whether it holds the lock of that name.
pub(super) fn name_and_lock() -> (ContextId, bool) {
    HERE.with(|here| (here.context, here.has_lock))
}

/// Waits until others can see the lock of this context, if they ever will: somebody who is busy before that looks as if they had gone.
#[cfg_attr(not(feature = "wasm-worker"), allow(dead_code, reason = "only workers wait for it"))]
pub(crate) async fn can_be_seen() {
    /// In milliseconds. Whoever has no storage may never be told.
    const LIMIT: u32 = 250;
    if let Some(granted) = HERE.with(|here| here.granted.take()) {
        select(granted, TimeoutFuture::new(LIMIT)).await;
    }
}

/// Whether this instance has panicked, or its stack was torn away: whoever comes now gets no answer.
#[cfg_attr(
    not(any(feature = "wasm-worker", feature = "wasm-window")),
    allow(dead_code, reason = "nobody else is let in")
)]
pub(crate) fn is_over() -> bool {
    IS_OVER.get() || std::thread::panicking()
}

/// Has a function of the browser's called when this instance has said its last words, or can say none.
#[cfg_attr(not(feature = "wasm-worker"), allow(dead_code, reason = "only workers have something to do then"))]
pub(crate) fn at_the_end(act: Function) {
    locks::when_this_cannot_be_entered(&act);
    let _only_one = AT_THE_END.with(|at_the_end| at_the_end.set(act));
}

/// Whether that is this context.
pub(super) fn is_here(context: ContextId) -> bool {
    HERE.with(|here| here.context == context)
}

fn on(event: &str, mut act: impl FnMut(Event) + 'static) {
    let target: EventTarget = js_sys::global().unchecked_into();
    let listener = Closure::<dyn FnMut(Event)>::new(move |event| {
        let _entered = Entered::new();
        act(event);
    });
    // It is there as long as the context is.
    let _added = target.add_event_listener_with_callback(event, listener.into_js_value().unchecked_ref());
}

/// Has the message of a panic told to everyone whom this context is connected to, before the panic ends the instance.
fn report_panics() {
    // An instance that has panicked before says no last words, and takes no hook.
    if std::thread::panicking() {
        return;
    }
    let former = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        last_words(panic.payload_as_str().unwrap_or("no message"));
        former(panic);
    }));
}

/// A promise was rejected, and nobody has asked. If a job of this module's has not come back, it was that one: then it is an error, as it
/// would be anywhere else, and whoever has made this worker hears of it.
fn report_torn(event: &Event) {
    // One is this listener's own.
    if ENTERED.get() > 1 {
        event.prevent_default();
        let reason = Reflect::get(event, &JsValue::from_str("reason")).unwrap_or_default();
        if js::report_error(&reason).is_err() {
            look_after(Some(js::words(&reason)));
        }
    }
}

/// An error came to the context's top. If calls into this module have not come back by the time when none can be under way, their
/// stack is gone, and so is what they were about: the instance ran out of memory or of stack, or something threw through it.
fn look_after(message: Option<String>) {
    Timeout::new(0, move || {
        if Entered::is_any() || crate::context::is_entered() || std::thread::panicking() {
            last_words(message.as_deref().unwrap_or("no message"));
        }
    })
    .forget();
}

/// Tells everyone how this context ends. Nothing that was under way is taken for whole.
fn last_words(said: &str) {
    IS_OVER.set(true);
    let words = format!("{} panicked: {said}", name());
    bridge::all().iter().for_each(|bridge| bridge.report_panic(&words));
    let _none = AT_THE_END.try_with(|act| act.get().map(|act| act.call0(&JsValue::UNDEFINED)));
}

/// What others may call this context.
fn name() -> String {
    let global = js_sys::global();
    if Reflect::has(&global, &JsValue::from_str("document")).unwrap_or(false) {
        return "the page".to_owned();
    }
    let name = Reflect::get(&global, &JsValue::from_str("name")).ok().and_then(|name| name.as_string());
    match name.as_deref() {
        None | Some("") => "the worker".to_owned(),
        Some(name) => format!("the worker `{name}`"),
    }
}

/// A call of the browser's into this module. It ends when its stack is unwound, and never if that is torn away.
pub(super) struct Entered;

impl Entered {
    pub(super) fn new() -> Self {
        ENTERED.set(ENTERED.get() + 1);
        Self
    }

    fn is_any() -> bool {
        ENTERED.get() > 0
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        ENTERED.set(ENTERED.get() - 1);
    }
}

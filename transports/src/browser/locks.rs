//! Web Locks as witnesses: whoever holds one lives, and whoever waits for it learns of the holder's death in some milliseconds.

use std::pin::pin;

use futures::{
    channel::oneshot,
    future::{self, Either},
};
use js_sys::{Function, Object, Promise};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

use super::{
    js::{self, LockManager},
    packet::ContextId,
};

fn name(context: ContextId) -> String {
    format!("handover {context}")
}

/// Holds the lock of this context as long as it lives. Tells when it was granted; `None` if there can be none.
pub(super) fn hold(context: ContextId) -> Option<oneshot::Receiver<()>> {
    let locks = js::locks()?;
    let (granted_in, granted) = oneshot::channel();
    let hold = Closure::once_into_js(move |_lock: JsValue| {
        let _nobody_waits = granted_in.send(());
        Promise::new(&mut |_, release| when_this_cannot_be_entered(&release))
    });
    let released = locks.request(&name(context), &Object::new(), hold.unchecked_ref()).ok()?;
    wasm_bindgen_futures::spawn_local(async {
        // Refused to a context without storage of its own, a sandboxed frame. Those who look for the lock will not find it.
        let _refused = JsFuture::from(released).await;
    });
    Some(granted)
}

/// Calls a function when an error has come to the context's top, after which this module can be entered no more: where its stack has
/// overflowed, it is as if that was full for ever, and whatever is called traps, also what would say so. So it has to be a function of the
/// browser's.
pub(super) fn when_this_cannot_be_entered(act: &Function) {
    let error = Promise::new(&mut |resolve, _| js::once(js_sys::global().unchecked_ref(), "error", &resolve));
    let again = act.clone();
    let enter = Closure::once_into_js(move |_error: JsValue| when_this_cannot_be_entered(&again));
    js::then_or_else(&error, enter.unchecked_ref(), act);
}

/// Whether another context holds the lock of that one, as far as can be seen from here.
pub(super) async fn is_held(context: ContextId) -> bool {
    let options = js::object(&[("mode", "shared".into()), ("ifAvailable", true.into())]);
    match js::locks() {
        Some(locks) => request(&locks, context, &options).await.is_some_and(|lock| lock.is_null()),
        None => false,
    }
}

/// Waits until the lock of a context is held no longer. False if that cannot be known, or nobody wants to know any more.
pub(super) async fn released(context: ContextId, signal: &AbortSignal) -> bool {
    let options = js::object(&[("mode", "shared".into()), ("signal", signal.into())]);
    match js::locks() {
        Some(locks) => request(&locks, context, &options).await.is_some(),
        None => false,
    }
}

/// Asks for a lock, and lets it go again: the lock as it was granted.
async fn request(locks: &LockManager, context: ContextId, options: &Object) -> Option<JsValue> {
    let (granted, is_granted) = oneshot::channel();
    let callback = Closure::once(move |lock: JsValue| drop(granted.send(lock)));
    let ended = locks.request(&name(context), options, callback.as_ref().unchecked_ref()).ok()?;
    match future::select(is_granted, pin!(JsFuture::from(ended))).await {
        Either::Left((granted, _)) => granted.ok(),
        // The callback has run before that, unless the request was refused.
        Either::Right((ended, mut is_granted)) => ended.ok().and_then(|_| is_granted.try_recv().ok().flatten()),
    }
}

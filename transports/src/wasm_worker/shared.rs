//! Shared workers of a browser: one for everybody of the same origin who names it.

use std::{pin::pin, rc::Rc, time::Duration};

use futures::{
    StreamExt,
    channel::mpsc,
    future::{Either, select},
};
use gloo_timers::future::TimeoutFuture;
use handover_core::{MessageChannel, MessagePort, panicking};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, MessageEvent, MessagePort as JsPort};

use super::{Script, SpawnError, worker::START_LIMIT};
use crate::browser::{self, Peer, Says};

/// How long a worker has to answer before it is asked by another connection, at first, in milliseconds. Each time is twice the one
/// before.
const FIRST_WAIT: u32 = 100;

/// Connects to the shared worker of that name, which is started if none runs, and hands back a client of what runs there.
///
/// Everybody of this origin who names the same script and the same name is connected to the same worker. It runs
/// [`run`](super::run), as any worker does, and lives as long as a page does that is connected to it; a page that goes only closes its
/// own ports. What is called before the worker is ready waits, and ends as not sent if it is not within half a minute.
///
/// # Errors
/// [`SpawnError`] if the script is an [export](Script::export), which has another address for each who loads it; or if the browser
/// refuses the address, or has no shared workers.
pub fn connect<C: From<MessagePort>>(name: &str, script: &Script) -> Result<C, SpawnError> {
    let (ours, near) = MessageChannel::new().into_ports();
    let worker = Attempt::new(name, script)?;
    let watch = Watch { name: name.to_owned(), script: script.clone() };
    wasm_bindgen_futures::spawn_local(watch.run(near, worker));
    Ok(ours.into())
}

/// One connection to the worker, which may have been made before the worker listened.
struct Attempt {
    worker: web_sys::SharedWorker,
    port: JsPort,
    told: mpsc::UnboundedReceiver<Told>,
    _onmessage: Closure<dyn FnMut(MessageEvent)>,
    _onerror: Closure<dyn FnMut(Event)>,
}

/// What a connection has told.
enum Told {
    /// Who that is, if it has said so.
    Ready(Option<Rc<Peer>>),
    /// There is no such script, or it has other settings than the worker that runs.
    Failed,
}

impl Attempt {
    fn new(name: &str, script: &Script) -> Result<Self, SpawnError> {
        let refused = |why: String| SpawnError::new(name, why);
        let worker = script.connect(name).ok_or_else(|| {
            refused("a shared worker needs a script at one address for all: use `Script::file`".to_owned())
        })?;
        let worker = worker.map_err(|error| refused(browser::words(&error)))?;
        let port = worker.port();
        let (told_in, told) = mpsc::unbounded();
        let failed = told_in.clone();
        let onmessage = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let data = event.data();
            if Says::read(&data) == Some(Says::Ready) {
                let _over = told_in.unbounded_send(Told::Ready(browser::who_is_ready(&data)));
            }
        });
        let onerror = Closure::<dyn FnMut(Event)>::new(move |_: Event| drop(failed.unbounded_send(Told::Failed)));
        worker.set_onerror(Some(onerror.as_ref().unchecked_ref()));
        port.set_onmessage(Some(onmessage.as_ref().unchecked_ref()));
        Ok(Self { worker, port, told, _onmessage: onmessage, _onerror: onerror })
    }

    fn connect(&self, near: MessagePort, who: Option<Rc<Peer>>) {
        let port = browser::into_js_for(near, who);
        let posted = self.port.post_message_with_transferable(&Says::Connect.to_js(&[]), &js_sys::Array::of1(&port));
        if let Err(error) = posted {
            tracing::warn!(error = %browser::words(&error), "the browser did not connect a shared worker");
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.worker.set_onerror(None);
        self.port.set_onmessage(None);
        self.port.close();
    }
}

/// What connects.
struct Watch {
    name: String,
    script: Script,
}

impl Watch {
    /// Tries again and again, for a worker that had not loaded has missed that somebody came.
    async fn run(self, near: MessagePort, first: Attempt) {
        let control = near.control();
        let mut ended = pin!(control.ended());
        let mut attempt = first;
        let mut wait = FIRST_WAIT;
        let mut waited = 0;
        let who = loop {
            let late = pin!(TimeoutFuture::new(wait));
            match select(attempt.told.next(), select(ended.as_mut(), late)).await {
                Either::Left((Some(Told::Ready(who)), _)) => break who,
                Either::Left((Some(Told::Failed) | None, _)) => {
                    return self.has_failed(near, "its script could not be loaded");
                }
                Either::Right((Either::Left(_), _)) => return drop(near),
                Either::Right((Either::Right(_), _)) => {
                    waited += wait;
                    wait *= 2;
                }
            }
            if Duration::from_millis(waited.into()) > START_LIMIT {
                return self.has_failed(near, "it was not ready in time");
            }
            attempt = match Attempt::new(&self.name, &self.script) {
                Ok(attempt) => attempt,
                Err(error) => return self.has_failed(near, &error.to_string()),
            };
        };
        attempt.connect(near, who);
        // The browser's object keeps the worker, so it is held as long as the port is.
        ended.await;
    }

    fn has_failed(&self, near: MessagePort, why: &str) {
        let said = format!("the shared worker `{}` did not start: {why}", self.name);
        tracing::error!("{said}");
        panicking::lose(&said, || drop(near));
    }
}

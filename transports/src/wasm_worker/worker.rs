//! A worker, as whoever has started it holds it.

use std::{cell::RefCell, fmt, ops::Deref, pin::pin, rc::Rc, time::Duration};

use futures::{
    StreamExt,
    channel::mpsc,
    future::{Either, select},
};
use gloo_timers::future::TimeoutFuture;
use handover_core::{MessageChannel, MessagePort, panicking, port::PortControl};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, MessageEvent};

use super::{ErrorEvent, Script, SpawnError};
use crate::browser::{self, Peer, Says};

/// How long a worker may take to load, where nothing else is said.
pub(super) const START_LIMIT: Duration = Duration::from_secs(30);

/// How long to wait for an adopted worker to be ready, until it is asked, in milliseconds.
const ASK_AFTER: u32 = 200;

/// How long an error before the worker is ready may be that of something else which runs there, in milliseconds: a worker that runs says soon
/// that it is ready.
const IN_DOUBT: u32 = 400;

/// A worker of the browser's, as whoever has started it holds it.
///
/// It is the client `C`, or the port, that leads there, and can be used as such. Dropping the handle drops that, and lets the worker go: it
/// ends when what runs there has.
pub struct Worker<C = MessagePort> {
    client: C,
    name: String,
    worker: web_sys::Worker,
    near: PortControl,
    errors: RefCell<mpsc::UnboundedReceiver<ErrorEvent>>,
}

impl<C: From<MessagePort>> Worker<C> {
    /// Starts a worker of that name. Two workers may have the same name.
    ///
    /// What is called before the worker is ready waits. If it is not ready within half a minute, it is terminated, and the calls
    /// that wait end as not sent.
    ///
    /// # Errors
    /// [`SpawnError`] if the browser refuses the script's address.
    pub fn spawn(name: &str, script: &Script) -> Result<Self, SpawnError> {
        Self::spawn_within(name, script, START_LIMIT)
    }

    /// As [`spawn`](Self::spawn), with that much time to load.
    ///
    /// # Errors
    /// As there.
    pub fn spawn_within(name: &str, script: &Script, limit: Duration) -> Result<Self, SpawnError> {
        let worker = script.start(name).map_err(|error| SpawnError::new(name, browser::words(&error)))?;
        Ok(Self::of(worker, name, limit))
    }

    /// Connects to a worker that was started otherwise, in a script: sooner or later it calls [`run`](super::run), or has already.
    ///
    /// As it may have said before that it is ready, when nobody listened, it is asked, a fifth of a second later, by the message
    /// `{ handover: 1, says: "hello" }`. A script of its own may leave that aside.
    pub fn adopt(worker: web_sys::Worker, name: &str) -> Self {
        let asked = worker.clone();
        wasm_bindgen_futures::spawn_local(async move {
            TimeoutFuture::new(ASK_AFTER).await;
            let _asked = asked.post_message(&Says::Hello.to_js(&[]));
        });
        Self::of(worker, name, START_LIMIT)
    }

    fn of(worker: web_sys::Worker, name: &str, limit: Duration) -> Self {
        let (ours, near) = MessageChannel::new().into_ports();
        let (errors_in, errors) = mpsc::unbounded();
        let control = near.control();
        let watch = Watch { worker: worker.clone(), name: name.to_owned(), errors: errors_in };
        wasm_bindgen_futures::spawn_local(watch.run(near, limit));
        Self { client: ours.into(), name: name.to_owned(), worker, near: control, errors: RefCell::new(errors) }
    }
}

impl<C> Worker<C> {
    /// The worker's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// [Terminates](https://html.spec.whatwg.org/multipage/workers.html#dom-worker-terminate) the worker, wherever its code is. Again
    /// is nothing.
    ///
    /// When this returns, nothing arrives any more that the worker has posted to this client. Calls that waited here end as not sent, and those that
    /// the worker had as unknown.
    pub fn terminate(&self) {
        self.worker.terminate();
        self.near.sever();
    }

    /// The next error in the worker; `None` once nothing leads there any more.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn next_error(&self) -> Option<ErrorEvent> {
        std::future::poll_fn(|cx| self.errors.borrow_mut().poll_next_unpin(cx)).await
    }

    /// The client, or the port. The worker is let go, as by a drop.
    pub fn into_client(self) -> C {
        self.client
    }

    /// The browser's object: what else there is to do with it.
    pub fn as_js(&self) -> &web_sys::Worker {
        &self.worker
    }
}

impl<C> Deref for Worker<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.client
    }
}

impl<C> fmt::Debug for Worker<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What looks after a worker, as long as a port leads there.
struct Watch {
    worker: web_sys::Worker,
    name: String,
    errors: mpsc::UnboundedSender<ErrorEvent>,
}

/// What a worker has told.
enum Told {
    /// Who that is, if it has said so.
    Ready(Option<Rc<Peer>>),
    Error(ErrorEvent),
}

impl Watch {
    async fn run(self, near: MessagePort, limit: Duration) {
        let (told_in, mut told) = mpsc::unbounded();
        let _listening = self.listen(told_in);
        let control = near.control();
        let mut ended = pin!(control.ended());
        let limit = browser::milliseconds(limit);
        let mut late = pin!(TimeoutFuture::new(limit));
        let ready = match select(told.next(), select(ended.as_mut(), late.as_mut())).await {
            Either::Left((Some(Told::Ready(who)), _)) => Ok(who),
            Either::Left((Some(Told::Error(error)), _)) => self.ready_after_all(error, &mut told).await,
            Either::Left((None, _)) | Either::Right((Either::Left(_), _)) => return self.let_go(near),
            Either::Right((Either::Right(_), _)) => Err(ErrorEvent::new(format!("it was not ready within {limit} ms"))),
        };
        match ready {
            Ok(who) => self.connect(near, who),
            Err(error) => return self.has_failed(near, error),
        }
        while let Either::Left((Some(told), _)) = select(told.next(), ended.as_mut()).await {
            if let Told::Error(error) = told {
                let _nobody_asks = self.errors.unbounded_send(error);
            }
        }
    }

    /// The worker after an error, which is only told of if it is ready soon.
    async fn ready_after_all(
        &self,
        error: ErrorEvent,
        told: &mut mpsc::UnboundedReceiver<Told>,
    ) -> Result<Option<Rc<Peer>>, ErrorEvent> {
        match select(told.next(), TimeoutFuture::new(IN_DOUBT)).await {
            Either::Left((Some(Told::Ready(who)), _)) => {
                let _nobody_asks = self.errors.unbounded_send(error);
                Ok(who)
            }
            Either::Left(_) | Either::Right(_) => Err(error),
        }
    }

    /// Hears what the worker says, until what comes back is dropped.
    fn listen(&self, told: mpsc::UnboundedSender<Told>) -> Listening {
        let ready = told.clone();
        let message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let data = event.data();
            if Says::read(&data) == Some(Says::Ready) {
                let _over = ready.unbounded_send(Told::Ready(browser::who_is_ready(&data)));
            }
        });
        let error = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            let _over = told.unbounded_send(Told::Error(error_of(&event)));
        });
        Listening::new(&self.worker, message, error)
    }

    fn connect(&self, near: MessagePort, who: Option<Rc<Peer>>) {
        let port = browser::into_js_for(near, who);
        let posted = self.worker.post_message_with_transfer(&Says::Connect.to_js(&[]), &js_sys::Array::of1(&port));
        if let Err(error) = posted {
            tracing::warn!(error = %browser::words(&error), "the browser did not connect a worker");
        }
    }

    fn has_failed(&self, near: MessagePort, error: ErrorEvent) {
        self.worker.terminate();
        // Without the place, which the event has beside it.
        let message = format!("the worker `{}` did not start: {}", self.name, error.message);
        let error = ErrorEvent { message, ..error };
        let said = error.to_string();
        tracing::error!("{said}");
        let _nobody_asks = self.errors.unbounded_send(error);
        panicking::lose(&said, || drop(near));
    }

    /// Nobody wants it any more, and it has not begun.
    fn let_go(&self, near: MessagePort) {
        self.worker.terminate();
        drop(near);
    }
}

fn error_of(event: &Event) -> ErrorEvent {
    match event.dyn_ref::<web_sys::ErrorEvent>() {
        Some(error) => ErrorEvent { message: error.message(), filename: error.filename(), line: error.lineno() },
        // What is fired if there is no script.
        None => ErrorEvent::new("its script could not be loaded"),
    }
}

/// Listeners at a worker, which are removed when this is dropped.
struct Listening {
    worker: web_sys::Worker,
    message: Closure<dyn FnMut(MessageEvent)>,
    error: Closure<dyn FnMut(Event)>,
}

impl Listening {
    fn new(
        worker: &web_sys::Worker,
        message: Closure<dyn FnMut(MessageEvent)>,
        error: Closure<dyn FnMut(Event)>,
    ) -> Self {
        let _added = worker.add_event_listener_with_callback("message", message.as_ref().unchecked_ref());
        let _added = worker.add_event_listener_with_callback("error", error.as_ref().unchecked_ref());
        Self { worker: worker.clone(), message, error }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let Self { worker, message, error } = self;
        let _removed = worker.remove_event_listener_with_callback("message", message.as_ref().unchecked_ref());
        let _removed = worker.remove_event_listener_with_callback("error", error.as_ref().unchecked_ref());
    }
}

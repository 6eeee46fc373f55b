//! Whoever connects to a window, and what comes of it.

use std::{
    cell::{Cell, RefCell},
    fmt,
    ops::Deref,
    rc::Rc,
    time::Duration,
};

use futures::{
    channel::oneshot,
    future::{Either, select},
};
use gloo_timers::future::TimeoutFuture;
use handover_core::{MessagePort, Origin, rpc::ServeOptions};
use js_sys::{Array, Object};
use wasm_bindgen::JsCast;
use web_sys::MessageEvent;

use super::{
    ConnectError, Ignored, Origins,
    inbox::{self, Inbox, Said, Sender},
    steps::{Aside, Connecting, OnReady},
};
use crate::browser;

/// How long it may take to connect, where nothing else is said.
const LIMIT: Duration = Duration::from_secs(30);

/// How long to wait between two attempts, at first and at most, in milliseconds. Each time is twice the one before.
const FIRST_WAIT: u32 = 50;
const LONGEST_WAIT: u32 = 1_000;

/// A window of the browser's, as whoever is connected to it holds it.
///
/// It is the client `C`, or the port, that leads there, and can be used as such. Dropping the handle drops that, and ends the connection.
pub struct Window<C = MessagePort> {
    client: C,
    origin: Origin,
    ignored: Rc<Cell<Ignored>>,
    /// What hears those who say again what they have said.
    _inbox: Option<Inbox>,
}

impl<C: From<MessagePort>> Window<C> {
    /// Connects to whoever [accepts](super::accept) in that window, and is of such an origin, within half a minute.
    ///
    /// # Errors
    /// [`ConnectError`] if nobody answers in time, or the window is closed first.
    /// # Cancel safety
    /// Dropping the future ends the attempt; a port that was offered is closed.
    ///
    /// # Examples
    /// ```no_run
    /// # #[cfg(target_family = "wasm")] async fn example(frame: web_sys::HtmlIFrameElement) -> Result<(), Box<dyn std::error::Error>> {
    /// use handover_core::MessagePort;
    /// use handover_transports::wasm_window::{Origins, Window};
    ///
    /// let in_the_frame = frame.content_window().ok_or("it is in no document")?;
    /// let contacts: Window<MessagePort> = Window::connect(&in_the_frame, Origins::only("https://contacts.example")?).await?;
    /// # drop(contacts);
    /// # Ok(()) }
    /// ```
    pub async fn connect(target: &web_sys::Window, origins: Origins) -> Result<Self, ConnectError> {
        Self::connect_within(target, origins, LIMIT).await
    }

    /// As [`connect`](Self::connect), within that time.
    ///
    /// # Errors
    /// As there.
    /// # Cancel safety
    /// As there.
    pub async fn connect_within(
        target: &web_sys::Window,
        origins: Origins,
        limit: Duration,
    ) -> Result<Self, ConnectError> {
        let (connected_in, connected) = oneshot::channel();
        let ignored = Rc::<Cell<Ignored>>::default();
        let offering = Rc::new(Offering {
            target: target.clone(),
            origins,
            connecting: RefCell::new(Connecting::Waiting),
            offered: RefCell::default(),
            connected: RefCell::new(Some(connected_in)),
            ignored: ignored.clone(),
        });
        let hears = offering.clone();
        let inbox = Inbox::new(move |event| hears.heard(&event));
        let (port, origin) = offering.attempt(connected, limit).await?;
        Ok(Self::new(port, &origin, ignored, Some(inbox)))
    }

    pub(super) fn new(port: MessagePort, origin: &str, ignored: Rc<Cell<Ignored>>, inbox: Option<Inbox>) -> Self {
        // What has no origin of its own is `null`.
        let origin = origin.parse().unwrap_or_else(|_| Origin::opaque());
        Self { client: port.into(), origin, ignored, _inbox: inbox }
    }
}

impl<C> Window<C> {
    /// The origin of whoever is at the other end, as the browser has told it.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// How to serve whoever is at the other end, so that a method learns its origin from its
    /// [`CallContext`](handover_core::rpc::CallContext::origin).
    pub fn serve_options(&self) -> ServeOptions {
        ServeOptions::default().caller(self.origin.clone())
    }

    /// What came to this window, and was left aside, while this side was connecting and since; for a window that was accepted,
    /// while it has been accepting.
    pub fn ignored(&self) -> Ignored {
        self.ignored.get()
    }

    /// The client, or the port.
    pub fn into_client(self) -> C {
        self.client
    }
}

impl<C> Deref for Window<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.client
    }
}

impl<C> fmt::Debug for Window<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, ignored, .. } = self;
        f.debug_struct("Window").field("origin", origin).field("ignored", ignored).finish_non_exhaustive()
    }
}

/// A port, and the origin of whoever has taken its other end.
type Connected = (MessagePort, String);

/// Somebody who wants to connect.
struct Offering {
    target: web_sys::Window,
    origins: Origins,
    connecting: RefCell<Connecting>,
    /// This end of what was offered.
    offered: RefCell<Option<MessagePort>>,
    connected: RefCell<Option<oneshot::Sender<Connected>>>,
    ignored: Rc<Cell<Ignored>>,
}

impl Offering {
    /// Asks again and again, for whoever is in the window may not listen yet.
    async fn attempt(
        &self,
        mut connected: oneshot::Receiver<Connected>,
        limit: Duration,
    ) -> Result<Connected, ConnectError> {
        let limit_ms = browser::milliseconds(limit);
        let mut waited = 0_u32;
        let mut next = FIRST_WAIT;
        let mut wait = 0;
        loop {
            match select(&mut connected, TimeoutFuture::new(wait)).await {
                Either::Left((Ok(connected), _)) => return Ok(connected),
                Either::Left((Err(oneshot::Canceled), _)) | Either::Right(_) => {}
            }
            waited = waited.saturating_add(wait);
            if self.target.closed().unwrap_or(true) {
                return Err(ConnectError::WindowClosed);
            }
            if waited >= limit_ms {
                let (origins, ignored) = (self.origins.clone(), self.ignored.get());
                return Err(ConnectError::TimedOut { limit, origins, ignored });
            }
            self.ask();
            wait = next.min(limit_ms - waited);
            next = (next * 2).min(LONGEST_WAIT);
        }
    }

    fn ask(&self) {
        inbox::call_out(&self.target, &Said::hello());
    }

    fn heard(&self, event: &MessageEvent) {
        if let Err(aside) = self.act_on(event) {
            inbox::count(&self.ignored, aside);
        }
    }

    fn act_on(&self, event: &MessageEvent) -> Result<(), Aside> {
        let sender = Sender::of(event, &self.origins, Some(&self.target)).ok_or(Aside::Stranger)?;
        match Said::read(event).ok_or(Aside::Foreign)? {
            Said::Ready { acceptor } => self.offer(&sender, &acceptor),
            Said::Accepted { connection } => {
                self.connecting.borrow_mut().accepted(&connection)?;
                let port = self.offered.take();
                if let (Some(port), Some(connected)) = (port, self.connected.take()) {
                    // Whoever asks no more has dropped this as well.
                    let _over = connected.send((port, sender.origin));
                }
                Ok(())
            }
            Said::Full { connection } => {
                self.connecting.borrow_mut().full(&connection)?;
                // It is asked for again.
                drop(self.offered.take());
                Ok(())
            }
            Said::Hello | Said::Connect { .. } => Err(Aside::Foreign),
        }
    }

    /// Offers one end of a new channel to somebody who is ready, and to whatever is in that window of that very origin (C23).
    fn offer(&self, to: &Sender, acceptor: &str) -> Result<(), Aside> {
        let connection = browser::new_id();
        let on_ready = self.connecting.borrow_mut().ready(acceptor, || connection.clone());
        if let OnReady::Leave(aside) = on_ready {
            return Err(aside);
        }
        let channel = web_sys::MessageChannel::new().expect("whoever runs in a browser can make channels");
        let former = self.offered.replace(Some(browser::port(channel.port1())));
        drop(former);
        to.answer(&Said::connect(acceptor, &connection), &Array::of1(&channel.port2()));
        Ok(())
    }
}

/// The windows that this one has come from, if there are any: its parent, and its opener.
pub(super) fn elders() -> Vec<web_sys::Window> {
    let Some(here) = web_sys::window() else { return Vec::new() };
    let parent = here.parent().ok().flatten().filter(|parent| !Object::is(parent, &here));
    let opener = here.opener().ok().filter(|opener| opener.is_object()).map(JsCast::unchecked_into);
    parent.into_iter().chain(opener).collect()
}

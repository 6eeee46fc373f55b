//! Whoever lets others connect.

use std::{
    cell::{Cell, RefCell},
    fmt,
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll},
};

use futures::{Stream, StreamExt, channel::mpsc};
use gloo_timers::future::TimeoutFuture;
use js_sys::Array;
use wasm_bindgen_futures::spawn_local;
use web_sys::MessageEvent;

use super::{
    Ignored, Origins, Window, connect,
    inbox::{self, Inbox, Said, Sender},
    steps::{Accepting, Aside},
};
use crate::browser;

/// How long to wait until it is said again that somebody accepts here, at first, in milliseconds. Each time is twice the one before.
const FIRST_WAIT: u32 = 50;

/// How often it is said.
const MOST_TIMES: u32 = 10;

/// Lets windows connect that are of such an origin.
///
/// The parent of this window and its opener, if they are of such an origin, are told that somebody accepts here; others have to ask.
///
/// # Examples
/// ```no_run
/// # #[cfg(target_family = "wasm")] async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use futures::StreamExt;
/// use handover_transports::wasm_window::{self, Origins};
///
/// let mut visitors = wasm_window::accept(Origins::only("https://social.example")?);
/// while let Some(visitor) = visitors.next().await {
///     let options = visitor.serve_options();
///     let port = visitor.into_client();
///     // … `context::spawn_local(ContactsServer::new(book.clone()).with(options).serve(port))`
///     # drop((options, port));
/// }
/// # Ok(()) }
/// ```
pub fn accept(origins: Origins) -> Acceptor {
    Acceptor::new(origins, None)
}

/// As [`accept`], from that window alone: for a frame that means its parent and none of its siblings.
pub fn accept_from(window: &web_sys::Window, origins: Origins) -> Acceptor {
    Acceptor::new(origins, Some(window.clone()))
}

/// The windows that connect to this one, each with its port. It does not end.
///
/// As many as 64 may have connected and wait to be taken from here; more are told to ask again. Dropping it lets nobody in any more, and ends no
/// connection that was taken.
pub struct Acceptor {
    door: Rc<Door>,
    visitors: mpsc::UnboundedReceiver<Window>,
    _inbox: Inbox,
}

impl Acceptor {
    fn new(origins: Origins, from: Option<web_sys::Window>) -> Self {
        // Bounded by those who may wait.
        let (entered, visitors) = mpsc::unbounded();
        let door = Rc::new(Door {
            origins,
            from,
            accepting: RefCell::new(Accepting::new(browser::new_id())),
            entered,
            ignored: Rc::default(),
        });
        let hears = door.clone();
        let inbox = Inbox::new(move |event| hears.heard(&event));
        spawn_local(announce(Rc::downgrade(&door)));
        Self { door, visitors, _inbox: inbox }
    }

    /// What came to this window, and was left aside.
    pub fn ignored(&self) -> Ignored {
        self.door.ignored.get()
    }
}

impl Stream for Acceptor {
    type Item = Window;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Window>> {
        let visitor = self.visitors.poll_next_unpin(cx);
        if let Poll::Ready(Some(_)) = visitor {
            self.door.accepting.borrow_mut().taken();
        }
        visitor
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Door { origins, ignored, .. } = &*self.door;
        f.debug_struct("Acceptor").field("origins", origins).field("ignored", ignored).finish_non_exhaustive()
    }
}

/// Where others come in.
struct Door {
    origins: Origins,
    from: Option<web_sys::Window>,
    accepting: RefCell<Accepting>,
    entered: mpsc::UnboundedSender<Window>,
    ignored: Rc<Cell<Ignored>>,
}

impl Door {
    fn heard(&self, event: &MessageEvent) {
        if browser::is_over() {
            return;
        }
        if let Err(aside) = self.act_on(event) {
            inbox::count(&self.ignored, aside);
        }
    }

    fn act_on(&self, event: &MessageEvent) -> Result<(), Aside> {
        let sender = Sender::of(event, &self.origins, self.from.as_ref()).ok_or(Aside::Stranger)?;
        match Said::read(event).ok_or(Aside::Foreign)? {
            Said::Hello => {
                sender.answer(&self.ready(), &Array::new());
                Ok(())
            }
            Said::Connect { acceptor, connection, port } => {
                if let Err(aside) = self.accepting.borrow_mut().connect(&acceptor, connection.clone()) {
                    if aside == Aside::Full {
                        sender.answer(&Said::full(&connection), &Array::new());
                    }
                    return Err(aside);
                }
                let visitor = Window::new(browser::port(port), &sender.origin, self.ignored.clone(), None);
                sender.answer(&Said::accepted(&connection), &Array::new());
                let _over = self.entered.unbounded_send(visitor);
                Ok(())
            }
            Said::Ready { .. } | Said::Accepted { .. } | Said::Full { .. } => Err(Aside::Foreign),
        }
    }

    fn ready(&self) -> wasm_bindgen::JsValue {
        Said::ready(self.accepting.borrow().acceptor())
    }

    /// Tells those who may be waiting for it that somebody accepts.
    fn announce(&self) {
        let waiting = self.from.as_ref().map_or_else(connect::elders, |from| vec![from.clone()]);
        for window in &waiting {
            inbox::call_out(window, &self.ready());
        }
    }
}

/// Says so until somebody has come: they may not listen yet.
async fn announce(door: Weak<Door>) {
    for time in 0..MOST_TIMES {
        match door.upgrade() {
            Some(door) if !door.accepting.borrow().is_known() => door.announce(),
            _ => return,
        }
        TimeoutFuture::new(FIRST_WAIT << time).await;
    }
}

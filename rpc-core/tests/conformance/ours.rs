//! Our own ports, with handlers, in an event loop of ours.

use std::{
    cell::RefCell,
    future::Future,
    mem,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures::{FutureExt, StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use handover_core::{
    Message, MessageChannel, MessagePort,
    event_loop::{EventLoop, PortTarget},
    message::MessageEvent,
};

use crate::port::{DataCloneError, Departure, Event, Port};

#[path = "rules/mod.rs"]
mod rules;

type UnderTest = Ours;

/// A port attached to the thread's event loop. The place is filled anew if the port comes back from a failed transfer.
#[derive(Clone)]
pub(crate) struct Ours(Rc<RefCell<PortTarget<Message>>>);

impl Ours {
    fn attach(port: MessagePort) -> Self {
        Self(Rc::new(RefCell::new(attach(port))))
    }

    fn target(&self) -> PortTarget<Message> {
        self.0.borrow().clone()
    }

    /// What a handler of ours is told, as the suite is.
    fn event(event: &mut MessageEvent<Message>) -> Event<Self> {
        let parts = mem::take(&mut event.data).into_parts();
        Event {
            text: String::from_utf8(parts.data).expect("the suite posts texts"),
            ports: parts.ports.into_iter().chain(event.ports.drain(..)).map(Self::attach).collect(),
            origin: event.origin.clone(),
            last_event_id: event.last_event_id.clone(),
            has_source: event.source.is_some(),
        }
    }
}

impl Port for Ours {
    fn channel() -> (Self, Self) {
        let (ours, theirs) = MessageChannel::new().into_ports();
        (Self::attach(ours), Self::attach(theirs))
    }

    fn post_with(&self, text: &str, ports: &[&Self]) -> Result<(), DataCloneError> {
        let taken: Vec<_> = ports.iter().map(|port| port.target().detach()).collect();
        let were_there: Vec<_> = ports.iter().zip(&taken).filter(|(_, taken)| taken.is_some()).collect();
        // A port that was moved away is no longer there to be listed at all.
        let is_whole = were_there.len() == ports.len();
        let places: Vec<_> = were_there.into_iter().map(|(port, _)| port.0.clone()).collect();
        let message = Message::new(text).with_ports(taken.into_iter().flatten());
        let refused = match is_whole {
            true => self.target().post_message(message).map_err(|error| error.into_rejected()),
            false => Err(message),
        };
        refused.map_err(|message| {
            for (place, port) in places.iter().zip(message.into_parts().ports) {
                place.replace(attach(port));
            }
            DataCloneError
        })
    }

    fn start(&self) {
        self.target().start();
    }

    fn close(&self) {
        self.target().close();
    }

    fn set_onmessage(&self, mut handler: impl FnMut(&Event<Self>) + 'static) {
        self.target().set_onmessage(move |event| handler(&Self::event(event)));
    }

    fn clear_onmessage(&self) {
        self.target().clear_onmessage();
    }

    fn set_onmessageerror(&self, mut handler: impl FnMut() + 'static) {
        self.target().set_onmessageerror(move |_| handler());
    }

    fn set_onclose(&self, mut handler: impl FnMut() + 'static) {
        self.target().set_onclose(move |_| handler());
    }

    fn add_listener(&self, mut listener: impl FnMut(&Event<Self>) + 'static) {
        self.target().add_listener(move |event| listener(&Self::event(event)));
    }

    fn spawn(future: impl Future<Output = ()> + 'static) {
        CONTEXT.with_borrow_mut(|context| context.spawned.push(future.boxed_local()));
    }

    async fn settle() {
        run_until_stalled();
    }

    fn is_known_for(_: Departure) -> bool {
        false
    }
}

/// An event loop, and what runs in between its tasks.
struct Here {
    event_loop: EventLoop,
    running: FuturesUnordered<LocalBoxFuture<'static, ()>>,
    spawned: Vec<LocalBoxFuture<'static, ()>>,
}

thread_local! {
    static CONTEXT: RefCell<Here> = {
        let event_loop = EventLoop::new();
        let spawned = vec![event_loop.run().map(drop).boxed_local()];
        RefCell::new(Here { event_loop, running: FuturesUnordered::new(), spawned })
    };
}

fn attach(port: MessagePort) -> PortTarget<Message> {
    CONTEXT.with_borrow(|context| context.event_loop.clone()).attach(port)
}

/// Runs this thread's loop, and the rest beside it, until nothing can go on.
fn run_until_stalled() {
    // Handlers attach and spawn, so nothing is borrowed while they run.
    let mut running = CONTEXT.with_borrow_mut(|context| mem::take(&mut context.running));
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut context = Context::from_waker(&waker);
    loop {
        running.extend(CONTEXT.with_borrow_mut(|context| mem::take(&mut context.spawned)));
        while let Poll::Ready(Some(())) = running.poll_next_unpin(&mut context) {}
        let is_quiet = CONTEXT.with_borrow(|context| context.spawned.is_empty());
        if !woken.0.swap(false, Ordering::Relaxed) && is_quiet {
            break;
        }
    }
    CONTEXT.with_borrow_mut(|context| context.running = running);
}

/// Whether anything was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

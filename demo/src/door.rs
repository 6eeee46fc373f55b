//! A port at which the provider is served, and that can be taken elsewhere.

use std::{cell::RefCell, collections::HashSet, pin::pin, rc::Rc};

use futures::{FutureExt, channel::oneshot, future::Either, select_biased};
use handover::{
    Granting, Message, MessageChannel, MessagePort, Revoker, context,
    wire::{CallId, Frame},
};

use crate::services::Line;

/// The doors of a provider. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Doors(Rc<RefCell<Vec<Door>>>);

/// One port: it leads out to whoever has the right, and in to where the right is looked after. Passing on what comes keeps the outer end free
/// to go: what waits in it goes along, and its holder notices nothing.
pub(crate) struct Door {
    pub(crate) line: Line,
    revoker: Revoker,
    stop: oneshot::Sender<()>,
    stopped: oneshot::Receiver<Ends>,
}

/// Both ends of a door that is used no more.
pub(crate) struct Ends {
    pub(crate) outer: MessagePort,
    pub(crate) inner: MessagePort,
}

impl Doors {
    /// Lets whoever has the other end of a port in, by a right that is about to be granted.
    pub(crate) fn open<C>(&self, line: Line, granting: Granting<C>, outer: MessagePort) {
        let (inner, served) = MessageChannel::new().into_ports();
        let revoker = granting.label(line.name()).serve_at(served);
        let (stop, is_stopped) = oneshot::channel();
        let (over, stopped) = oneshot::channel();
        context::spawn_local(async move {
            if let Some(ends) = pass(Ends { outer, inner }, is_stopped).await {
                let _nobody_waits = over.send(ends);
            }
        });
        self.0.borrow_mut().push(Door { line, revoker, stop, stopped });
    }

    /// Takes a right back. Whether it was there.
    pub(crate) fn revoke(&self, line: Line) -> bool {
        let revoker = self.0.borrow().iter().find(|door| door.line == line).map(|door| door.revoker.clone());
        revoker.map(|revoker| revoker.revoke()).is_some()
    }

    /// All of them, as they are now.
    pub(crate) fn take(&self) -> Vec<Door> {
        self.0.take()
    }
}

impl Door {
    /// Passes nothing on any more, once all that was passed in has been answered. `None` if nobody is left who could come.
    pub(crate) async fn close(self) -> Option<Ends> {
        let Self { line: _, revoker: _, stop, stopped } = self;
        let _it_is_over = stop.send(());
        stopped.await.ok()
    }
}

/// Passes on what comes at either end, until that closes, or until it is stopped and every call that went in has been answered.
async fn pass(ends: Ends, is_stopped: oneshot::Receiver<()>) -> Option<Ends> {
    ends.outer.start();
    ends.inner.start();
    let mut inside = HashSet::new();
    let mut is_stopped = is_stopped.fuse();
    let mut is_closing = false;
    loop {
        if is_closing && inside.is_empty() {
            return Some(ends);
        }
        let coming = if is_closing { Either::Left(std::future::pending()) } else { Either::Right(ends.outer.recv()) };
        select_biased! {
            answer = pin!(ends.inner.recv().fuse()) => {
                let answer = answer.ok()?;
                if let Some(call) = answered(&answer) {
                    inside.remove(&call);
                }
                ends.outer.post_message(answer).ok()?;
            }
            call = pin!(coming.fuse()) => {
                let call = call.ok()?;
                inside.extend(called(&call));
                ends.inner.post_message(call).ok()?;
            }
            _ = is_stopped => is_closing = true,
        }
    }
}

/// The call that this begins, if it wants an answer.
fn called(message: &Message) -> Option<CallId> {
    match Frame::parse(message.data()) {
        Ok(Frame::Call { id, .. }) => Some(id),
        Ok(_) | Err(_) => None,
    }
}

/// The call that this ends.
fn answered(message: &Message) -> Option<CallId> {
    match Frame::parse(message.data()) {
        Ok(Frame::Reply { id, .. } | Frame::Fault { id, .. }) => Some(id),
        Ok(_) | Err(_) => None,
    }
}

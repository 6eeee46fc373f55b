//! The handle on a service that is served at many ports.

use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use super::hub::Hub;
use crate::{
    MessagePort,
    port::WaiterKey,
    rpc::{Client, Granting, Revoker, grant::ROOT, inspector::ExportState},
    sync::Arc,
};

/// Makes clients of a service, and knows those that there are. Whoever has it has all rights on the service: it is the issuer's, and
/// cannot be sent.
///
/// Clones are handles on the same service, on whatever thread. As long as there is one, [`Hosting::serve`](super::Hosting::serve) goes
/// on.
pub struct Host<C> {
    hub: Arc<Hub>,
    client: PhantomData<fn() -> C>,
}

impl<C: From<MessagePort>> Host<C> {
    pub(in crate::rpc) fn new(hub: Arc<Hub>) -> Self {
        hub.add_host();
        Self { hub, client: PhantomData }
    }

    /// Makes a client with all rights on the service. If that is not served any more, the client is closed.
    pub fn client(&self) -> C {
        self.grant().client()
    }

    /// Serves one more port, with all rights for whoever has the other end: the port that a worker was started with, say.
    pub fn serve_at(&self, port: MessagePort) {
        self.grant().serve_at(port);
    }

    /// Makes a right that is less than all: [`Granting`] says how.
    pub fn grant(&self) -> Granting<C> {
        Granting::new(self.hub.clone(), ROOT, false)
    }

    /// Asks whoever serves to stop: [`Hosting::serve`](super::Hosting::serve) ends when the handlers that run have ended. Calls that are
    /// made meanwhile wait until it is served again. If nobody serves now, whoever does next stops at once.
    pub fn halt(&self) {
        self.hub.halt();
    }

    /// Waits until no client is left; at once, if there is none now, or if nothing is served any more.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub fn idle(&self) -> Idle<'_> {
        Idle { hub: &self.hub, key: None }
    }
}

impl<C> Host<C> {
    /// What was granted, and is not over: every right, also of those who have it by a clone.
    pub fn exports(&self) -> Vec<Export> {
        let revoker = |grant| Revoker::new(self.hub.clone(), Some(grant));
        self.hub.exports().into_iter().map(|(grant, state)| Export { state, revoker: revoker(grant) }).collect()
    }

    /// Knows a client of this service that comes back to it, and finds the right that was granted with it: by the channel that the
    /// client's port is an end of, wherever it has been, past all ports that were [joined](MessagePort::join). Nobody is asked, so nobody
    /// can pretend; a service that passes calls on to this one is not it.
    ///
    /// `None` of a client of anything else, of one whose right has ended, and of one that came out of a link of bytes: the other end of
    /// that port is the link's. A clone is known once it was attached, a client of what a call will return once that has: anything that
    /// was asked by it, as [`describe`](crate::Client::describe), comes after that.
    pub fn recognise(&self, client: &impl Client) -> Option<Export> {
        let grant = self.hub.right_of(&client.port().mark()?)?;
        let state = self.hub.export(grant)?;
        Some(Export { state, revoker: Revoker::new(self.hub.clone(), Some(grant)) })
    }

    pub(in crate::rpc) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// How many clients there are, those counted that are on their way.
    pub fn clients(&self) -> usize {
        self.hub.seats()
    }
}

impl<C> Clone for Host<C> {
    fn clone(&self) -> Self {
        self.hub.add_host();
        Self { hub: self.hub.clone(), client: PhantomData }
    }
}

impl<C> Drop for Host<C> {
    fn drop(&mut self) {
        self.hub.remove_host();
    }
}

impl<C> fmt::Debug for Host<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("clients", &self.clients()).finish_non_exhaustive()
    }
}

/// A right that was granted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Export {
    /// How it is now.
    pub state: ExportState,
    /// What takes it back.
    pub revoker: Revoker,
}

/// Waits until a service has no client. Made by [`Host::idle`].
#[must_use = "futures do nothing unless polled"]
pub struct Idle<'h> {
    hub: &'h Hub,
    key: Option<WaiterKey>,
}

impl Future for Idle<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let hub = self.hub;
        if hub.is_idle_or_register(&mut self.key, cx) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.hub.forget_waiter(key);
        }
    }
}

impl fmt::Debug for Idle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Idle")
    }
}

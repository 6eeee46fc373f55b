//! What counts those who are connected to a worker.

use std::sync::Weak;

use futures::{StreamExt, channel::mpsc, future, stream::FuturesUnordered};
use handover_core::port::PortControl;

use super::group::Workers;

/// Names one worker of a group: the name may be another's by the time it ends.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) workers: Weak<Workers>,
    pub(super) name: String,
    pub(super) id: u64,
}

/// Watches the ports of those who connect, in the worker's own context, until the worker takes no more and all have gone.
pub(super) async fn keep(mut connected: mpsc::UnboundedReceiver<PortControl>, place: Place) {
    let mut ports = FuturesUnordered::new();
    loop {
        // Endless, but for the end of the list of those who connect.
        let gone = async {
            match ports.next().await {
                Some(()) => (),
                None => future::pending().await,
            }
        };
        futures::pin_mut!(gone);
        match future::select(connected.next(), gone).await {
            future::Either::Left((Some(port), _)) => ports.push(watch(port)),
            future::Either::Left((None, _)) => return,
            future::Either::Right(((), _)) => place.left(),
        }
    }
}

async fn watch(port: PortControl) {
    port.ended().await;
}

impl Place {
    /// One of those who were connected has gone.
    fn left(&self) {
        if let Some(workers) = self.workers.upgrade() {
            workers.left(&self.name, self.id);
        }
    }
}

/// The right to the name, which is free again when the worker takes no more connections.
#[derive(Debug)]
pub(super) struct Tenancy(pub(super) Place);

impl Drop for Tenancy {
    fn drop(&mut self) {
        if let Some(workers) = self.0.workers.upgrade() {
            workers.remove(&self.0.name, self.0.id);
        }
    }
}

//! A service that is served at many ports, and can be moved.

use std::fmt;

use super::{hub::Hub, reception::Reception};
use crate::{
    rpc::{AuditEntry, Host, ServeOptions, Service, ServiceFacts, serve::serve_ports},
    sync::Arc,
};

/// Makes of a service what serves it, and a handle that makes clients of it.
///
/// What `ContactsServer::host` does.
pub fn host<S: Service, C: From<crate::MessagePort>>(
    object: S::Object,
    options: ServeOptions,
) -> (Host<C>, Hosting<S>) {
    let options = options.of_context();
    let most_clients = options.settings().all_clients;
    let hub = Hub::new(options, most_clients, const { &ServiceFacts::of::<S>() }, None);
    (Host::new(hub.clone()), Hosting { object, reception: Reception::new(hub.clone()), hub })
}

/// A service, with all the ports at which it is served: a value, which can be moved to where it is to be served.
///
/// Nothing runs until it is [served](Self::serve); calls that are made before that wait. Dropping it closes its ports.
#[must_use = "nothing is served unless `serve` is awaited"]
pub struct Hosting<S: Service> {
    object: S::Object,
    hub: Arc<Hub>,
    reception: Reception,
}

impl<S: Service> Hosting<S> {
    /// Serves, here, until every port is closed, nobody waits for a handler any more, and no [`Host`] is left: then there is `None`. Or
    /// until [`Host::halt`] asks for it, and the handlers that run have ended: then it gives itself back, to be served elsewhere.
    ///
    /// Rights, and what they have left, move along (C7), and so does what came and was not begun: it waits, in order, and its callers
    /// notice nothing (C15, C17). Calls run as [`serve`](crate::rpc::serve) says.
    ///
    /// # Cancel safety
    /// Dropping the future ends all calls, and closes the ports.
    pub async fn serve(self) -> Option<Self> {
        let Self { object, hub, mut reception } = self;
        let object = serve_ports::<S>(object, None, &mut reception).await?;
        hub.resume();
        hub.settings().audit.note(|| AuditEntry::Moved);
        Some(Self { object, hub, reception })
    }

    /// The object whose methods are called.
    pub fn object(&self) -> &S::Object {
        &self.object
    }
}

impl<S: Service> fmt::Debug for Hosting<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosting").field("service", &S::DESCRIPTION.name).finish_non_exhaustive()
    }
}

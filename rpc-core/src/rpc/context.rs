//! What a method can know of the call that it answers.

use std::{any::Any, fmt, time::Duration};

use super::{
    CallInfo, Client, Granting, Metadata, MetadataError, Metadatum, MethodId, ServiceClient, current,
    grant::{GrantKey, ROOT, Terms},
    host::Hub,
};
use crate::{
    clock::{Clock, Sleep},
    sync::Arc,
};

/// What a method can know of the call that it answers, beside the arguments. A method that takes one as its first parameter gets
/// it; its callers do not see that.
///
/// Cheap to clone, and may be kept.
#[derive(Clone)]
pub struct CallContext(Arc<Inner>);

struct Inner {
    info: CallInfo,
    expiry: Option<Expiry>,
    caller: Option<Caller>,
    issuer: Option<Issuer>,
}

/// What makes grants for whoever has called.
#[derive(Clone)]
pub(super) struct Issuer {
    pub(super) hub: Arc<Hub>,
    /// The right that the call came by.
    pub(super) grant: GrantKey,
    /// `None`: all that the service has.
    pub(super) terms: Option<Arc<Terms>>,
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("grant", &self.grant).finish_non_exhaustive()
    }
}

/// What the service knows of whoever holds the other end of the port.
pub(super) type Caller = Arc<dyn Any + Send + Sync>;

impl CallContext {
    pub(super) fn new(info: CallInfo, expiry: Option<Expiry>, caller: Option<Caller>, issuer: Option<Issuer>) -> Self {
        Self(Arc::new(Inner { info, expiry, caller, issuer }))
    }

    /// The context of the method whose handler is being polled, if it has any to tell of: a deadline, metadata, a caller, or
    /// interceptors that watch it.
    pub fn current() -> Option<Self> {
        current::context()
    }

    /// Whether a call is being answered here of which there is anything to know.
    /// Which method was called.
    pub fn method(&self) -> MethodId {
        self.0.info.method
    }

    /// How the method is named in the trait.
    pub fn name(&self) -> &'static str {
        self.0.info.name
    }

    /// How much time is left for the call; none if its deadline has passed. `None` if it has no deadline, or if this context has
    /// no [clock](crate::clock).
    ///
    /// Calls that are made while the method runs end by then too.
    pub fn remaining(&self) -> Option<Duration> {
        self.0.expiry.as_ref().map(Expiry::remaining)
    }

    /// What the caller sent beside the arguments under the name of `M`.
    ///
    /// # Errors
    /// [`MetadataError::Unreadable`] if it is of another type.
    pub fn metadata<M: Metadatum>(&self) -> Result<Option<M>, MetadataError> {
        self.0.info.metadata.get()
    }

    /// All that the caller sent beside the arguments.
    pub fn all_metadata(&self) -> &Metadata {
        &self.0.info.metadata
    }

    /// What [`ServeOptions::caller`](super::ServeOptions::caller) said of whoever holds the other end of the port. It comes from
    /// whoever serves, and never from a message.
    pub fn caller<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.caller.as_ref()?.downcast_ref()
    }

    /// Makes a right on this service, out of the one that the call came by: it is never more than that, takes from what that has left,
    /// and ends with it. `C` is the client of this service, of one of its super-services, or a view of one: then it is on the methods
    /// of that. If it is none of these, nothing is granted, and the calls of the client are refused as
    /// [`Refusal::Denied`](super::Refusal::Denied).
    pub fn grant<C: ServiceClient>(&self) -> Granting<C> {
        match &self.0.issuer {
            Some(issuer) => Granting::new(issuer.hub.clone(), issuer.grant, true).of_the_service(),
            // A service that was written by hand, whose method did not say that it takes a context.
            None => Granting::new(Hub::over(), ROOT, true),
        }
    }

    /// Whether a client leads to the service that runs the method: see [`Host::recognise`](super::Host::recognise).
    pub fn recognises(&self, client: &impl Client) -> bool {
        let issuer = self.0.issuer.as_ref();
        issuer.zip(client.port().mark()).is_some_and(|(issuer, port)| issuer.hub.right_of(&port).is_some())
    }

    /// What the issuer calls the right that the call came by, whatever the caller says (C24): see [`Granting::label`](super::Granting::label). Empty if it has no name.
    pub fn label(&self) -> &str {
        self.0.issuer.as_ref().map_or("", |issuer| Terms::of(issuer.terms.as_ref()).label())
    }

    /// The origin of the caller, where the port was served with one.
    #[cfg(feature = "windows")]
    pub fn origin(&self) -> Option<&crate::Origin> {
        self.caller()
    }

    pub(super) fn info(&self) -> &CallInfo {
        &self.0.info
    }

    pub(super) fn expiry(&self) -> Option<&Expiry> {
        self.0.expiry.as_ref()
    }
}

impl fmt::Debug for CallContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallContext")
            .field("name", &self.name())
            .field("remaining", &self.remaining())
            .field("metadata", self.all_metadata())
            .finish_non_exhaustive()
    }
}

/// When a call is over, by the clock of this context.
#[derive(Clone)]
pub(super) struct Expiry {
    clock: Arc<dyn Clock>,
    at: Duration,
}

impl Expiry {
    /// That much later than now. `None` if there is no clock.
    pub(super) fn after(left: Duration) -> Option<Self> {
        let clock = crate::clock::current()?;
        let at = clock.now().saturating_add(left.min(crate::clock::LONGEST));
        Some(Self { clock, at })
    }

    pub(super) fn remaining(&self) -> Duration {
        self.at.saturating_sub(self.clock.now())
    }

    pub(super) fn sleep(&self) -> Sleep {
        self.clock.sleep_until(self.at)
    }
}

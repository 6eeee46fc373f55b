//! Making a right that is less than the one it is made from.

use std::{fmt, marker::PhantomData, time::Duration};

use super::{GrantKey, Limits, Narrower, Rate, Revoker, RevokerGroup};
use crate::{
    MessageChannel, MessagePort,
    rpc::{
        CallInfo, MethodId, Refusal, ServiceClient, View, farewell::farewell, frame::Fault, host::Hub,
        membrane::Membrane,
    },
    sync::Arc,
};

/// A right that is about to be granted: all that the giver has, but for what is said here. Made by
/// [`Host::grant`](crate::rpc::Host::grant) and [`CallContext::grant`](crate::rpc::CallContext::grant).
///
/// Every limit is kept at the service, whatever the holder sends and whomever it passes the right on to; each has a reason of its own
/// that the caller gets. What is made from a right, by `clone` or otherwise, takes from what that has left.
///
/// # Examples
/// With a service that `#[service]` made, and its host:
/// `host.grant().only([ContactsMethod::Add]).calls(1).expires(Duration::from_secs(60)).label("game").client()`.
#[must_use = "nothing is granted until a client is made"]
pub struct Granting<C> {
    hub: Arc<Hub>,
    parent: GrantKey,
    limits: Limits,
    narrower: Narrower,
    groups: Vec<RevokerGroup>,
    is_asked_for: bool,
    has_membrane: bool,
    /// Why nothing is granted, if so.
    refused: Option<Refusal>,
    client: PhantomData<fn() -> C>,
}

impl<C> Granting<C> {
    /// What the holder of a right may make of it, or, if it is asked for, what a service may make for the holder.
    pub(in crate::rpc) fn new(hub: Arc<Hub>, parent: GrantKey, is_asked_for: bool) -> Self {
        Self {
            hub,
            parent,
            limits: Limits::default(),
            narrower: Narrower::default(),
            groups: Vec::new(),
            is_asked_for,
            has_membrane: false,
            refused: None,
            client: PhantomData,
        }
    }

    /// Only these methods. The others are not there for the holder: calls are refused as
    /// [`Refusal::UnknownMethod`](crate::rpc::Refusal::UnknownMethod), and a description does not have them. Said twice, those count that
    /// were named both times.
    ///
    /// Of a service `Contacts`, `#[service]` has made an enum of the names, `ContactsMethod`.
    pub fn only<M: Into<MethodId>>(mut self, methods: impl IntoIterator<Item = M>) -> Self {
        self.limits.name_methods(methods.into_iter().map(Into::into).collect());
        self
    }

    /// Only the methods of that client, which is the one that is granted: of a super-service, or of a `#[service(view_of = …)]`.
    ///
    /// `let reader: ContactsReaderClient = host.grant().view().client()`.
    pub fn view<V: View<C>>(self) -> Granting<V> {
        let Self { hub, parent, limits, narrower, groups, is_asked_for, has_membrane, refused, client: _ } =
            self.only(V::METHODS.ids());
        Granting { hub, parent, limits, narrower, groups, is_asked_for, has_membrane, refused, client: PhantomData }
    }

    /// At most so many calls; others are refused as [`Refusal::NoCallsLeft`](crate::rpc::Refusal::NoCallsLeft). A call counts when its
    /// method begins.
    pub fn calls(mut self, calls: u64) -> Self {
        self.limits.calls = Some(calls);
        self
    }

    /// At most so many calls at once, and then one more for each such part of the time; others are refused as
    /// [`Refusal::TooFast`](crate::rpc::Refusal::TooFast).
    ///
    /// It is never exceeded. Where 64 calls or more may come at once, the clock is not asked for each of them, and up to one in 64, sixteen at the
    /// most, may be refused of a burst that comes right after slower calls.
    ///
    /// Limits of time are by the clock of the context in which the service was made. Where there is [none](crate::clock::current),
    /// every call of a right that has one is refused, as [`Refusal::Expired`](crate::rpc::Refusal::Expired).
    pub fn rate(mut self, calls: u32, per: Duration) -> Self {
        self.limits.rate = Some(Rate { calls, per });
        self
    }

    /// At most so many bytes under way: of calls, until the answer was delivered, and of answers, until the client has read them. What
    /// would be more is refused as [`Refusal::TooManyBytes`](crate::rpc::Refusal::TooManyBytes); how much an answer will be is not known
    /// before, so the last one may be more than is left. It counts what was encoded: calls that stay in the process have no bytes.
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.limits.bytes = Some(bytes);
        self
    }

    /// Ends the right after so long: as if it was revoked, but the reason is [`Refusal::Expired`](crate::rpc::Refusal::Expired), and
    /// [`Interruption::Expired`](crate::rpc::Interruption::Expired) for calls that run.
    pub fn expires(mut self, after: Duration) -> Self {
        self.limits.expires = Some(after);
        self
    }

    /// Ends the right, as [`expires`](Self::expires) does, when nothing was called by it, and by what was made from it, for so long.
    pub fn idle(mut self, after: Duration) -> Self {
        self.limits.idle = Some(after);
        self
    }

    /// Asks `check` about every call, after its arguments were read. If it says no, the call is refused as
    /// [`Refusal::Denied`](crate::rpc::Refusal::Denied) with what it says, and counts nowhere. It runs where the service does, never under
    /// a lock; what it panics with is a no.
    pub fn check(mut self, check: impl Fn(&CallInfo) -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.narrower.checks.push(Arc::new(check));
        self
    }

    /// At most so many clients may be made from it at a time, by clones, clones of those, and grants that the service makes for its
    /// holder; calls of others are refused as [`Refusal::TooManyClients`](crate::rpc::Refusal::TooManyClients). In place of
    /// [`ServeOptions::max_clients`](crate::rpc::ServeOptions::max_clients).
    pub fn clones(mut self, clients: u32) -> Self {
        self.limits.clones = Some(clients);
        self
    }

    /// What it is called in what is written for people, and in [`CallContext::label`](crate::rpc::CallContext::label). It is no key to
    /// anything. What is made from it is called the same, unless it gets a label of its own.
    pub fn label(mut self, label: impl Into<Arc<str>>) -> Self {
        self.narrower.label = Some(label.into());
        self
    }

    /// Lays a membrane between the holder and the service: what the holder obtains by this right – clients, streams, ports, by results and by what
    /// it is called with, and all that is obtained by those – ends with the right, and so does what the service obtains from the holder.
    /// What comes home is what it was before it left, and known as that: by [`Host::recognise`](crate::rpc::Host::recognise), for one.
    ///
    /// Calls that run through a client that was obtained end as [`Interruption::Revoked`](crate::rpc::Interruption::Revoked) when the right is
    /// revoked, and later ones as [`Refusal::Revoked`](crate::rpc::Refusal::Revoked), at once; what another thread is posting at that moment
    /// may still pass. What has passed as data stays where it is. Calls through a membrane travel as bytes, so they cost more;
    /// nothing is spawned for them. At most 65 536 ports may lie across at a time; others are closed as they cross.
    pub fn membrane(mut self) -> Self {
        self.has_membrane = true;
        self
    }

    /// Lets it be taken back with others.
    pub fn group(mut self, group: &RevokerGroup) -> Self {
        self.groups.push(group.clone());
        self
    }

    /// Serves one more port by this right: whoever has the other end is its holder.
    pub fn serve_at(self, port: MessagePort) -> Revoker {
        let Self { hub, parent, limits, narrower, groups, is_asked_for, has_membrane, refused, client: _ } = self;
        if let Some(refusal) = refused {
            farewell(&port, Fault::Refused(refusal));
            return Revoker::new(hub, None);
        }
        let membrane = has_membrane.then(Membrane::new);
        let port = match &membrane {
            Some(membrane) => membrane.before(port),
            None => port,
        };
        let grant = hub.grant(port, parent, &limits, narrower, is_asked_for, membrane);
        let revoker = Revoker::new(hub, grant);
        groups.iter().for_each(|group| group.add(revoker.clone()));
        revoker
    }
}

impl<C: ServiceClient> Granting<C> {
    /// Only if `C` calls what the service has, and then only what `C` calls.
    pub(in crate::rpc) fn of_the_service(mut self) -> Self {
        let methods = &self.hub.facts.methods;
        if methods.service.is_empty() {
            // A service that was written by hand: what it does not have is refused anyway.
            return self;
        }
        if !C::METHODS.is_within(methods) {
            let why = format!("the service is a `{}`, and no `{}`", methods.service, C::METHODS.service);
            tracing::error!(why, "a right was to be granted on what is not served");
            self.refused = Some(Refusal::Denied(why));
        }
        self.only(C::METHODS.ids())
    }
}

impl<C: From<MessagePort>> Granting<C> {
    /// Grants it, to whoever has this client.
    ///
    /// Where that cannot be – what it is made from was taken back, there are too many clients, nothing is served any more – the calls of
    /// the client say why.
    pub fn client(self) -> C {
        self.revocable().0
    }

    /// Grants it, to whoever has this client, and as long as whoever has the revoker wants.
    pub fn revocable(self) -> (C, Revoker) {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let revoker = self.serve_at(ours);
        (C::from(theirs), revoker)
    }
}

impl<C> fmt::Debug for Granting<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Granting").field("limits", &self.limits).finish_non_exhaustive()
    }
}

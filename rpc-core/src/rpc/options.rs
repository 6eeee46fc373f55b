//! What a client and a service can be told to do with every call.

use std::{any::Any, fmt, time::Duration};

use super::{
    Audit,
    around::Around,
    audit::Auditor,
    context::Caller,
    frame::Window,
    interceptor::{Interceptor, Interceptors},
};
use crate::sync::Arc;

/// What a client does with every call. The default: nothing.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use handover_core::rpc::ClientOptions;
///
/// let options = ClientOptions::default().deadline(Duration::from_secs(5));
/// # drop(options);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ClientOptions {
    pub(super) deadline: Option<Duration>,
    pub(super) interceptors: Interceptors,
}

impl ClientOptions {
    /// Gives each call that has no deadline of its own this one. [`Call::deadline`](super::Call::deadline) says what it means.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Shows each call to an interceptor too. They see it in the order in which they were added.
    #[must_use]
    pub fn interceptor(mut self, interceptor: impl Interceptor + 'static) -> Self {
        self.interceptors.push(Arc::new(interceptor));
        self
    }

    /// As [`interceptor`](Self::interceptor), for one that is shared.
    #[must_use]
    pub fn shared_interceptor(mut self, interceptor: Arc<dyn Interceptor>) -> Self {
        self.interceptors.push(interceptor);
        self
    }

    pub(super) fn is_plain(&self) -> bool {
        self.deadline.is_none() && self.interceptors.is_empty()
    }
}

/// How a service is served, at all of its ports together. The default: at most 16 384 calls run at a time, at most 65 536 more of at most 64 MiB
/// wait for their turn, and nothing else is done with them.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use handover_core::rpc::ServeOptions;
///
/// let options = ServeOptions::default().max_calls(16).deadline(Duration::from_secs(5));
/// # drop(options);
/// ```
#[derive(Clone, Default)]
pub struct ServeOptions(Option<Box<Settings>>);

/// What was said of how a service is to be served. Nearly always nothing was, so it is out of the way.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) running: usize,
    pub(super) waiting: usize,
    pub(super) waiting_bytes: usize,
    pub(super) unread: usize,
    pub(super) clients: u32,
    pub(super) all_clients: u32,
    pub(super) window: Option<Window>,
    pub(super) deadline: Option<Duration>,
    pub(super) interceptors: Interceptors,
    pub(super) caller: Option<Caller>,
    pub(super) around: Option<Arc<dyn Around>>,
    pub(super) audit: Auditor,
}

/// Where nothing was said.
static PLAIN: Settings = Settings::PLAIN;

impl Settings {
    const PLAIN: Self = Self {
        running: 16_384,
        waiting: 65_536,
        waiting_bytes: 64 << 20,
        unread: 64 << 20,
        clients: 4096,
        all_clients: 1 << 20,
        window: None,
        deadline: None,
        interceptors: Interceptors::NONE,
        caller: None,
        around: None,
        audit: Auditor::NONE,
    };

    fn window(&self) -> Window {
        self.window.unwrap_or(Window { calls: u32::try_from(self.running).unwrap_or(u32::MAX), bytes: u64::MAX })
    }

    /// Whether there is nothing to do for a call that brings no options.
    pub(super) fn is_plain(&self) -> bool {
        let is_watched = !self.interceptors.is_empty() || self.around.is_some() || !self.audit.is_none();
        self.deadline.is_none() && self.caller.is_none() && !is_watched
    }
}

impl ServeOptions {
    /// Runs at most so many calls at a time, one at least. The client at the other end is told, and keeps further calls until
    /// earlier ones have ended; those that were sent before it knew wait here.
    ///
    /// Calls that a method makes to its own caller go by another port, or count there: so methods may call back however small this
    /// is. Only a method that, through others, calls itself at the same port more deeply than this waits for itself.
    #[must_use]
    pub fn max_calls(mut self, calls: u32) -> Self {
        let settings = self.change();
        settings.running = usize::try_from(calls.max(1)).unwrap_or(usize::MAX);
        settings.window = Some(Window { calls: calls.max(1), ..settings.window() });
        self
    }

    /// Takes arguments of so many bytes at a time; one more call as long as there are fewer. It counts what was encoded: calls that
    /// stay in the process have no bytes. The client at the other end is told.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        let settings = self.change();
        settings.window = Some(Window { bytes: bytes.max(1), ..settings.window() });
        self
    }

    /// Lets so many calls wait for their turn, of so many bytes. Others are refused as
    /// [`Refusal::Overloaded`](super::Refusal::Overloaded).
    #[must_use]
    pub fn max_waiting(mut self, calls: usize, bytes: usize) -> Self {
        let settings = self.change();
        (settings.waiting, settings.waiting_bytes) = (calls, bytes);
        self
    }

    /// Lets about so many bytes of answers wait to be read by one client, each counted for 64 more than it has; one more answer as
    /// long as there are fewer. A client that does not read is closed then, and what was made from it goes on, as do all others (C21).
    /// Answers that stay in the process wait for nobody. The default: 64 MiB.
    #[must_use]
    pub fn max_unread(mut self, bytes: usize) -> Self {
        self.change().unread = bytes;
        self
    }

    /// Lets so many clients be made at a time from one client, by clones, clones of those, and grants; and so many clients
    /// of the service in all. The calls of others are refused as [`Refusal::TooManyClients`](super::Refusal::TooManyClients). What a
    /// [`Host`](super::Host) makes is counted, and not limited. The default: 4096, and 1 048 576.
    #[must_use]
    pub fn max_clients(mut self, of_one: u32, of_all: u32) -> Self {
        let settings = self.change();
        (settings.clients, settings.all_clients) = (of_one, of_all);
        self
    }

    /// Gives each call that comes with more time, or without a deadline, this one.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.change().deadline = Some(deadline);
        self
    }

    /// Shows each call to an interceptor too. They see it in the order in which they were added.
    #[must_use]
    pub fn interceptor(mut self, interceptor: impl Interceptor + 'static) -> Self {
        self.change().interceptors.push(Arc::new(interceptor));
        self
    }

    /// As [`interceptor`](Self::interceptor), for one that is shared.
    #[must_use]
    pub fn shared_interceptor(mut self, interceptor: Arc<dyn Interceptor>) -> Self {
        self.change().interceptors.push(interceptor);
        self
    }

    /// Says who holds the other end of the port, for [`CallContext::caller`](super::CallContext::caller): an origin, an account,
    /// the label of a grant.
    #[must_use]
    pub fn caller<T: Any + Send + Sync>(mut self, caller: T) -> Self {
        self.change().caller = Some(Arc::new(caller));
        self
    }

    /// Tells of everything that becomes of the rights on the service, in place of who was told before.
    #[must_use]
    pub fn audit(mut self, audit: impl Audit + 'static) -> Self {
        self.change().audit = Auditor::new(audit);
        self
    }

    /// What was said.
    #[inline]
    pub(super) fn settings(&self) -> &Settings {
        self.0.as_deref().unwrap_or(&PLAIN)
    }

    pub(super) fn change(&mut self) -> &mut Settings {
        self.0.get_or_insert_with(|| Box::new(Settings::PLAIN))
    }

    /// The same, with the interceptors of the context before its own.
    pub(super) fn of_context(mut self) -> Self {
        if let Some(interceptors) = self.settings().interceptors.with_those_of_context() {
            self.change().interceptors = interceptors;
        }
        self
    }
}

impl fmt::Debug for ServeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.settings();
        f.debug_struct("ServeOptions")
            .field("running", &settings.running)
            .field("waiting", &settings.waiting)
            .field("window", &settings.window)
            .field("deadline", &settings.deadline)
            .field("interceptors", &settings.interceptors)
            .field("has_caller", &settings.caller.is_some())
            .field("has_layers", &settings.around.is_some())
            .field("is_audited", &!settings.audit.is_none())
            .finish_non_exhaustive()
    }
}

//! Code of the user's that sees every call of a client, or of a service: to log, count, authorise, refuse, or add metadata.

use std::{
    cell::RefCell,
    fmt,
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::{CallError, CallInfo, CallSide, MethodId, Refusal};
use crate::{panicking::words_of, sync::Arc};

/// Sees calls before they are sent or run, and after they have ended. The same trait for both sides, and for one-way calls, which
/// have ended for their caller when they were posted.
///
/// It is called in the context of the client or of the service, never under a lock, and should be quick: the call waits for it.
///
/// # Examples
/// ```
/// use handover_core::rpc::{CallInfo, Interceptor, Metadatum};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Token(String);
///
/// impl Metadatum for Token {
///     const NAME: &'static str = "token";
/// }
///
/// /// Lets nobody in who does not know the word.
/// struct Doorkeeper;
///
/// impl Interceptor for Doorkeeper {
///     fn before(&self, call: &mut CallInfo) -> Result<(), String> {
///         match call.metadata.get::<Token>() {
///             Ok(Some(Token(word))) if word == "sesame" => Ok(()),
///             _ => Err("say the word".into()),
///         }
///     }
/// }
/// ```
pub trait Interceptor: Send + Sync {
    /// Sees a call before it is sent, or before its method begins. May change its metadata and shorten its deadline.
    ///
    /// # Errors
    /// Why the call is not to be made: its caller gets it as `NotSent::Denied` or `Refusal::Denied`. The interceptors that saw it
    /// before are told of that by [`after`](Self::after).
    fn before(&self, call: &mut CallInfo) -> Result<(), String> {
        let _ = call;
        Ok(())
    }

    /// Sees a call when it has ended. Once for each call that [`before`](Self::before) let through.
    fn after(&self, call: &CallInfo, outcome: &Outcome) {
        let _ = (call, outcome);
    }

    /// Sees, at a service, a call that was refused before [`before`](Self::before) could be asked: one too many, of an unknown
    /// method, with arguments that cannot be read. Neither `before` nor [`after`](Self::after) is told of it.
    fn refused(&self, method: MethodId, refusal: &Refusal) {
        let _ = (method, refusal);
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The method returned a value; or a one-way call was posted, or has run.
    Returned,
    /// The method returned its own error.
    ServiceError,
    /// There is no result.
    Failed(CallError),
    /// The caller waited no longer.
    Cancelled,
}

impl Outcome {
    /// Of a method that has returned.
    pub(super) fn of_result<T, E>(result: &Result<T, E>) -> Self {
        match result {
            Ok(_) => Self::Returned,
            Err(_) => Self::ServiceError,
        }
    }

    /// A word for it, one of a few: for a label of a metric, or a field of a span.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Returned => "returned",
            Self::ServiceError => "service_error",
            Self::Failed(CallError::NotSent(_)) => "not_sent",
            Self::Failed(CallError::Refused(_)) => "refused",
            Self::Failed(CallError::Unknown(_)) => "unknown",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Interceptors, in the order in which they see a call before; after, it is the other way round.
#[derive(Clone, Default)]
pub(super) struct Interceptors(Option<Arc<[Arc<dyn Interceptor>]>>);

impl Interceptors {
    pub(super) const NONE: Self = Self(None);

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn push(&mut self, interceptor: Arc<dyn Interceptor>) {
        self.0 = Some(self.iter().cloned().chain([interceptor]).collect());
    }

    /// These, after those of the context. `None` if that has none.
    pub(super) fn with_those_of_context(&self) -> Option<Self> {
        let installed = INSTALLED.with_borrow(|installed| installed.0.clone())?;
        Some(match &self.0 {
            None => Self(Some(installed)),
            Some(own) => Self(Some(installed.iter().chain(own.iter()).cloned().collect())),
        })
    }

    /// Shows a call to all of them; up to the one that denies it.
    pub(super) fn before(&self, call: &mut CallInfo) -> Result<(), String> {
        for (seen, interceptor) in self.iter().enumerate() {
            if let Err(why) = interceptor.before(call) {
                let outcome = Outcome::Failed(denied(call.side, &why));
                self.iter().take(seen).rev().for_each(|interceptor| interceptor.after(call, &outcome));
                return Err(why);
            }
        }
        Ok(())
    }

    pub(super) fn after(&self, call: &CallInfo, outcome: &Outcome) {
        self.iter().rev().for_each(|interceptor| interceptor.after(call, outcome));
    }

    pub(super) fn refused(&self, method: MethodId, refusal: &Refusal) {
        self.iter().for_each(|interceptor| guarded(|| interceptor.refused(method, refusal)));
    }

    fn iter(&self) -> std::slice::Iter<'_, Arc<dyn Interceptor>> {
        self.0.as_deref().unwrap_or_default().iter()
    }
}

/// Runs what an interceptor does at a service. If it panics, that ends nothing but itself.
pub(super) fn guarded(seen: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(seen)) {
        tracing::error!(message = words_of(&*panic), "an interceptor panicked");
    }
}

/// What the caller of a call that was denied at this end gets.
pub(super) fn denied(side: CallSide, why: &str) -> CallError {
    match side {
        CallSide::Caller => CallError::NotSent(super::NotSent::Denied(why.to_owned())),
        CallSide::Service => CallError::Refused(super::Refusal::Denied(why.to_owned())),
    }
}

impl fmt::Debug for Interceptors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} interceptors", self.iter().len())
    }
}

thread_local! {
    static INSTALLED: RefCell<Interceptors> = const { RefCell::new(Interceptors::NONE) };
}

/// Shows an interceptor every call of the clients and services that this thread makes, until what is returned is dropped. It sees
/// them before those of the client or the service itself do.
pub fn install(interceptor: Arc<dyn Interceptor>) -> Installed {
    let former = INSTALLED.with_borrow(Interceptors::clone);
    let mut installed = former.clone();
    installed.push(interceptor);
    INSTALLED.set(installed);
    Installed { former, here: PhantomData }
}

/// An interceptor is installed as long as this lives. Where one is installed after another, the later one is to be dropped first.
#[must_use = "the interceptor is removed when this is dropped"]
#[derive(Debug)]
pub struct Installed {
    former: Interceptors,
    /// It belongs to the thread that it was made on.
    here: PhantomData<*const ()>,
}

impl Drop for Installed {
    fn drop(&mut self) {
        let removed = INSTALLED.replace(std::mem::take(&mut self.former));
        drop(removed);
    }
}

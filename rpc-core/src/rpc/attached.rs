//! What few calls have, at the service's end: a deadline, metadata, interceptors that watch.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Poll},
    time::Duration,
};

use super::{
    AuditEntry, CallContext, CallInfo, Outcome, Refusal,
    audit::Auditor,
    call_info::Arrival,
    context::Expiry,
    desk::Desk,
    frame::Options,
    grant::GrantKey,
    interceptor::{Interceptors, guarded},
};
use crate::{clock::Sleep, panicking::words_of};

/// What came beside the arguments of one call, and who watches it.
pub(super) struct Attached {
    context: CallContext,
    interceptors: Interceptors,
    auditor: Auditor,
    /// By which right it came.
    grant: GrantKey,
    sleep: Option<Sleep>,
}

impl Attached {
    /// Shows the call to the interceptors, and settles its deadline.
    pub(super) fn new(
        mut info: CallInfo,
        options: Options,
        arrival: Option<&Arrival>,
        desk: &Desk,
    ) -> Result<Self, Refusal> {
        let settings = desk.settings();
        info.metadata = options.metadata;
        info.deadline = options.deadline.into_iter().chain(settings.deadline).min();
        let interceptors = settings.interceptors.clone();
        if !interceptors.is_empty() {
            info.begin();
            if let Some(arrival) = arrival {
                info.came(arrival);
            }
            let seen = catch_unwind(AssertUnwindSafe(|| interceptors.before(&mut info)));
            let seen = seen.unwrap_or_else(|panic| Err(words_of(&*panic))).map_err(Refusal::Denied);
            if let Err(refusal) = seen {
                settings.audit.refused(desk.grant, info.method, &refusal);
                return Err(refusal);
            }
        }
        let checked = catch_unwind(AssertUnwindSafe(|| desk.terms().check(&info)));
        let checked = checked.unwrap_or_else(|panic| Err(words_of(&*panic))).map_err(Refusal::Denied);
        // Without a clock the deadline is the caller's alone to keep.
        let expiry = info.deadline.and_then(Expiry::after);
        let is_late = info.deadline == Some(Duration::ZERO);
        let context = CallContext::new(info, expiry, settings.caller.clone(), Some(desk.issuer()));
        let (auditor, grant) = (settings.audit.clone(), desk.grant);
        let attached = Self { context, interceptors, auditor, grant, sleep: None };
        let checked = checked.and(if is_late { Err(Refusal::DeadlineExceeded) } else { Ok(()) });
        if let Err(refusal) = checked {
            attached.end(&Outcome::Failed(super::CallError::Refused(refusal.clone())));
            return Err(refusal);
        }
        Ok(attached)
    }

    pub(super) fn context(&self) -> &CallContext {
        &self.context
    }

    /// Ready when the call's time is up. Polled only when its handler waits.
    pub(super) fn poll_expiry(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(expiry) = self.context.expiry() else { return Poll::Pending };
        self.sleep.get_or_insert_with(|| expiry.sleep()).as_mut().poll(cx)
    }

    /// Shows the interceptors how the call ended, and whoever audits. One that panics ends nothing but itself.
    pub(super) fn end(&self, outcome: &Outcome) {
        guarded(|| self.interceptors.after(self.context.info(), outcome));
        self.auditor.note(|| AuditEntry::of_call(self.grant, self.context.info(), outcome));
    }
}

impl fmt::Debug for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.context.fmt(f)
    }
}

//! What few calls have, at their caller's end: options, a deadline, interceptors that watch.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use super::{
    CallContext, CallError, CallInfo, CallSide, ClientStub, Metadata, MetadataError, Metadatum, NotSent, Outcome,
    call_info::{Signature, Traffic},
    context::Expiry,
    current,
    frame::Options,
    interceptor::denied,
    report::in_one_line,
};
use crate::clock::Sleep;

/// What is said beside the arguments of one call, and who watches it.
#[derive(Default)]
pub(super) struct Outgoing {
    deadline: Option<Duration>,
    metadata: Metadata,
    unsent: Option<MetadataError>,
    expiry: Option<Expiry>,
    sleep: Option<Sleep>,
    /// What the interceptors saw before, and see after. Only if there are any.
    info: Option<CallInfo>,
}

impl Outgoing {
    pub(super) fn set_deadline(&mut self, deadline: Duration) {
        self.deadline = Some(deadline);
    }

    pub(super) fn insert<M: Metadatum>(&mut self, value: &M) {
        if let Err(error) = self.metadata.insert(value) {
            self.unsent.get_or_insert(error);
        }
    }

    /// Settles the options of a call that is about to be sent: its own, the client's, and what it inherits from the call that is
    /// being answered. `None` if there are none.
    #[inline]
    pub(super) fn prepare(
        place: &mut Option<Box<Self>>,
        stub: &ClientStub,
        signature: impl FnOnce() -> Signature,
        is_oneway: bool,
    ) -> Result<Option<Box<Options>>, CallError> {
        if place.is_none() && stub.options().is_none() && !current::is_any() {
            return Ok(None);
        }
        Self::settle(place, stub, signature, is_oneway)
    }

    fn settle(
        place: &mut Option<Box<Self>>,
        stub: &ClientStub,
        signature: impl FnOnce() -> Signature,
        is_oneway: bool,
    ) -> Result<Option<Box<Options>>, CallError> {
        let inherited = CallContext::current().and_then(|context| context.remaining());
        let options = stub.options();
        if place.is_none() && inherited.is_none() && options.is_none() {
            return Ok(None);
        }
        let this = place.get_or_insert_default();
        if let Some(error) = this.unsent.take() {
            return Err(CallError::NotSent(NotSent::Unencodable(in_one_line(&error))));
        }
        let own = this.deadline.or_else(|| options.and_then(|options| options.deadline));
        this.deadline = own.into_iter().chain(inherited).min();
        if let Some(options) = options
            && !options.interceptors.is_empty()
        {
            let mut info = CallInfo::new(CallSide::Caller, signature());
            info.is_oneway = is_oneway;
            info.begin();
            info.deadline = this.deadline;
            info.metadata = std::mem::take(&mut this.metadata);
            options.interceptors.before(&mut info).map_err(|why| denied(CallSide::Caller, &why))?;
            this.deadline = this.deadline.into_iter().chain(info.deadline).min();
            this.metadata = info.metadata.clone();
            this.info = Some(info);
        }
        if let Some(deadline) = this.deadline {
            let expiry = Expiry::after(deadline).ok_or(CallError::NotSent(NotSent::NoClock))?;
            this.expiry = Some(expiry);
        }
        let metadata = std::mem::take(&mut this.metadata);
        // A one-way call runs to its end, however long it waited for its turn.
        let deadline = this.deadline.filter(|_| !is_oneway);
        let options = Options { deadline, metadata, shape: None };
        Ok(options.boxed())
    }

    /// Ready when the call's time is up. Polled only when it has no reply yet.
    pub(super) fn poll_expiry(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(expiry) = &self.expiry else { return Poll::Pending };
        self.sleep.get_or_insert_with(|| expiry.sleep()).as_mut().poll(cx)
    }

    /// What the call's polls are in.
    pub(super) fn span(&self) -> &tracing::Span {
        static NONE: tracing::Span = tracing::Span::none();
        self.info.as_ref().map_or(&NONE, |info| &info.span)
    }

    /// The call is sent now.
    pub(super) fn sent(&mut self) {
        if let Some(info) = &mut self.info {
            info.sent_now();
        }
    }

    /// Shows the interceptors how the call ended, and what of it went as bytes.
    pub(super) fn end(self, stub: &ClientStub, traffic: Option<&Traffic>, outcome: impl FnOnce() -> Outcome) {
        if let (Some(info), Some(options)) = (&self.info, stub.options()) {
            if let Some(traffic) = traffic {
                info.traffic().has_had(traffic);
            }
            options.interceptors.after(info, &outcome());
        }
    }
}

//! What a call may have beside its caller and its handler.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tracing::span::EnteredSpan;

use super::{
    CallError, CallInfo, CallSide, Interruption, Method, MethodId, Outcome, Refusal,
    around::Surrounded,
    arrived::Came,
    attached::Attached,
    call_info::Signature,
    codec::Facts,
    context::Issuer,
    current::{self, Left},
    describe::Describe,
    desk::{At, Desk},
    duty::Stop,
    frame::{CallId, Options},
    held::Held,
    outbox::Outbox,
    same::Same,
};
use crate::{Message, panicking, stream::Cut};

/// What a call may have beside its caller. It knows nothing of the method's types, so what is done with it is there once, and not once for
/// each method.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// What few calls have.
    pub(super) aside: Option<Box<Aside>>,
    /// What those have that came by another port than the first, with the right that this is, once they wait.
    pub(super) held: Option<Box<Held>>,
}

/// What few calls have, out of the way of those that have nothing of it.
#[derive(Debug, Default)]
pub(super) struct Aside {
    pub(super) few: Option<Few>,
    pub(super) streams: Streams,
    /// What the method can make grants with, if its call came to the first port.
    issuer: Option<Issuer>,
}

/// What those have that bring streams or bring them back.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// Where a reply goes that is sent before the handler has ended.
    pub(super) outbox: Option<Outbox>,
    /// The streams in the arguments, which may be cut.
    pub(super) cuts: Vec<Cut>,
}

/// What those have that come with a deadline or with metadata, or that somebody watches or surrounds.
#[derive(Debug)]
pub(super) struct Few {
    pub(super) attached: Attached,
    /// What fewer have.
    pub(super) layers: Option<Surrounded>,
    /// Whether an ordered call has had its turn.
    has_begun: bool,
}

impl Beside {
    #[inline]
    pub(super) fn few(&self) -> Option<&Few> {
        self.aside.as_ref()?.few.as_ref()
    }

    #[inline]
    pub(super) fn few_mut(&mut self) -> Option<&mut Few> {
        self.aside.as_mut()?.few.as_mut()
    }

    /// What is around the handler, which nearly none has.
    #[inline]
    pub(super) fn layers(&mut self) -> Option<&mut Surrounded> {
        self.few_mut()?.layers.as_mut()
    }

    pub(super) fn streams(&mut self) -> &mut Streams {
        &mut self.aside.get_or_insert_default().streams
    }

    /// Whether there is nothing, as with nearly every call.
    #[inline]
    pub(super) fn is_nothing(&self) -> bool {
        self.aside.is_none() && self.held.is_none()
    }

    /// Notes what came beside the arguments, and shows the call to the interceptors.
    ///
    /// # Errors
    /// Why the call is not to be run.
    pub(super) fn attach(
        &mut self,
        facts: &Facts,
        options: Option<Box<Options>>,
        came: &Came,
        id: Option<CallId>,
        is_oneway: bool,
        desk: At<'_>,
    ) -> Result<(), Refusal> {
        match desk.beside_first() {
            Some(desk) => self.held = Some(Box::new(Held::new(desk))),
            None if facts.takes_context => self.aside.get_or_insert_default().issuer = Some(desk.issuer()),
            None => {}
        }
        if options.is_some() || !desk.is_unwatched {
            let info = info(&facts.signature, is_oneway, id, came.bytes);
            self.attach_few(options.map(|options| *options).unwrap_or_default(), came, info, desk)?;
        }
        let Some(held) = &mut self.held else { return Ok(()) };
        let is_free = is_free(facts.signature.method);
        let claimed = if is_free { held.may_ask() } else { held.claim(came.bytes, facts.is_ordered) };
        claimed.inspect_err(|refusal| report_refusal(&desk, facts.signature.name, refusal))
    }

    #[cold]
    fn attach_few(&mut self, options: Options, came: &Came, info: CallInfo, desk: At<'_>) -> Result<(), Refusal> {
        let attached = Attached::new(info, options, came.arrival.as_deref(), &desk)?;
        let around = desk.settings().around.as_deref();
        let layers = around.map(|around| Surrounded::new(around, attached.context().clone()));
        self.aside.get_or_insert_default().few = Some(Few { attached, layers, has_begun: false });
        Ok(())
    }

    /// What the method can make grants with.
    pub(super) fn issuer(&self) -> Option<Issuer> {
        match &self.held {
            Some(held) => Some(held.desk().issuer()),
            None => self.aside.as_ref()?.issuer.clone(),
        }
    }

    fn enter(&self) -> Inside {
        let context = self.few().map(|few| few.attached.context());
        let span = context.map(|context| context.info().span.clone().entered());
        Inside { _span: span, _left: current::enter(context) }
    }

    /// Makes the call's context and span the current ones, while its handler is polled.
    #[inline]
    pub(super) fn enter_if_any(&self, is_any_current: bool) -> Option<Inside> {
        // Nearly always there is no context, and was none.
        if self.aside.is_some() || is_any_current { Some(self.enter()) } else { None }
    }

    /// Shows the interceptors that the method has returned.
    #[inline]
    pub(super) fn settle_if_watched(&mut self, is_error: bool) {
        if self.aside.is_some() {
            self.settle(&if is_error { Outcome::ServiceError } else { Outcome::Returned });
        }
    }

    /// The call will not run: it counts for nothing.
    pub(super) fn refuse(&mut self, refusal: &Refusal) {
        if let Some(held) = &mut self.held {
            held.give_back();
        }
        self.settle_failed(|| CallError::Refused(refusal.clone()));
    }

    pub(super) fn interrupt(&mut self, interruption: &Interruption) {
        self.settle_failed(|| CallError::Unknown(interruption.clone()));
    }

    fn settle_failed(&mut self, error: impl FnOnce() -> CallError) {
        if self.aside.is_some() {
            self.settle(&Outcome::Failed(error()));
        }
    }

    /// Shows the interceptors how the call ended.
    pub(super) fn settle(&mut self, outcome: &Outcome) {
        if let Some(few) = self.aside.as_mut().and_then(|aside| aside.few.take()) {
            few.attached.end(outcome);
        }
    }

    /// Why the call has ended before it began, by the right that it came by.
    #[inline]
    pub(super) fn has_lost_its_right(&self) -> Option<Stop> {
        match self.held.as_ref()?.ended()? {
            (why, false) => Some(Stop::Refused(why.refusal())),
            (_, true) => None,
        }
    }

    /// Whether an ordered call has had its turn. Where it has neither a deadline nor a right that could end, it does not matter.
    pub(super) fn has_begun(&self) -> bool {
        match &self.held {
            Some(held) => held.has_begun(),
            None => self.few().is_some_and(|few| few.has_begun),
        }
    }

    pub(super) fn begins(&mut self) {
        if let Some(held) = &mut self.held {
            held.begins();
        }
        if let Some(few) = self.few_mut() {
            few.has_begun = true;
        }
    }

    /// Ready when a stream in the arguments was cut.
    pub(super) fn poll_cut(&mut self, cx: &mut Context<'_>) -> Poll<Stop> {
        for cut in self.aside.iter_mut().flat_map(|aside| &mut aside.streams.cuts) {
            if let Poll::Ready(why) = Pin::new(cut).poll(cx) {
                let why = format!("a stream in its arguments was cut: {why}");
                return Poll::Ready(Stop::Interrupted(Interruption::Cancelled(why)));
            }
        }
        Poll::Pending
    }

    /// Ready when the call's time is up.
    pub(super) fn poll_expiry(&mut self, cx: &mut Context<'_>) -> Poll<Stop> {
        match self.few_mut() {
            Some(few) => few.attached.poll_expiry(cx).map(|()| Stop::Interrupted(Interruption::DeadlineExceeded)),
            None => Poll::Pending,
        }
    }

    /// A reply as it goes out: it may count until it is delivered.
    pub(super) fn note_reply(&self, reply: Message) -> Message {
        if let Some(few) = self.few() {
            few.attached.context().info().traffic().has_sent(reply.size());
        }
        match &self.held {
            Some(held) => held.hold(reply),
            None => reply,
        }
    }

    /// How a call ended that nobody has answered.
    pub(super) fn settle_unanswered(&mut self) -> CallError {
        let ended = self.held.as_ref().and_then(|held| held.ended());
        self.settle(&match ended {
            Some((why, false)) => Outcome::Failed(CallError::Refused(why.refusal())),
            Some((_, true)) | None => Outcome::Cancelled,
        });
        match ended {
            Some((why, false)) => CallError::Refused(why.refusal()),
            Some((why, true)) => CallError::Unknown(why.interruption()),
            None => CallError::Unknown(panicking::how_it_goes().into()),
        }
    }
}

/// Whether a call takes nothing of what its right has left: to ask what there is.
pub(super) const fn is_free(MethodId(method): MethodId) -> bool {
    method == Describe::ID.0 || method == Same::ID.0
}

#[cold]
pub(super) fn report_refusal(desk: &Desk, method: &'static str, refusal: &Refusal) {
    tracing::warn!(label = desk.terms().label(), method, %refusal, "a call was refused");
}

/// A call, for those who watch.
pub(super) fn info(signature: &Signature, is_oneway: bool, id: Option<CallId>, bytes: usize) -> CallInfo {
    let mut info = CallInfo::new(CallSide::Service, *signature);
    info.is_oneway = is_oneway;
    if let Some(id) = id {
        info.traffic().has_id(id);
    }
    info.traffic().has_received(bytes);
    info
}

/// Until it is dropped, a call's context and its span are the current ones.
pub(super) struct Inside {
    _span: Option<EnteredSpan>,
    _left: Option<Left>,
}

//! The calls of one port: which run, which wait for their turn, and which are refused.

use std::{
    collections::{HashMap, VecDeque},
    task::{Context, Poll},
};

use futures::future::AbortHandle;

use super::{
    Answer, Opened, Refusal, Service, describe,
    frame::{CallId, Frame},
    handlers::{Begun, Handlers, Tag},
    incoming::{Arrived, Desk, Incoming},
    serve::How,
};
use crate::{Closed, port::Inbox};

/// How many messages are taken before the executor gets a turn, so that a busy peer starves nobody (LOOP-07).
const BATCH: usize = 64;

/// A call of a method that takes `self`, which ends the service, and by what a frame knows it.
pub(super) type Once<S> = (<S as Service>::OnceCall, Option<CallId>);

/// The calls of methods that take `&self`, from one port.
///
/// A call that came is begun at once if there is room; else it is held, unopened, until an earlier one has ended. An ordered one
/// waits, opened, until the one before it has ended.
pub(super) struct Serving<'p, S: Service, F> {
    inbox: Inbox<'p>,
    desk: &'p Desk<'p>,
    handlers: Handlers<F>,
    held: VecDeque<Incoming<'p>>,
    held_bytes: usize,
    ordered: VecDeque<(S::SharedCall, Tag)>,
    is_ordered_running: bool,
    /// The calls that came as frames and have not ended.
    open: HashMap<CallId, Progress>,
    once: Option<Once<S>>,
    /// One-way calls that were taken, and not given back to the caller's window.
    tells: u32,
    is_closed: bool,
}

/// How far a call has come.
enum Progress {
    Held,
    WaitsForOrder,
    /// It runs. Nothing ends it from outside, if there is no handle.
    Runs(Option<AbortHandle>),
}

impl<'p, S: Service, F: Future<Output = Answer>> Serving<'p, S, F> {
    /// Serves a port, and tells the other end how much is taken at a time, if that was said.
    pub(super) fn new(desk: &'p Desk<'p>) -> Self {
        if let Some(window) = desk.settings.window {
            desk.post(Answer(Some(Frame::Hello { window }.to_bytes().into())));
        }
        Self {
            inbox: Inbox::new(desk.port),
            desk,
            handlers: Handlers::new(),
            held: VecDeque::new(),
            held_bytes: 0,
            ordered: VecDeque::new(),
            is_ordered_running: false,
            open: HashMap::new(),
            once: None,
            tells: 0,
            is_closed: false,
        }
    }

    /// Takes what came, and runs what runs. Ready when nothing is left to do here: with the call that ends the service, if one
    /// came.
    pub(super) fn poll(&mut self, run: &impl Fn(S::SharedCall) -> F, cx: &mut Context<'_>) -> Poll<Option<Once<S>>> {
        let mut left = BATCH;
        while !self.is_closed && left > 0 {
            let Poll::Ready(arrived) = poll_arrived(&mut self.inbox, self.desk, cx) else { break };
            left -= 1;
            match arrived {
                Ok(Arrived::Call(incoming)) => self.arrived(incoming, run, cx),
                Ok(Arrived::Cancel(id)) => self.cancel(id),
                Ok(Arrived::Nothing) => {}
                Err(Closed) => self.closed(),
            }
        }
        while let Poll::Ready(Some((tag, answer))) = self.handlers.poll_next(cx) {
            self.ended(tag, answer, run, cx);
        }
        self.desk.post_early(|id| drop(self.open.remove(&id)));
        if self.is_idle() && (self.is_closed || self.once.is_some()) {
            return Poll::Ready(self.once.take());
        }
        if left == 0 {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    fn arrived(&mut self, mut incoming: Incoming<'p>, run: &impl Fn(S::SharedCall) -> F, cx: &mut Context<'_>) {
        if self.once.is_some() {
            return self.refuse(incoming, Refusal::Spent);
        }
        if incoming.id().is_some_and(|id| self.open.contains_key(&id)) {
            return self.refuse(incoming, Refusal::RepeatedCallId);
        }
        incoming.note(self.handlers.len(), self.held.len().saturating_add(self.ordered.len()));
        if self.handlers.len() < self.desk.settings.running && self.held.is_empty() {
            return self.begin(incoming, run, cx);
        }
        let bytes = self.held_bytes.saturating_add(incoming.size());
        if self.held.len() >= self.desk.settings.waiting || bytes > self.desk.settings.waiting_bytes {
            return self.refuse(incoming, Refusal::Overloaded);
        }
        if let Some(id) = incoming.id() {
            self.open.insert(id, Progress::Held);
        }
        self.held_bytes = bytes;
        self.held.push_back(incoming);
    }

    fn refuse(&mut self, incoming: Incoming<'p>, refusal: Refusal) {
        self.took(&incoming);
        self.desk.post(incoming.refuse(refusal));
    }

    /// Opens a call and begins its handler, or lets it wait for the ordered call before it.
    fn begin(&mut self, incoming: Incoming<'p>, run: &impl Fn(S::SharedCall) -> F, cx: &mut Context<'_>) {
        self.took(&incoming);
        let id = incoming.id();
        if describe::is_asked(&incoming) {
            self.forget(id);
            return self.desk.post(describe::answer::<S>(incoming));
        }
        let opened = S::open(incoming);
        let id = id.or_else(|| self.desk.take_turned());
        match opened {
            Ok(Opened::Shared(call, How { ordered, cancels })) => {
                let tag = Tag { id, is_ordered: ordered, cancels };
                if ordered && self.is_ordered_running {
                    self.ordered.push_back((call, tag));
                    self.note(id, || Progress::WaitsForOrder);
                } else {
                    self.run(call, tag, run, cx);
                }
            }
            Ok(Opened::Once(call)) => self.once = Some((call, id)),
            Err(answer) => {
                self.forget(id);
                self.desk.post(answer);
            }
        }
    }

    fn run(&mut self, call: S::SharedCall, tag: Tag, run: &impl Fn(S::SharedCall) -> F, cx: &mut Context<'_>) {
        match self.handlers.begin(|| run(call), tag, cx) {
            Begun::Ended(answer) => {
                self.forget(tag.id);
                self.desk.post(answer);
            }
            Begun::Waits(abort) => {
                self.is_ordered_running |= tag.is_ordered;
                self.note(tag.id, || Progress::Runs(abort));
            }
        }
    }

    /// A handler that waited has ended: its answer goes out, and whoever waited for that is begun.
    fn ended(&mut self, tag: Tag, answer: Answer, run: &impl Fn(S::SharedCall) -> F, cx: &mut Context<'_>) {
        self.forget(tag.id);
        self.desk.post(answer);
        if tag.is_ordered {
            self.is_ordered_running = false;
            while !self.is_ordered_running
                && let Some((call, tag)) = self.ordered.pop_front()
            {
                self.run(call, tag, run, cx);
            }
        }
        while self.handlers.len() < self.desk.settings.running
            && let Some(incoming) = self.held.pop_front()
        {
            self.held_bytes = self.held_bytes.saturating_sub(incoming.size());
            if self.once.is_some() {
                self.forget(incoming.id());
                self.refuse(incoming, Refusal::Spent);
            } else {
                self.begin(incoming, run, cx);
            }
        }
    }

    /// Ends a call at its next `.await`, or before it is begun. An id that is not known, or no longer, is ignored.
    fn cancel(&mut self, id: CallId) {
        if let Some((_, once)) = &self.once
            && *once == Some(id)
        {
            self.once = None;
        }
        match self.open.remove(&id) {
            None => {}
            Some(Progress::Held) => self.held.retain(|incoming| incoming.id() != Some(id)),
            Some(Progress::WaitsForOrder) => self.ordered.retain(|(_, tag)| tag.id != Some(id)),
            Some(Progress::Runs(Some(abort))) => abort.abort(),
            // It runs to its end, and keeps its id until then.
            Some(Progress::Runs(None)) => self.note(Some(id), || Progress::Runs(None)),
        }
        self.held_bytes = self.held.iter().map(Incoming::size).sum();
    }

    /// The port is closed: every handler ends whose answer could only go out by it.
    fn closed(&mut self) {
        self.is_closed = true;
        let open: Vec<_> = self.open.keys().copied().collect();
        open.into_iter().for_each(|id| self.cancel(id));
    }

    /// A call was taken out of the caller's window. One-way calls are given back, half a window at a time.
    fn took(&mut self, incoming: &Incoming<'_>) {
        let Some(window) = self.desk.settings.window else { return };
        if !incoming.is_oneway() {
            return;
        }
        self.tells = self.tells.saturating_add(1);
        if self.tells >= window.calls.div_ceil(2) {
            let tells = std::mem::take(&mut self.tells);
            self.desk.post(Answer(Some(Frame::Credit { tells }.to_bytes().into())));
        }
    }

    fn is_idle(&self) -> bool {
        self.handlers.is_empty() && self.held.is_empty() && self.ordered.is_empty()
    }

    fn note(&mut self, id: Option<CallId>, progress: impl FnOnce() -> Progress) {
        if let Some(id) = id {
            self.open.insert(id, progress());
        }
    }

    fn forget(&mut self, id: Option<CallId>) {
        // Nearly always it is empty: what is ready at once is never noted.
        if let Some(id) = id
            && !self.open.is_empty()
        {
            self.open.remove(&id);
        }
    }
}

pub(super) fn poll_arrived<'p>(
    inbox: &mut Inbox<'p>,
    desk: &'p Desk<'p>,
    cx: &mut Context<'_>,
) -> Poll<Result<Arrived<'p>, Closed>> {
    inbox.poll_next(cx).map(|parcel| parcel.map(|parcel| Arrived::read(parcel, desk)))
}

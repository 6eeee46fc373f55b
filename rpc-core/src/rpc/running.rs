//! What knows the types of a service: it opens calls, and runs them. Whoever serves the ports knows none.

use std::{
    collections::VecDeque,
    task::{Context, Poll},
};

use futures::future::AbortHandle;

use super::{
    Answer, Incoming, Opened, Service,
    handlers::{Begun, Handlers, Tag},
};
use crate::shape::Description;

/// Opens the calls of one service, and runs their handlers. How many run, and which may, others know.
pub(super) trait Runs {
    /// Opens a call, and begins its handler; an ordered one is kept if another runs. What ends at once is answered here.
    fn begin(&mut self, incoming: Incoming<'_>, is_ordered_running: bool, cx: &mut Context<'_>) -> Began;

    /// Begins the first of the ordered calls that are kept.
    fn begin_ordered(&mut self, cx: &mut Context<'_>) -> Option<(Tag, Begun)>;

    /// Drops those of the ordered calls that are kept. How many there were.
    fn forget_ordered(&mut self, is_that: &dyn Fn(&Tag) -> bool) -> usize;

    /// Drops the call of a method that takes `self`.
    fn forget_once(&mut self);

    /// Polls the handler that waits, if only one does.
    fn poll_alone(&mut self, cx: &mut Context<'_>) -> Poll<(Tag, Answer)>;

    /// The next handler that waited with others and has ended; `None` when none waits.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Tag, Answer)>>;

    /// What the service is, for callers who ask.
    fn description(&self) -> fn() -> Description;
}

/// What has become of a call. It fits into registers: what is handed on through memory just after it was written there costs more than most
/// of what is done with a call.
pub(super) enum Began {
    /// Its method has ended, or it is not run.
    Ended,
    /// Its handler waits. If it can be stopped by a frame, this does it.
    Waits { is_ordered: bool, abort: Option<AbortHandle> },
    /// It is kept until the ordered one has ended that runs.
    WaitsForOrder,
    /// Its method takes `self`. It is run once the others have ended.
    IsOnce,
}

/// The calls of one service that were opened.
pub(super) struct Running<S: Service, R, F> {
    run: R,
    handlers: Handlers<F>,
    /// Made for the first that has to wait: few services have ordered methods.
    ordered: Option<Box<Ordered<S::SharedCall>>>,
    once: Option<S::OnceCall>,
}

/// Calls that wait for the ordered one before them.
type Ordered<C> = VecDeque<(C, Tag)>;

impl<S: Service, R: Fn(S::SharedCall) -> F, F: Future<Output = Answer>> Running<S, R, F> {
    pub(super) fn new(run: R) -> Self {
        Self { run, handlers: Handlers::new(), ordered: None, once: None }
    }

    /// Takes out the call of a method that takes `self`.
    pub(super) fn take_once(&mut self) -> Option<S::OnceCall> {
        self.once.take()
    }

    #[inline(always)]
    fn run(&mut self, call: S::SharedCall, tag: impl Fn() -> Tag, cx: &mut Context<'_>) -> Begun {
        let Self { run, handlers, .. } = self;
        handlers.begin(|| run(call), tag, cx)
    }
}

impl<S: Service, R: Fn(S::SharedCall) -> F, F: Future<Output = Answer>> Runs for Running<S, R, F> {
    fn begin(&mut self, incoming: Incoming<'_>, is_ordered_running: bool, cx: &mut Context<'_>) -> Began {
        let (id, desk) = (incoming.id(), incoming.desk());
        let (call, how) = match S::open(incoming) {
            Ok(Opened::Shared(call, how)) => (call, how),
            Ok(Opened::Once(call)) => {
                self.once = Some(call);
                return Began::IsOnce;
            }
            Err(answer) => {
                desk.post(answer);
                return Began::Ended;
            }
        };
        let tag = || Tag { whence: desk.whence(), id: id.or_else(|| desk.turned()), how };
        if how.ordered && is_ordered_running {
            self.ordered.get_or_insert_default().push_back((call, tag()));
            return Began::WaitsForOrder;
        }
        match self.run(call, tag, cx) {
            Begun::Ended(answer) => {
                if let Some(desk) = desk.beside_first() {
                    desk.set_owes_handle(false);
                }
                desk.post(answer);
                Began::Ended
            }
            Begun::Waits(abort) => Began::Waits { is_ordered: how.ordered, abort },
        }
    }

    fn begin_ordered(&mut self, cx: &mut Context<'_>) -> Option<(Tag, Begun)> {
        let (call, tag) = self.ordered.as_mut()?.pop_front()?;
        let begun = self.run(call, || tag.clone(), cx);
        Some((tag, begun))
    }

    fn forget_ordered(&mut self, is_that: &dyn Fn(&Tag) -> bool) -> usize {
        let Some(ordered) = &mut self.ordered else { return 0 };
        let before = ordered.len();
        ordered.retain(|(_, tag)| !is_that(tag));
        before.saturating_sub(ordered.len())
    }

    fn forget_once(&mut self) {
        self.once = None;
    }

    fn poll_alone(&mut self, cx: &mut Context<'_>) -> Poll<(Tag, Answer)> {
        self.handlers.poll_alone(cx)
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Tag, Answer)>> {
        self.handlers.poll_next(cx)
    }

    fn description(&self) -> fn() -> Description {
        || S::DESCRIPTION.describe()
    }
}

//! A middle between two ports on which things go wrong.

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures::{StreamExt, stream::SelectAll, task::AtomicWaker};
use handover_core::{
    MessagePort,
    clock::{self, Clock, Sleep},
};

use super::{Direction, LinkOptions, Recorder, dice::Dice, joint::Joint};
use crate::context;

/// A handle on a link: a middle between two ports that passes on, as bytes, what comes by either.
///
/// A port that travels over the link is joined by the link too, so whatever goes through it meets the same faults. When a port is
/// closed, its end goes over the link like a message, behind those before it. A link reads whatever comes, so a
/// [`Bound`](handover_core::Bound) does not hold across it, and it does not tell why an end was closed.
///
/// The handle only commands: dropping it changes nothing. Cloned, it is another handle on the same link. What it commands happens
/// when the link's task runs next.
///
/// # Examples
/// ```
/// use handover_core::MessageChannel;
/// use handover_transports::{context, testing::{Link, LinkOptions, settle}};
///
/// context::block_on(async {
///     let (ours, near) = MessageChannel::new().into_ports();
///     let (far, theirs) = MessageChannel::new().into_ports();
///     let link = Link::spawn(near, far, LinkOptions::default());
///     theirs.start();
///
///     link.pause();
///     ours.post_message("waits").unwrap();
///     settle().await;
///     assert_eq!(link.passed(), 0);
///
///     link.resume();
///     assert_eq!(theirs.recv().await.unwrap().data(), b"waits");
///
///     link.cut();
///     assert!(theirs.recv().await.is_err());
///     assert!(ours.is_closed());
/// });
/// ```
#[derive(Clone)]
pub struct Link(Arc<Shared>);

impl Link {
    /// Joins two ports, and hands back the link and the future that is the link. It runs on any executor, ends when every port that
    /// it joins is closed, and cuts the link when it is dropped.
    ///
    /// # Panics
    /// If the options speak of time and this context has no [clock](handover_core::clock).
    pub fn join(near: MessagePort, far: MessagePort, options: LinkOptions) -> (Self, LinkTask) {
        let shared = Arc::new(Shared::new(options));
        let mut dice = Dice::new(shared.options.seed);
        shared
            .cut_after
            .store(shared.options.cut_after.clone().map_or(u64::MAX, |range| dice.number(range)), Ordering::Relaxed);
        if shared.cut_after.load(Ordering::Relaxed) == 0 {
            shared.cut();
        }
        let mut joints = SelectAll::new();
        joints.push(Joint::new(shared.clone(), near, far, dice.seed()));
        let cutting = shared.options.cut_at.zip(shared.clock.as_ref());
        let cutting = cutting.map(|(after, clock)| clock.sleep_until(clock.now().saturating_add(after)));
        (Self(shared.clone()), LinkTask { shared, joints, cutting })
    }

    /// Joins two ports in this context.
    ///
    /// # Panics
    /// As [`join`](Self::join), and if this thread is no [context].
    pub fn spawn(near: MessagePort, far: MessagePort, options: LinkOptions) -> Self {
        let (link, task) = Self::join(near, far, options);
        context::spawn_local(task);
        link
    }

    /// Cuts the link: every port that it joins is closed, and what has not passed is lost.
    pub fn cut(&self) {
        self.0.cut();
        self.0.task.wake();
    }

    /// Lets nothing pass from now on, also no end of a port.
    pub fn pause(&self) {
        self.0.is_paused.store(true, Ordering::Release);
    }

    /// Goes on after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.0.is_paused.store(false, Ordering::Release);
        self.0.task.wake();
    }

    /// How many messages have passed, both ways, copies included.
    pub fn passed(&self) -> u64 {
        self.0.passed.load(Ordering::Acquire)
    }

    /// How many messages were dropped, corrupted or duplicated.
    pub fn faults(&self) -> u64 {
        self.0.faults.load(Ordering::Acquire)
    }

    /// Whether it is, or will be when its task runs next, cut.
    pub fn is_cut(&self) -> bool {
        self.0.is_cut()
    }

    /// The seed of its faults.
    pub fn seed(&self) -> u64 {
        self.0.options.seed
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("seed", &self.seed())
            .field("passed", &self.passed())
            .field("faults", &self.faults())
            .field("is_cut", &self.is_cut())
            .finish_non_exhaustive()
    }
}

/// The future that is a link. Made by [`Link::join`].
#[must_use = "nothing passes unless this is polled"]
pub struct LinkTask {
    shared: Arc<Shared>,
    joints: SelectAll<Joint>,
    cutting: Option<Sleep>,
}

impl Future for LinkTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.shared.task.register(cx.waker());
        loop {
            if this.cutting.as_mut().is_some_and(|cutting| cutting.as_mut().poll(cx).is_ready()) {
                this.shared.cut();
            }
            if this.shared.is_cut() {
                this.cut();
                return Poll::Ready(());
            }
            if this.shared.is_paused.load(Ordering::Acquire) {
                return Poll::Pending;
            }
            match this.joints.poll_next_unpin(cx) {
                Poll::Ready(Some(joint)) => this.joints.push(joint),
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending if this.shared.is_cut() => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl LinkTask {
    fn cut(&mut self) {
        self.cutting = None;
        self.joints.clear();
        if let Some(recorder) = self.shared.recorder() {
            recorder.cut();
        }
    }
}

impl fmt::Debug for LinkTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkTask").field("joints", &self.joints.len()).finish_non_exhaustive()
    }
}

/// What everything that belongs to one link shares.
pub(super) struct Shared {
    options: LinkOptions,
    clock: Option<Arc<dyn Clock>>,
    cut_after: AtomicU64,
    passed: AtomicU64,
    faults: AtomicU64,
    is_cut: AtomicBool,
    is_paused: AtomicBool,
    task: AtomicWaker,
}

impl Shared {
    fn new(options: LinkOptions) -> Self {
        let clock = options.needs_clock().then(|| {
            clock::current().expect("a link that is to be late needs a clock: enter one, or use `system-clock`")
        });
        Self {
            options,
            clock,
            cut_after: AtomicU64::new(u64::MAX),
            passed: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            is_cut: AtomicBool::new(false),
            is_paused: AtomicBool::new(false),
            task: AtomicWaker::new(),
        }
    }

    pub(super) fn options(&self) -> &LinkOptions {
        &self.options
    }

    pub(super) fn recorder(&self) -> Option<&Recorder> {
        self.options.recorder.as_ref()
    }

    pub(super) fn clock(&self) -> Option<&Arc<dyn Clock>> {
        self.clock.as_ref()
    }

    /// The time; where nothing is ever late, always the same.
    pub(super) fn now(&self) -> Duration {
        self.clock.as_ref().map(|clock| clock.now()).unwrap_or_default()
    }

    pub(super) fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Acquire)
    }

    fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
    }

    /// Whether a message that goes that way may meet a fault. Counts it if so.
    pub(super) fn may_strike(&self, direction: Direction) -> bool {
        if self.options.only.is_some_and(|only| only != direction) {
            return false;
        }
        let most = self.options.most_faults.unwrap_or(u64::MAX);
        let counted = |faults: u64| (faults < most).then(|| faults + 1);
        self.faults.fetch_update(Ordering::AcqRel, Ordering::Acquire, counted).is_ok()
    }

    /// A message has passed: perhaps the last one.
    pub(super) fn one_passed(&self) {
        let passed = self.passed.fetch_add(1, Ordering::AcqRel) + 1;
        if passed >= self.cut_after.load(Ordering::Relaxed) {
            self.cut();
        }
    }
}

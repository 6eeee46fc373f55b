//! Time that is moved by hand, and tasks that settle.

use std::{
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use futures::future::{Either, select};
use handover_core::clock::{Clock, ManualClock};

/// More turns than it takes for one message to have all its consequences.
const TURNS_TO_SETTLE: usize = 1000;

/// Gives every other task of the context a turn, a thousand times: often enough that whatever was under way waits for something
/// else now. Threads other than this one are not waited for.
pub async fn settle() {
    for _ in 0..TURNS_TO_SETTLE {
        turn().await;
    }
}

/// Waits for a future until everything has [settled](settle). `None` if it has not ended by then: a test that would hang fails.
///
/// # Examples
/// ```
/// use handover_core::MessageChannel;
/// use handover_transports::{context, testing::settled};
///
/// context::block_on(async {
///     let (ours, theirs) = MessageChannel::new().into_ports();
///     ours.start();
///     assert!(settled(ours.recv()).await.is_none(), "nothing comes");
///     theirs.post_message("hello").unwrap();
///     assert!(settled(ours.recv()).await.is_some());
/// });
/// ```
pub async fn settled<F: Future>(future: F) -> Option<F::Output> {
    match select(pin!(future), pin!(settle())).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

/// Gives every other task of the context that is ready one turn.
pub async fn turn() {
    YieldOnce(false).await;
}

struct YieldOnce(bool);

impl Future for YieldOnce {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Moves a clock on, from each moment that somebody waits for to the next, and lets every task [settle] at each.
///
/// So a task that waits for a second three times gets to its end in one call, and nobody finds that it is later than it could be.
///
/// # Examples
/// ```
/// use std::{sync::Arc, time::Duration};
/// use handover_core::clock::{self, Clock};
/// use handover_transports::{context, testing::{ManualClock, advance}};
///
/// let clock = Arc::new(ManualClock::default());
/// context::block_on(async {
///     let (send, receive) = futures::channel::oneshot::channel();
///     let ticking = clock.clone();
///     context::spawn_local(async move {
///         for second in 1..=3 {
///             ticking.sleep_until(Duration::from_secs(second)).await;
///         }
///         send.send(ticking.now()).unwrap();
///     });
///
///     advance(&clock, Duration::from_secs(10)).await;
///
///     assert_eq!(receive.await, Ok(Duration::from_secs(3)));
///     assert_eq!(clock.now(), Duration::from_secs(10));
/// });
/// ```
pub async fn advance(clock: &ManualClock, by: Duration) {
    settle().await;
    let end = clock.now().saturating_add(by);
    while let Some(next) = clock.next().filter(|next| *next <= end) {
        clock.advance(next.saturating_sub(clock.now()));
        settle().await;
    }
    clock.advance(end.saturating_sub(clock.now()));
}

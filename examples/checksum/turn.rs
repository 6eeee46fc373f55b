//! Giving way.

use std::{future::poll_fn, mem, task::Poll};

/// Lets the rest of the context run.
pub(crate) async fn turn() {
    let mut is_over = false;
    poll_fn(|cx| {
        if mem::replace(&mut is_over, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

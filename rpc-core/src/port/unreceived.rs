//! How much of what was posted is still to be received, for those who answer for it.

use std::{
    fmt,
    task::{Context, Poll},
};

use super::{
    MessagePort, Queued,
    channel::{Channel, End},
};
use crate::sync::Arc;

impl MessagePort {
    /// Sees what is posted on this port and was not received at the other end yet, wherever that is by then; also after this port
    /// was closed or dropped. For those who pass on what others post, and answer for how much of it waits.
    pub fn unreceived(&self) -> Unreceived {
        let reference = self.reference();
        Unreceived { channel: reference.channel, end: reference.end.other() }
    }
}

/// What was posted on a port and was not received at the other end yet. Made by [`MessagePort::unreceived`]; of several for one
/// port, the last that waits is woken.
///
/// # Examples
/// ```
/// use futures::{FutureExt, future::poll_fn};
/// use handover_core::{MessageChannel, port::Queued};
///
/// let (ours, theirs) = MessageChannel::new().into_ports();
/// let mut unreceived = theirs.unreceived();
/// theirs.post_message("hello").unwrap();
/// assert_eq!(unreceived.queued(), Queued { messages: 1, bytes: 5 });
///
/// let mut drained = poll_fn(|cx| unreceived.poll_drained(Queued::default(), cx));
/// assert!((&mut drained).now_or_never().is_none());
/// ours.start();
/// assert!(ours.recv().now_or_never().is_some());
/// assert!(drained.now_or_never().is_some());
/// ```
pub struct Unreceived {
    channel: Arc<Channel>,
    /// Where it waits.
    end: End,
}

impl Unreceived {
    /// How much it is.
    pub fn queued(&self) -> Queued {
        self.channel.side(self.end).lock().queued()
    }

    /// Ready once no more than that waits, or once the other end was closed or dropped; registers the task to be woken for it.
    pub fn poll_drained(&mut self, mark: Queued, cx: &mut Context<'_>) -> Poll<()> {
        let mut side = self.channel.side(self.end).lock();
        if side.is_drained(mark) {
            return Poll::Ready(());
        }
        let replaced = side.watch_drain(mark, cx.waker());
        drop(side);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Unreceived {
    fn drop(&mut self) {
        let waker = self.channel.side(self.end).lock_without_batch().forget_drain();
        drop(waker);
    }
}

impl fmt::Debug for Unreceived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unreceived").field("queued", &self.queued()).finish()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use futures::{FutureExt, StreamExt, future::poll_fn, stream::FuturesUnordered};

    use super::*;
    use crate::{Message, MessageChannel};

    /// Polls only what was woken, so a wake that is missing shows.
    fn waiting(mut unreceived: Unreceived, mark: Queued) -> FuturesUnordered<impl Future<Output = ()>> {
        let mut waiting = FuturesUnordered::new();
        waiting.push(poll_fn(move |cx| unreceived.poll_drained(mark, cx)));
        assert!(waiting.next().now_or_never().is_none(), "drained already");
        waiting
    }

    fn channel_with(messages: usize) -> (MessagePort, MessagePort) {
        let (ours, theirs) = MessageChannel::new().into_ports();
        ours.start();
        (0..messages).for_each(|_| theirs.post_message("12345").unwrap());
        (ours, theirs)
    }

    fn receive(port: &MessagePort) {
        port.recv().now_or_never().unwrap().unwrap();
    }

    #[test]
    fn whoever_waits_is_woken_when_no_more_than_the_mark_waits_and_not_before() {
        for mark in [Queued { messages: 1, bytes: 100 }, Queued { messages: 100, bytes: 9 }] {
            let (ours, theirs) = channel_with(3);
            let mut waiting = waiting(theirs.unreceived(), mark);

            receive(&ours);
            assert!(waiting.next().now_or_never().is_none(), "{mark:?}");
            receive(&ours);

            assert_eq!(waiting.next().now_or_never(), Some(Some(())), "{mark:?}");
        }
    }

    #[test]
    fn what_the_reader_has_taken_over_as_a_batch_counts_as_waiting() {
        let (ours, theirs) = channel_with(3);
        receive(&ours);

        assert_eq!(theirs.unreceived().queued(), Queued { messages: 2, bytes: 10 });
        let mut waiting = waiting(theirs.unreceived(), Queued::default());
        receive(&ours);
        receive(&ours);
        assert_eq!(waiting.next().now_or_never(), Some(Some(())));
    }

    #[test]
    fn whoever_waits_is_woken_when_the_end_at_which_it_waits_is_closed_or_dropped() {
        let ends: [fn(MessagePort) -> Option<MessagePort>; 2] = [
            |port| {
                port.close();
                Some(port)
            },
            |port| {
                drop(port);
                None
            },
        ];
        for end in ends {
            let (ours, theirs) = channel_with(1);
            let mut waiting = waiting(theirs.unreceived(), Queued::default());

            let _kept = end(ours);

            assert_eq!(waiting.next().now_or_never(), Some(Some(())));
        }
    }

    #[test]
    fn it_sees_what_waits_after_the_port_that_posted_was_dropped_and_wherever_the_other_end_travels() {
        let (ours, theirs) = channel_with(1);
        let mut waiting = waiting(theirs.unreceived(), Queued::default());
        drop(theirs);
        let (near, far) = MessageChannel::new().into_ports();
        near.post_message(Message::default().with_port(ours)).unwrap();
        far.start();
        let arrived = far.recv().now_or_never().unwrap().unwrap().into_parts().ports.remove(0);
        arrived.start();
        assert!(waiting.next().now_or_never().is_none());

        receive(&arrived);

        assert_eq!(waiting.next().now_or_never(), Some(Some(())));
    }
}

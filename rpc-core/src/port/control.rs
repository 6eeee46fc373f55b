//! What those who make contexts do to ports that others own.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    Gone, MessagePort, discard::discard, side::Side, side_cell::SideCell, transfer::PortRef, waiters::WaiterKey,
};

use crate::sync::Guard;

impl MessagePort {
    /// Makes something that acts on this port as long as it is not transferred inside a message. It owns nothing: the port
    /// closes when its owner drops it.
    pub fn control(&self) -> PortControl {
        PortControl(self.reference())
    }
}

/// Acts on a port that somebody else owns: for those who make contexts, which start and end the ports of what runs there. Made
/// by [`MessagePort::control`].
///
/// A port that was transferred inside a message since is another context's: it is left alone where nothing else is said.
pub struct PortControl(PortRef);

impl PortControl {
    /// As [`MessagePort::start`].
    pub fn start(&self) {
        let told = self.owned().map(|mut side| side.start());
        told.unwrap_or_default().tell();
    }

    /// Ends what this port receives: what waits is dropped, and nothing more is taken. What its owner still posts arrives, and
    /// the other end is told of the end when the port is dropped.
    pub fn stop_receiving(&self) {
        let Some(mut side) = self.owned() else { return };
        let closed = side.close();
        let waiting = self.mine().take_queue(side);
        discard(waiting);
        if let Some((told, target)) = closed {
            told.tell();
            if let Some(target) = target {
                target.closed(Gone::Closed);
            }
        }
    }

    /// Ends the channel: as [`MessagePort::close`], and what waits here is dropped, though it was posted before.
    pub fn sever(&self) {
        if self.owned().is_none() {
            return;
        }
        self.stop_receiving();
        let (told, target) = self.0.channel.side(self.0.end.other()).lock().peer_has_gone(Gone::Closed);
        told.tell();
        if let Some(target) = target {
            target.closed(Gone::Closed);
        }
    }

    /// Ends what is posted to this port, wherever it is by now, as if the other end had been closed: what waits is still delivered,
    /// and after it the end.
    pub fn end_input(&self) {
        let (told, target) = self.mine().lock().peer_has_gone(Gone::Closed);
        told.tell();
        if let Some(target) = target {
            target.closed(Gone::Closed);
        }
    }

    /// Waits until either end of the channel was closed or dropped, wherever they are by then, whatever waits there.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub fn ended(&self) -> Ended<'_> {
        Ended { control: self, key: None }
    }

    /// Locks the port's side. `None` if it was transferred since: asked under the lock, for its owner may be doing so.
    fn owned(&self) -> Option<Guard<'_, Side>> {
        let side = self.mine().lock();
        self.mine().is_owned_by(self.0.shipped).then_some(side)
    }

    fn mine(&self) -> &SideCell {
        self.0.channel.side(self.0.end)
    }
}

impl fmt::Debug for PortControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortControl").finish_non_exhaustive()
    }
}

/// Waits for the end of a channel. Made by [`PortControl::ended`].
#[must_use = "futures do nothing unless polled"]
#[derive(Debug)]
pub struct Ended<'c> {
    control: &'c PortControl,
    key: Option<WaiterKey>,
}

impl Future for Ended<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut side = self.control.mine().lock();
        if side.state.is_closed() || side.peer_gone().is_some() {
            return Poll::Ready(());
        }
        let replaced = side.waiters.register_for_the_end(&mut self.key, cx.waker());
        drop(side);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let waker = self.control.mine().lock().waiters.remove(key);
            drop(waker);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use futures::FutureExt;

    use crate::{ClosedBy, MessageChannel};

    #[test]
    fn a_port_that_receives_nothing_more_still_posts_and_its_end_is_told_when_it_is_dropped() {
        let (ours, theirs) = MessageChannel::new().into_ports();
        ours.start();
        theirs.start();
        ours.post_message("waits").unwrap();

        theirs.control().stop_receiving();
        theirs.post_message("arrives").unwrap();
        ours.post_message("late").unwrap();

        assert!(theirs.recv().now_or_never().unwrap().is_err());
        assert_eq!(ours.recv().now_or_never().unwrap().unwrap().data(), b"arrives");
        assert!(ours.closed().now_or_never().is_none());
        drop(theirs);
        assert_eq!(ours.closed().now_or_never(), Some(ClosedBy::Peer));
    }

    #[test]
    fn the_two_ends_of_a_channel_name_it_alike_wherever_they_are() {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let (near, far) = MessageChannel::new().into_ports();
        let name = ours.channel_id();
        assert_eq!(theirs.channel_id(), name);
        assert_ne!(near.channel_id(), name);

        near.post_message(crate::Message::default().with_port(ours)).unwrap();
        far.start();
        let moved = far.recv().now_or_never().unwrap().unwrap().into_parts().ports.remove(0);

        assert_eq!(moved.channel_id(), name);
    }

    #[test]
    fn a_severed_channel_delivers_nothing_that_waited_at_that_end() {
        let (ours, theirs) = MessageChannel::new().into_ports();
        ours.start();
        theirs.post_message("waits").unwrap();

        ours.control().sever();
        theirs.post_message("late").unwrap();

        assert!(ours.recv().now_or_never().unwrap().is_err());
        assert_eq!(theirs.closed().now_or_never(), Some(ClosedBy::Peer));
    }

    #[test]
    fn a_port_that_was_transferred_since_is_left_alone() {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let (near, far) = MessageChannel::new().into_ports();
        far.start();
        let control = ours.control();
        near.post_message(crate::Message::default().with_port(ours)).unwrap();
        let moved = far.recv().now_or_never().unwrap().unwrap().into_parts().ports.remove(0);
        theirs.post_message("waits").unwrap();

        control.sever();
        control.start();

        assert!(!moved.is_closed());
        moved.start();
        assert_eq!(moved.recv().now_or_never().unwrap().unwrap().data(), b"waits");
    }

    #[test]
    fn whoever_waits_for_the_end_of_a_channel_is_told_wherever_its_ports_are() {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let control = ours.control();
        let mut ended = control.ended();
        assert!((&mut ended).now_or_never().is_none());
        theirs.post_message("unread").unwrap();
        assert!((&mut ended).now_or_never().is_none());

        drop(ours);

        assert!((&mut ended).now_or_never().is_some());
        drop(theirs);
    }
}

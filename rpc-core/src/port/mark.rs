//! Knowing a port again, and where it leads.

use super::{
    ChannelId, MessagePort, MessageTarget,
    channel::{Channel, End},
    join::next_joint,
};
use crate::sync::Arc;

/// One end of a channel, to be known again wherever its port is by then. It is the thing itself and not a name for it: there is nothing
/// that could be written down and made up. It owns nothing, and gives no right to anything.
#[derive(Clone)]
pub(crate) struct PortMark {
    channel: Arc<Channel>,
    end: End,
}

/// Where a port leads, past all joints.
pub(crate) struct Destination {
    /// The channel at whose other end it is.
    pub(crate) channel: ChannelId,
    /// Who takes there what is posted, if it is not a reader.
    pub(crate) target: Option<Arc<dyn MessageTarget>>,
}

impl MessagePort {
    /// What this port is known by. `None` if it is closed, or was transferred away from this handle.
    pub(crate) fn mark(&self) -> Option<PortMark> {
        let is_open = self.is_transferable();
        is_open.then(|| PortMark { channel: self.channel().clone(), end: self.end() })
    }
}

impl PortMark {
    /// Where it leads now.
    pub(crate) fn destination(&self) -> Destination {
        let Self { channel, end } = self;
        let target = channel.side(end.other()).lock_without_batch().leads_to();
        let mut at = Destination { channel: ChannelId::of(channel), target };
        while let Some((channel, target)) = next_joint(at.target.as_ref()) {
            at = Destination { channel, target };
        }
        at
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use crate::{Message, MessageChannel, MessagePort};

    fn leads_to(port: &MessagePort) -> super::ChannelId {
        port.mark().expect("it is open").destination().channel
    }

    #[test]
    fn a_port_leads_to_the_same_place_wherever_it_is_and_past_all_joints() {
        let ((first, near), (far, last)) = (MessageChannel::new().into_ports(), MessageChannel::new().into_ports());
        let ((sender, receiver), name) = (MessageChannel::new().into_ports(), far.channel_id());
        assert_ne!(leads_to(&first), name);

        near.join(far);
        sender.post_message(Message::default().with_port(first)).unwrap();
        receiver.start();
        let moved = receiver.try_take().and_then(|parcel| match parcel {
            crate::port::Parcel::Message(mut message) => message.pop_port(),
            crate::port::Parcel::Value(_) => None,
        });
        let moved = moved.expect("it was sent");

        assert_eq!(leads_to(&moved), name);
        assert_eq!(leads_to(&last), moved.channel_id());
        moved.close();
        assert!(moved.mark().is_none(), "what is closed leads nowhere");
    }
}

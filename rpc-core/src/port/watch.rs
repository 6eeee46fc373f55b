//! Looking at a side from outside, without owning it.

use std::sync::Weak;

use super::{
    MessagePort, MessageTarget, Queued,
    channel::{Channel, End},
};
use crate::sync::Arc;

/// Sees what waits at one side of a channel, wherever its port is by now. It keeps nothing alive.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    channel: Weak<Channel>,
    end: End,
}

/// What there is at a side.
pub(crate) struct Sight {
    pub(crate) queued: Queued,
    pub(crate) is_closed: bool,
    pub(crate) target: Option<Arc<dyn MessageTarget>>,
}

impl MessagePort {
    /// Looks at this port's side from now on.
    pub(crate) fn watch(&self) -> Watched {
        let reference = self.reference();
        Watched { channel: Arc::downgrade(&reference.channel), end: reference.end }
    }
}

impl Watched {
    /// What there is now. `None` if neither end of the channel is left.
    pub(crate) fn look(&self) -> Option<Sight> {
        let channel = self.channel.upgrade()?;
        let side = channel.side(self.end).lock();
        Some(Sight {
            queued: side.queued(),
            is_closed: side.state.is_closed() || side.peer_gone().is_some(),
            target: side.target(),
        })
    }
}

//! What lies between groups of different contexts.

use std::fmt;

use crate::{Message, Origin};

/// What carries broadcasts to groups elsewhere: a browser's own broadcast channels, for one.
///
/// A group that is [over](super::BroadcastGroup::over) a medium tells it which names are listened to, and what is posted; what comes
/// from elsewhere is [delivered](super::BroadcastGroup::deliver) to the group. Each method is called by whoever opens, closes or posts,
/// under no lock.
pub trait Medium: Send + Sync + fmt::Debug {
    /// There is a channel of that name now, the first: what others post from now on is to be delivered.
    fn opened(&self, origin: &Origin, name: &str);

    /// There is none of that name any more. What was posted before is still on its way.
    fn closed(&self, origin: &Origin, name: &str);

    /// One of them has posted this, which has neither ports nor anything foreign in it.
    fn posted(&self, origin: &Origin, name: &str, message: Message);
}

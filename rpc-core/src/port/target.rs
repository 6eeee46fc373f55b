//! Where a side delivers to when nobody reads its queue.

use std::any::Any;

use super::{Gone, Parcel};

/// Takes what is posted to a side at once, in place of its queue: the table of calls that wait for a reply.
///
/// It is called by whoever posts, with no lock held. It puts things where they belong and wakes; it never runs a handler
/// (LOOP-02).
pub(crate) trait MessageTarget: Any + Send + Sync {
    /// Takes what was posted.
    fn deliver(&self, parcel: Parcel);

    /// Learns that nothing will be posted any more. May be told more than once.
    fn closed(&self, gone: Gone);
}

//! Two ports of different channels made one way, for those who hold their other ends.

use std::any::Any;

use super::{ChannelId, Gone, MessagePort, MessageTarget, Parcel};
use crate::sync::Arc;

/// How many joints a way may have.
const MOST_JOINTS: usize = 128;

impl MessagePort {
    /// Joins this port to another, of another channel: whoever holds its other end talks to whoever holds that one's from now on.
    ///
    /// What waits at either goes first, so nothing is overtaken: what waits here before what waits there. When one end is closed, the other is told, after the data. Whoever
    /// posts passes on himself what he posts: nothing is spawned, and what stays in the process is not turned into bytes.
    ///
    /// Where nobody would be left at an end, because the ports that were joined lead to each other, or where there are more
    /// than 128 joints in a row, both ports are closed.
    ///
    /// # Examples
    /// ```
    /// # futures::executor::block_on(async {
    /// use handover_core::MessageChannel;
    ///
    /// let ((left, near), (far, right)) = (MessageChannel::new().into_ports(), MessageChannel::new().into_ports());
    /// left.post_message("before")?;
    ///
    /// near.join(far);
    /// left.post_message("after")?;
    ///
    /// right.start();
    /// assert_eq!(right.recv().await?.data(), b"before");
    /// assert_eq!(right.recv().await?.data(), b"after");
    /// drop(left);
    /// assert!(right.recv().await.is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn join(self, other: Self) {
        let joint = Arc::new(Joint { one: self, other });
        let arms = [Half::One, Half::Other].map(|half| Arc::new(Arm { joint: joint.clone(), half }));
        // Both lead on before either is looked at, so of two joints that close a ring together at least one sees the other; and
        // before anything is passed on, so whoever gets that finds the way back.
        for arm in &arms {
            arm.port().drain_to(arm.clone());
        }
        if joint.is_too_long() {
            tracing::warn!("two ports were closed and not joined: they lead to each other, or too far");
            return joint.close_as(Gone::Closed);
        }
        for arm in &arms {
            arm.port().drain(&**arm);
        }
    }
}

/// Where two ports are joined. Each has an arm as its target, and is closed with the other; then it lets go of the arm.
struct Joint {
    one: MessagePort,
    other: MessagePort,
}

/// The target of one of the two ports: what comes by it goes on by the other.
struct Arm {
    joint: Arc<Joint>,
    half: Half,
}

#[derive(Clone, Copy)]
enum Half {
    One,
    Other,
}

impl Joint {
    fn close_as(&self, gone: Gone) {
        self.one.close_as(gone);
        self.other.close_as(gone);
    }

    /// Whether there are too many joints on the way through this one, as in a ring that it closes, where there is no end of them.
    fn is_too_long(&self) -> bool {
        let mut joints = 1;
        for port in [&self.one, &self.other] {
            let mut next = arm_at(port.peer_target());
            while let Some(arm) = next {
                joints += 1;
                if joints > MOST_JOINTS || std::ptr::eq(&*arm.joint, self) {
                    return true;
                }
                next = arm_at(arm.way_on().peer_target());
            }
        }
        false
    }
}

impl Arm {
    /// The port whose target this is.
    fn port(&self) -> &MessagePort {
        match self.half {
            Half::One => &self.joint.one,
            Half::Other => &self.joint.other,
        }
    }

    /// The port by which what comes goes on.
    fn way_on(&self) -> &MessagePort {
        match self.half {
            Half::One => &self.joint.other,
            Half::Other => &self.joint.one,
        }
    }
}

impl MessageTarget for Arm {
    fn deliver(&self, parcel: Parcel) {
        // Where joint follows joint, this is a loop and no recursion.
        let mut last: Option<Arc<Self>> = None;
        loop {
            let way_on = last.as_deref().unwrap_or(self).way_on();
            match arm_at(way_on.peer_past_queue()) {
                Some(next) => last = Some(next),
                None => return drop(way_on.post(parcel)),
            }
        }
    }

    fn closed(&self, gone: Gone) {
        self.joint.close_as(gone);
    }

    fn passes_on_by(&self) -> Option<&MessagePort> {
        Some(self.way_on())
    }
}

fn arm_at(target: Option<Arc<dyn MessageTarget>>) -> Option<Arc<Arm>> {
    let target: Arc<dyn Any + Send + Sync> = target?;
    target.downcast().ok()
}

/// Where it goes on behind a target, if that is a joint: the next channel, and who takes what comes at its other end.
pub(super) fn next_joint(
    target: Option<&Arc<dyn MessageTarget>>,
) -> Option<(ChannelId, Option<Arc<dyn MessageTarget>>)> {
    let arm = arm_at(target.cloned())?;
    let way_on = arm.way_on();
    Some((way_on.channel_id(), way_on.peer_target()))
}

/// Where a way leads that begins at a target: past all joints.
pub(crate) fn end_of_joints(mut target: Arc<dyn MessageTarget>) -> Option<Arc<dyn MessageTarget>> {
    loop {
        let any: &dyn Any = &*target;
        let Some(arm) = any.downcast_ref::<Arm>() else { break };
        target = arm.way_on().peer_target_for_answers()?;
    }
    Some(target)
}

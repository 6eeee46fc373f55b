//! Who can hear whom.

use std::{collections::HashMap, fmt, sync::LazyLock};

use super::Medium;
use crate::{
    Message, Origin,
    event_loop::{EventLoop, Remote, TargetKey, Task},
    sync::{Arc, Mutex},
};

/// The broadcast channels that can hear each other: a value that contexts share. Clones are the same group.
///
/// It knows the channels that are open, and keeps none of them.
#[derive(Clone, Default)]
pub struct BroadcastGroup(Arc<Inner>);

#[derive(Default)]
struct Inner {
    registry: Mutex<Registry>,
    /// What leads to other groups.
    medium: Option<Box<dyn Medium>>,
}

/// The channels, by what they must have in common; each list in the order in which they were created.
#[derive(Default)]
struct Registry(HashMap<Topic, Vec<Member>>);

/// What channels that hear each other have in common (BC-06).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Topic {
    /// An opaque origin is a partition of its own (BC-15).
    pub(super) partition: Origin,
    pub(super) name: String,
}

/// Leads to a channel, from any thread.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) remote: Remote,
    pub(super) key: TargetKey,
    /// What the task of a message does. It knows what the channel's messages are read as.
    pub(super) deliver: fn(&EventLoop, TargetKey, &Broadcast),
}

/// A message on its way to many.
pub(super) struct Broadcast {
    /// Its bytes and buffers; it has no ports (BC-05).
    pub(super) message: Message,
    /// The sender's origin, serialised.
    pub(super) origin: String,
}

impl BroadcastGroup {
    /// Makes a group without channels.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a group without channels that reaches other groups by that medium.
    pub fn over(medium: impl Medium + 'static) -> Self {
        Self(Arc::new(Inner { medium: Some(Box::new(medium)), ..Inner::default() }))
    }

    /// The one group that everything in the process can share without being handed it.
    pub fn process() -> &'static Self {
        static PROCESS: LazyLock<BroadcastGroup> = LazyLock::new(BroadcastGroup::new);
        &PROCESS
    }

    /// Adds a channel: whatever is posted from now on, it receives (BC-19).
    pub(super) fn join(&self, topic: &Topic, member: Member) {
        let is_first = self.0.registry.lock().add(topic, member);
        if let (true, Some(medium)) = (is_first, &self.0.medium) {
            medium.opened(&topic.partition, &topic.name);
        }
    }

    /// Takes a channel out, if it is there.
    pub(super) fn leave(&self, topic: &Topic, member: &Member) {
        let left = self.0.registry.lock().remove(topic, member);
        if let (Some(Left { was_last: true, .. }), Some(medium)) = (&left, &self.0.medium) {
            medium.closed(&topic.partition, &topic.name);
        }
        drop(left);
    }

    /// Queues a message for everyone who is there now, but for its sender (BC-06), and for nobody who comes later (BC-07).
    pub(super) fn post(&self, topic: &Topic, sender: &Member, broadcast: Broadcast) {
        if let Some(medium) = &self.0.medium {
            medium.posted(&topic.partition, &topic.name, broadcast.copy());
        }
        self.queue(topic, Some(sender), broadcast);
    }

    /// Queues a message that was posted elsewhere, by somebody of that origin, for everyone who listens here under that name.
    pub fn deliver(&self, partition: &Origin, name: &str, message: Message, origin: impl Into<String>) {
        let topic = Topic { partition: partition.clone(), name: name.to_owned() };
        self.queue(&topic, None, Broadcast { message, origin: origin.into() });
    }

    fn queue(&self, topic: &Topic, sender: Option<&Member>, broadcast: Broadcast) {
        let destinations = self.0.registry.lock().others(topic, sender);
        let broadcast = Arc::new(broadcast);
        for (remote, members) in by_loop(destinations) {
            // BC-10: in each loop one post comes whole before the next, also when two threads post at once.
            remote.queue_all(members.into_iter().map(|member| member.task(broadcast.clone())));
        }
    }
}

/// A channel that has left.
#[expect(dead_code, reason = "the member is there to be dropped")]
struct Left {
    member: Member,
    was_last: bool,
}

impl Registry {
    /// Whether it is the first.
    fn add(&mut self, topic: &Topic, member: Member) -> bool {
        let members = self.0.entry(topic.clone()).or_default();
        members.push(member);
        members.len() == 1
    }

    #[must_use = "drop a member outside the lock: it may be the last that holds its loop's tasks"]
    fn remove(&mut self, topic: &Topic, member: &Member) -> Option<Left> {
        let members = self.0.get_mut(topic)?;
        let position = members.iter().position(|other| other.is_same(member))?;
        let member = members.remove(position);
        let was_last = members.is_empty();
        if was_last {
            self.0.remove(topic);
        }
        Some(Left { member, was_last })
    }

    fn others(&self, topic: &Topic, sender: Option<&Member>) -> Vec<Member> {
        let members = self.0.get(topic).map(Vec::as_slice).unwrap_or_default();
        members.iter().filter(|member| !sender.is_some_and(|sender| member.is_same(sender))).cloned().collect()
    }
}

/// Sorts channels by their loops; those of one loop stay in the order of their creation (BC-09).
fn by_loop(members: Vec<Member>) -> Vec<(Remote, Vec<Member>)> {
    let mut loops: Vec<(Remote, Vec<Member>)> = Vec::new();
    for member in members {
        match loops.iter_mut().find(|(remote, _)| remote.is_same(&member.remote)) {
            Some((_, members)) => members.push(member),
            None => loops.push((member.remote.clone(), vec![member])),
        }
    }
    loops
}

impl Member {
    fn is_same(&self, other: &Self) -> bool {
        self.key == other.key && self.remote.is_same(&other.remote)
    }

    /// The task that a message to this channel is: one for each (LOOP-01).
    fn task(self, broadcast: Arc<Broadcast>) -> Task {
        Box::new(move |event_loop| (self.deliver)(event_loop, self.key, &broadcast))
    }
}

impl Broadcast {
    /// A destination's own copy (BC-12).
    pub(super) fn copy(&self) -> Message {
        self.message.buffers().iter().cloned().fold(Message::new(self.message.data()), Message::with_buffer)
    }
}

impl fmt::Debug for BroadcastGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels: usize = self.0.registry.lock().0.values().map(Vec::len).sum();
        f.debug_struct("BroadcastGroup").field("channels", &channels).finish_non_exhaustive()
    }
}

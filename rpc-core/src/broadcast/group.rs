//! Who can hear whom.

use std::{collections::HashMap, fmt, sync::LazyLock};

use crate::{
    Message, Origin,
    event_loop::{EventLoop, Remote, TargetKey, Task},
    sync::{Arc, Mutex},
};

/// The broadcast channels that can hear each other: a value that contexts share. Clones are the same group.
///
/// It knows the channels that are open, and keeps none of them.
#[derive(Clone, Default)]
pub struct BroadcastGroup(Arc<Mutex<Registry>>);

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

    /// The one group that everything in the process can share without being handed it.
    pub fn process() -> &'static Self {
        static PROCESS: LazyLock<BroadcastGroup> = LazyLock::new(BroadcastGroup::new);
        &PROCESS
    }

    /// Adds a channel: whatever is posted from now on, it receives (BC-19).
    pub(super) fn join(&self, topic: &Topic, member: Member) {
        self.0.lock().0.entry(topic.clone()).or_default().push(member);
    }

    /// Takes a channel out, if it is there.
    pub(super) fn leave(&self, topic: &Topic, member: &Member) {
        let left = self.0.lock().remove(topic, member);
        drop(left);
    }

    /// Queues a message for everyone who is there now, but for its sender (BC-06), and for nobody who comes later (BC-07).
    pub(super) fn post(&self, topic: &Topic, sender: &Member, broadcast: Broadcast) {
        let destinations = self.0.lock().others(topic, sender);
        let broadcast = Arc::new(broadcast);
        for (remote, members) in by_loop(destinations) {
            // BC-10: in each loop one post comes whole before the next, also when two threads post at once.
            remote.queue_all(members.into_iter().map(|member| member.task(broadcast.clone())));
        }
    }
}

impl Registry {
    #[must_use = "drop a member outside the lock: it may be the last that holds its loop's tasks"]
    fn remove(&mut self, topic: &Topic, member: &Member) -> Option<Member> {
        let members = self.0.get_mut(topic)?;
        let position = members.iter().position(|other| other.is_same(member))?;
        let left = members.remove(position);
        if members.is_empty() {
            self.0.remove(topic);
        }
        Some(left)
    }

    fn others(&self, topic: &Topic, sender: &Member) -> Vec<Member> {
        let members = self.0.get(topic).map(Vec::as_slice).unwrap_or_default();
        members.iter().filter(|member| !member.is_same(sender)).cloned().collect()
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
        let channels: usize = self.0.lock().0.values().map(Vec::len).sum();
        f.debug_struct("BroadcastGroup").field("channels", &channels).finish_non_exhaustive()
    }
}

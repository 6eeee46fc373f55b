//! Which channels have something to do, as their ports tell by waking.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Wake, Waker},
};

use futures::task::AtomicWaker;

use super::ChannelId;

/// The channels of one connection that were woken, each once.
#[derive(Debug, Default)]
pub(super) struct Notices {
    woken: Mutex<Vec<ChannelId>>,
    task: AtomicWaker,
}

/// The waker of one channel.
#[derive(Debug)]
pub(super) struct Notice {
    channel: ChannelId,
    /// Whether the channel will be looked at anyway.
    is_due: AtomicBool,
    notices: Arc<Notices>,
}

impl Notices {
    /// The task that is woken from now on.
    pub(super) fn register(&self, waker: &Waker) {
        self.task.register(waker);
    }

    /// Puts those that were woken behind the others that are due.
    pub(super) fn take_into(&self, due: &mut VecDeque<ChannelId>) {
        let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        due.extend(woken.drain(..));
    }

    /// Makes the waker of a channel.
    pub(super) fn of(self: &Arc<Self>, channel: ChannelId) -> Arc<Notice> {
        Arc::new(Notice { channel, is_due: AtomicBool::new(false), notices: self.clone() })
    }
}

impl Notice {
    /// Notes that the channel is to be looked at; false if that is noted already.
    pub(super) fn mark(&self) -> bool {
        !self.is_due.swap(true, Ordering::AcqRel)
    }

    /// The channel is being looked at: who wakes it from now on wants it to be looked at again.
    pub(super) fn unmark(&self) {
        self.is_due.store(false, Ordering::Release);
    }
}

impl Wake for Notice {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.mark() {
            let notices = &self.notices;
            notices.woken.lock().unwrap_or_else(PoisonError::into_inner).push(self.channel);
            notices.task.wake();
        }
    }
}

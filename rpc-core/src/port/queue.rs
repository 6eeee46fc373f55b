//! What waits to be received, in order, and how much it is.

use std::{collections::VecDeque, mem};

use super::{Parcel, Queued};

/// Parcels in the order of posting (LOOP-04).
#[derive(Default)]
pub(super) struct Queue {
    parcels: VecDeque<Parcel>,
    bytes: usize,
}

impl Queue {
    /// Adds the newest.
    #[inline]
    pub(super) fn push(&mut self, parcel: Parcel) {
        // A value has two words, and is moved so: as a parcel, it would be read with the room for a message, just after it was written.
        match parcel {
            Parcel::Value(value) => self.parcels.push_back(Parcel::Value(value)),
            Parcel::Message(message) => {
                self.bytes += message.size();
                self.parcels.push_back(Parcel::Message(message));
            }
        }
    }

    /// Takes the oldest.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Parcel> {
        self.pop_to(|parcel| parcel)
    }

    /// Takes the oldest, and does something with it: apart for a value and for a message, each of which is then moved by itself.
    #[inline(always)]
    pub(super) fn pop_to<R>(&mut self, to: impl FnOnce(Parcel) -> R) -> Option<R> {
        Some(match self.parcels.pop_front()? {
            Parcel::Value(value) => to(Parcel::Value(value)),
            Parcel::Message(message) => {
                self.bytes -= message.size();
                to(Parcel::Message(message))
            }
        })
    }

    /// Puts everything that is older in front, and leaves it empty. Moves whichever are fewer, one by one.
    pub(super) fn prepend(&mut self, older: &mut Self) {
        self.bytes += mem::take(&mut older.bytes);
        if older.len() < self.len() {
            while let Some(parcel) = older.parcels.pop_back() {
                self.parcels.push_front(parcel);
            }
        } else {
            older.parcels.append(&mut self.parcels);
            mem::swap(&mut self.parcels, &mut older.parcels);
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.parcels.len()
    }

    /// Whether there are none.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.parcels.is_empty()
    }

    /// How much there is.
    pub(super) fn queued(&self) -> Queued {
        Queued { messages: self.parcels.len(), bytes: self.bytes }
    }

    /// Takes everything, and the room that it was in.
    #[must_use = "drop messages outside the lock"]
    pub(super) fn take(&mut self) -> VecDeque<Parcel> {
        mem::take(self).parcels
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    fn queue(numbers: impl IntoIterator<Item = u8>) -> Queue {
        let mut queue = Queue::default();
        for number in numbers {
            queue.push(Parcel::Message(Message::new([number])));
        }
        queue
    }

    fn numbers(mut queue: Queue) -> Vec<u8> {
        let mut numbers = Vec::new();
        while let Some(Parcel::Message(message)) = queue.pop() {
            numbers.push(message.data()[0]);
        }
        assert_eq!(queue.queued(), Queued::default());
        numbers
    }

    /// LOOP-04
    #[test]
    fn what_is_older_comes_first_whichever_of_the_two_queues_is_longer() {
        for middle in 0..=6 {
            let (mut older, mut newer) = (queue(0..middle), queue(middle..6));

            newer.prepend(&mut older);

            assert!(older.is_empty());
            assert_eq!(newer.queued(), Queued { messages: 6, bytes: 6 });
            assert_eq!(numbers(newer), [0, 1, 2, 3, 4, 5]);
        }
    }
}

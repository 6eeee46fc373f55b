//! What waits to be received, in order, and how much it is.

use std::{collections::VecDeque, mem};

use super::{Carried, Parcel, Queued};

/// Parcels in the order of posting (LOOP-04).
#[derive(Default)]
pub(super) struct Queue {
    /// The oldest, if nothing else waited when it came: where no more ever waits than one, no memory is asked for.
    oldest: Option<Parcel>,
    newer: Batch,
}

impl Queue {
    /// Adds the newest.
    #[inline]
    pub(super) fn push(&mut self, parcel: Parcel) {
        if !self.is_empty() {
            return self.newer.push(parcel);
        }
        // A value has two words, and is moved so: as a parcel, it would be read with the room for a message, just after it was written.
        self.oldest = match parcel {
            Parcel::Value(value) => Some(Parcel::Value(value)),
            Parcel::Message(message) => Some(Parcel::Message(message)),
        };
    }

    /// Takes the oldest.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Parcel> {
        match self.oldest.take() {
            Some(Parcel::Value(value)) => Some(Parcel::Value(value)),
            Some(Parcel::Message(message)) => Some(Parcel::Message(message)),
            None => self.newer.pop(),
        }
    }

    /// Takes the oldest, if it is a value, and nothing else waited when it came: by itself, for to take a parcel is to write the room of one in its
    /// place.
    #[inline(always)]
    pub(super) fn pop_value(&mut self) -> Option<Carried> {
        let Some(Parcel::Value(value)) = &mut self.oldest else { return None };
        let value = value.take();
        // Nothing is left in it to be dropped.
        mem::forget(self.oldest.take());
        Some(value)
    }

    /// Lends everything to an empty batch.
    pub(super) fn lend(&mut self, batch: &mut Batch) {
        debug_assert!(batch.is_empty(), "who locks the side takes the batch back");
        self.spill();
        mem::swap(&mut self.newer, batch);
    }

    /// Puts everything that is older in front, and leaves it empty.
    pub(super) fn prepend(&mut self, older: &mut Batch) {
        self.spill();
        self.newer.prepend(older);
    }

    /// Puts the oldest where the others are.
    fn spill(&mut self) {
        if let Some(oldest) = self.oldest.take() {
            self.newer.push_front(oldest);
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.newer.len() + usize::from(self.oldest.is_some())
    }

    /// Whether there are none.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.oldest.is_none() && self.newer.is_empty()
    }

    /// How much there is.
    pub(super) fn queued(&self) -> Queued {
        Queued { messages: self.len(), bytes: self.newer.bytes() + self.oldest.as_ref().map_or(0, size) }
    }

    /// Takes everything, and the room that it was in.
    #[must_use = "drop messages outside the lock"]
    pub(super) fn take(&mut self) -> VecDeque<Parcel> {
        self.spill();
        self.newer.take()
    }
}

/// What a reader has taken over of a queue, in the same order.
///
/// Few ports ever have more than one parcel waiting, so it is a word until there is one.
#[derive(Default)]
pub(super) struct Batch(Option<Box<Parcels>>);

#[derive(Default)]
struct Parcels {
    parcels: VecDeque<Parcel>,
    bytes: usize,
}

impl Batch {
    /// Adds the newest.
    #[inline]
    fn push(&mut self, parcel: Parcel) {
        let Parcels { parcels, bytes } = &mut **self.0.get_or_insert_default();
        match parcel {
            Parcel::Value(value) => parcels.push_back(Parcel::Value(value)),
            Parcel::Message(message) => {
                *bytes += message.size();
                parcels.push_back(Parcel::Message(message));
            }
        }
    }

    fn push_front(&mut self, oldest: Parcel) {
        let Parcels { parcels, bytes } = &mut **self.0.get_or_insert_default();
        *bytes += size(&oldest);
        parcels.push_front(oldest);
    }

    /// Takes the oldest.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Parcel> {
        self.pop_to(|parcel| parcel)
    }

    /// Takes the oldest, and does something with it: apart for a value and for a message, each of which is then moved by itself.
    #[inline(always)]
    pub(super) fn pop_to<R>(&mut self, to: impl FnOnce(Parcel) -> R) -> Option<R> {
        let Parcels { parcels, bytes } = &mut **self.0.as_mut()?;
        Some(match parcels.pop_front()? {
            Parcel::Value(value) => to(Parcel::Value(value)),
            Parcel::Message(message) => {
                *bytes -= message.size();
                to(Parcel::Message(message))
            }
        })
    }

    /// Puts everything that is older in front, and leaves it empty. Moves whichever are fewer, one by one.
    fn prepend(&mut self, older: &mut Self) {
        if older.len() > self.len() {
            mem::swap(self, older);
            while let Some(parcel) = older.pop() {
                self.push(parcel);
            }
        } else {
            while let Some(parcel) = older.pop_back() {
                self.push_front(parcel);
            }
        }
    }

    fn pop_back(&mut self) -> Option<Parcel> {
        let Parcels { parcels, bytes } = &mut **self.0.as_mut()?;
        let parcel = parcels.pop_back()?;
        *bytes -= size(&parcel);
        Some(parcel)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |batch| batch.parcels.len())
    }

    /// Whether there are none.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|batch| batch.parcels.is_empty())
    }

    /// How many bytes of messages.
    fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |batch| batch.bytes)
    }

    /// Takes everything, and the room that it was in.
    #[must_use = "drop messages outside the lock"]
    pub(super) fn take(&mut self) -> VecDeque<Parcel> {
        self.0.take().map(|batch| batch.parcels).unwrap_or_default()
    }
}

/// How many bytes it counts for where it waits.
fn size(parcel: &Parcel) -> usize {
    match parcel {
        Parcel::Value(_) => 0,
        Parcel::Message(message) => message.size(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    fn parcel(number: u8) -> Parcel {
        Parcel::Message(Message::new([number]))
    }

    fn queue(numbers: impl IntoIterator<Item = u8>) -> Queue {
        let mut queue = Queue::default();
        numbers.into_iter().for_each(|number| queue.push(parcel(number)));
        queue
    }

    fn batch(numbers: impl IntoIterator<Item = u8>) -> Batch {
        let mut batch = Batch::default();
        numbers.into_iter().for_each(|number| batch.push(parcel(number)));
        batch
    }

    fn number(parcel: &Parcel) -> u8 {
        let Parcel::Message(message) = parcel else { panic!("a value is in it") };
        message.data()[0]
    }

    fn numbers(mut queue: Queue) -> Vec<u8> {
        let numbers = std::iter::from_fn(|| queue.pop()).map(|parcel| number(&parcel)).collect();
        assert_eq!(queue.queued(), Queued::default());
        numbers
    }

    /// LOOP-04
    #[test]
    fn what_is_older_comes_first_whichever_of_the_two_queues_is_longer() {
        for middle in 0..=6 {
            let (mut older, mut newer) = (batch(0..middle), queue(middle..6));

            newer.prepend(&mut older);

            assert!(older.is_empty());
            assert_eq!(newer.queued(), Queued { messages: 6, bytes: 6 });
            assert_eq!(numbers(newer), [0, 1, 2, 3, 4, 5]);
        }
    }

    /// LOOP-04
    #[test]
    fn parcels_keep_their_order_however_they_come_and_go() {
        // A push, a pop, or everything lent and put back, by turns in each order there is.
        for steps in 0..3_u32.pow(8) {
            let (mut queue, mut model, mut next) = (Queue::default(), VecDeque::new(), 0);
            for step in (0..8).map(|at| steps / 3_u32.pow(at) % 3) {
                match step {
                    0 => {
                        queue.push(parcel(next));
                        model.push_back(next);
                        next += 1;
                    }
                    1 => assert_eq!(queue.pop().map(|parcel| number(&parcel)), model.pop_front()),
                    _ => {
                        let mut lent = Batch::default();
                        queue.lend(&mut lent);
                        assert!(queue.is_empty());
                        queue.push(parcel(next));
                        queue.prepend(&mut lent);
                        model.push_back(next);
                        next += 1;
                    }
                }
                assert_eq!(queue.queued(), Queued { messages: model.len(), bytes: model.len() });
                assert_eq!((queue.len(), queue.is_empty()), (model.len(), model.is_empty()));
            }
            assert_eq!(queue.take().iter().map(number).collect::<Vec<_>>(), Vec::from(model));
        }
    }

    #[test]
    fn one_parcel_at_a_time_asks_for_no_memory() {
        let mut queue = Queue::default();
        for _ in 0..3 {
            queue.push(parcel(7));
            assert!(queue.pop().is_some());
        }
        assert_eq!(queue.take().capacity(), 0);
    }
}

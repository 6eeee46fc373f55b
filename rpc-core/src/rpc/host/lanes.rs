//! What came to the ports of a service and was not taken yet: a lane for each port, and each in its turn. Pure: it neither locks nor
//! wakes nor drops.

use std::collections::VecDeque;

use super::slots::{Key, Slots};
use crate::port::Parcel;

/// Names a port of a service, beside its first.
pub(in crate::rpc) type SeatKey = Key;

/// The lanes of all ports. They are emptied by turns, one thing each: so the calls of one port keep their order, and a port at which
/// very many wait holds up nobody else. Between two of them there is no order (C16).
#[derive(Debug, Default)]
pub(in crate::rpc) struct Lanes {
    lanes: Slots<Lane>,
    /// Those in which something waits, each once.
    ready: VecDeque<SeatKey>,
}

/// Nearly always nothing waits in it, or one thing: that has its place here, and no memory is asked for.
#[derive(Debug, Default)]
struct Lane {
    first: Option<Parcel>,
    /// Those behind the first.
    more: VecDeque<Parcel>,
    is_closed: bool,
    is_ready: bool,
}

impl Lane {
    #[inline]
    fn push(&mut self, parcel: Parcel) {
        match self.first {
            None => self.first = Some(parcel),
            Some(_) => self.more.push_back(parcel),
        }
    }

    #[inline]
    fn pop(&mut self) -> Option<Thing> {
        match self.first.take() {
            Some(parcel) => {
                if !self.more.is_empty() {
                    self.first = self.more.pop_front();
                }
                Some(Thing::Parcel(parcel))
            }
            None => self.is_closed.then_some(Thing::Closed),
        }
    }

    /// Whether the lane is to be noted as one in which something waits: the first time.
    #[inline]
    fn gets_ready(&mut self) -> bool {
        !std::mem::replace(&mut self.is_ready, true)
    }
}

/// What is taken out of a lane.
#[derive(Debug)]
pub(in crate::rpc) enum Thing {
    /// It was posted.
    Parcel(Parcel),
    /// Nothing more comes: the port is closed. The last of a lane.
    Closed,
}

impl Thing {
    pub(in crate::rpc) fn into_parcel(self) -> Option<Parcel> {
        match self {
            Self::Parcel(parcel) => Some(parcel),
            Self::Closed => None,
        }
    }
}

impl Lanes {
    /// Adds a lane.
    pub(in crate::rpc) fn add(&mut self) -> Option<SeatKey> {
        self.lanes.insert(Lane::default())
    }

    /// Puts in what was posted; hands it back if there is no such lane.
    #[must_use = "drop what is refused outside the lock"]
    pub(in crate::rpc) fn push(&mut self, key: SeatKey, parcel: Parcel) -> Option<Parcel> {
        let Some(lane) = self.lanes.get_mut(key) else { return Some(parcel) };
        lane.push(parcel);
        if lane.gets_ready() {
            self.ready.push_back(key);
        }
        None
    }

    /// Notes that a port is closed.
    pub(in crate::rpc) fn close(&mut self, key: SeatKey) {
        let Some(lane) = self.lanes.get_mut(key) else { return };
        lane.is_closed = true;
        if lane.gets_ready() {
            self.ready.push_back(key);
        }
    }

    /// Takes at most so many things out, by turns. Whether there may be more.
    pub(in crate::rpc) fn take(&mut self, most: usize, to: &mut VecDeque<(SeatKey, Thing)>) -> bool {
        for _ in 0..most {
            let Some(key) = self.ready.pop_front() else { return false };
            // A lane may have been removed while it was ready.
            let Some(lane) = self.lanes.get_mut(key) else { continue };
            let Some(thing) = lane.pop() else { continue };
            lane.is_ready = lane.first.is_some() || (lane.is_closed && matches!(thing, Thing::Parcel(_)));
            if lane.is_ready {
                self.ready.push_back(key);
            }
            to.push_back((key, thing));
        }
        !self.ready.is_empty()
    }

    /// Removes a lane, with what waits in it.
    #[must_use = "drop what waits outside the lock"]
    pub(in crate::rpc) fn remove(&mut self, key: SeatKey) -> VecDeque<Parcel> {
        let Some(Lane { first, mut more, .. }) = self.lanes.remove(key) else { return VecDeque::new() };
        if let Some(first) = first {
            more.push_front(first);
        }
        more
    }

    /// How many lanes there are.
    pub(in crate::rpc) fn len(&self) -> usize {
        self.lanes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    fn parcel(number: u8) -> Parcel {
        Parcel::Message(Message::new([number]))
    }

    fn taken(lanes: &mut Lanes, most: usize) -> Vec<(SeatKey, Option<u8>)> {
        let mut to = VecDeque::new();
        let _has_more = lanes.take(most, &mut to);
        let number = |thing| match thing {
            Thing::Parcel(Parcel::Message(message)) => Some(message.data()[0]),
            Thing::Parcel(Parcel::Value(_)) | Thing::Closed => None,
        };
        to.into_iter().map(|(key, thing)| (key, number(thing))).collect()
    }

    #[test]
    fn one_who_has_posted_very_much_holds_nobody_up_and_each_keeps_its_order() {
        let mut lanes = Lanes::default();
        let (loud, quiet) = (lanes.add().unwrap(), lanes.add().unwrap());
        (0..100).for_each(|number| assert!(lanes.push(loud, parcel(number)).is_none()));
        (100..102).for_each(|number| assert!(lanes.push(quiet, parcel(number)).is_none()));

        let taken = taken(&mut lanes, 5);

        let expected = [(loud, 0), (quiet, 100), (loud, 1), (quiet, 101), (loud, 2)];
        assert_eq!(taken, expected.map(|(key, number)| (key, Some(number))));
    }

    #[test]
    fn the_end_of_a_port_comes_after_all_that_was_posted_and_once() {
        let mut lanes = Lanes::default();
        let key = lanes.add().unwrap();
        assert!(lanes.push(key, parcel(1)).is_none());
        lanes.close(key);

        assert_eq!(taken(&mut lanes, 9), [(key, Some(1)), (key, None)]);

        assert_eq!(taken(&mut lanes, 9), []);
    }

    #[test]
    fn what_is_posted_to_a_lane_that_was_removed_comes_back_and_what_waited_in_it_too() {
        let mut lanes = Lanes::default();
        let key = lanes.add().unwrap();
        assert!(lanes.push(key, parcel(1)).is_none());

        assert_eq!(lanes.remove(key).len(), 1);

        assert!(lanes.push(key, parcel(2)).is_some());
        assert_eq!(taken(&mut lanes, 9), []);
        assert_eq!(lanes.len(), 0);
    }
}

//! Places under keys that never come back: the key of something that is gone names nothing, whoever has its place by now.

/// Names a place, and what was put there. Something that is put there later has another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::rpc) struct Key {
    index: u32,
    /// How often the place was given away before.
    generation: u32,
}

impl Key {
    /// That of what [`Slots`] began with.
    pub(in crate::rpc) const FIRST: Self = Self { index: 0, generation: 0 };

    /// The key as a number, to be said to others.
    pub(in crate::rpc) fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// The key that a number says, whether there is such a thing or not.
    pub(in crate::rpc) fn from_bits(bits: u64) -> Self {
        // Truncated on purpose: the lower half is the place.
        Self { index: bits as u32, generation: (bits >> 32) as u32 }
    }
}

/// Things under keys. Finding one takes one look, however many there are.
#[derive(Debug)]
pub(in crate::rpc) struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    len: usize,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), len: 0 }
    }
}

impl<T> Slots<T> {
    /// Begins with one thing, whose key is [`Key::FIRST`].
    pub(in crate::rpc) fn with(value: T) -> Self {
        Self { slots: vec![Slot { generation: 0, value: Some(value) }], free: Vec::new(), len: 1 }
    }

    /// Puts something in, and tells its key. `None` if there are as many as there can be: four thousand million.
    pub(in crate::rpc) fn insert(&mut self, value: T) -> Option<Key> {
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                let index = u32::try_from(self.slots.len()).ok()?;
                self.slots.push(Slot { generation: 0, value: None });
                index
            }
        };
        let slot = self.slots.get_mut(index as usize)?;
        slot.value = Some(value);
        self.len += 1;
        Some(Key { index, generation: slot.generation })
    }

    pub(in crate::rpc) fn get(&self, key: Key) -> Option<&T> {
        let slot = self.slots.get(key.index as usize)?;
        slot.value.as_ref().filter(|_| slot.generation == key.generation)
    }

    #[inline]
    pub(in crate::rpc) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.index as usize)?;
        slot.value.as_mut().filter(|_| slot.generation == key.generation)
    }

    /// Takes something out. Its key names nothing from now on.
    pub(in crate::rpc) fn remove(&mut self, key: Key) -> Option<T> {
        let slot = self.slots.get_mut(key.index as usize).filter(|slot| slot.generation == key.generation)?;
        let value = slot.value.take()?;
        self.len -= 1;
        // A place that was given away as often as can be counted stays empty.
        if let Some(next) = slot.generation.checked_add(1) {
            slot.generation = next;
            self.free.push(key.index);
        }
        Some(value)
    }

    pub(in crate::rpc) fn len(&self) -> usize {
        self.len
    }

    /// Everything, in no order that means anything.
    pub(in crate::rpc) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let index = u32::try_from(index).ok()?;
            slot.value.as_ref().map(|value| (Key { index, generation: slot.generation }, value))
        })
    }
}

/// What is kept beside the things in [`Slots`], under the same keys.
#[derive(Debug)]
pub(in crate::rpc) struct Beside<T>(Vec<Option<(u32, T)>>, usize);

impl<T> Default for Beside<T> {
    fn default() -> Self {
        Self(Vec::new(), 0)
    }
}

impl<T> Beside<T> {
    /// Puts something beside the thing of that key, in place of what was there.
    pub(in crate::rpc) fn insert(&mut self, key: Key, value: T) -> Option<T> {
        let index = key.index as usize;
        if self.0.len() <= index {
            self.0.resize_with(index + 1, || None);
        }
        let former = self.0.get_mut(index)?.replace((key.generation, value));
        self.1 += usize::from(former.is_none());
        former.map(|(_, value)| value)
    }

    #[inline]
    pub(in crate::rpc) fn get(&self, key: Key) -> Option<&T> {
        let (generation, value) = self.0.get(key.index as usize)?.as_ref()?;
        (*generation == key.generation).then_some(value)
    }

    pub(in crate::rpc) fn remove(&mut self, key: Key) -> Option<T> {
        let place = self.0.get_mut(key.index as usize)?;
        let (_, value) = place.take_if(|(generation, _)| *generation == key.generation)?;
        self.1 -= 1;
        Some(value)
    }

    pub(in crate::rpc) fn is_empty(&self) -> bool {
        self.1 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_what_is_gone_names_nothing_although_its_place_is_taken_again() {
        let mut slots = Slots::default();
        let first = slots.insert("first").unwrap();
        let mut beside = Beside::default();
        beside.insert(first, 1);
        assert_eq!(slots.remove(first), Some("first"));

        let second = slots.insert("second").unwrap();
        beside.insert(second, 2);

        assert_eq!(second.index, first.index, "a place is used again");
        assert_eq!(slots.get(first), None);
        assert_eq!(slots.get_mut(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!((slots.get(second), slots.len()), (Some(&"second"), 1));
        assert_eq!(beside.get(first), None);
        assert_eq!(beside.remove(first), None);
        assert_eq!(beside.get(second), Some(&2));
        assert_eq!(beside.remove(second), Some(2));
        assert!(beside.is_empty());
    }

    #[test]
    fn a_place_that_was_given_away_as_often_as_can_be_counted_stays_empty() {
        let mut slots = Slots::default();
        let key = slots.insert("first").unwrap();
        slots.slots[0].generation = u32::MAX;

        assert!(slots.remove(Key { generation: u32::MAX, ..key }).is_some());

        assert_eq!(slots.insert("second").map(|key| key.index), Some(1));
    }
}

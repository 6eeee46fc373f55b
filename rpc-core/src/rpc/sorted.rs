//! What is kept in the order of its keys, and comes and goes all the time.
//!
//! Short lists, one after the other: a key is looked for among the lists, then in its list, and what is moved aside for it is never more than
//! those. std's maps in order do the same, in several times the code for each type of key.

use std::ops::RangeInclusive;

/// Values by their keys, which are in order.
#[derive(Debug)]
pub(super) struct Sorted<K, V> {
    /// None is empty but an only one, which keeps its room.
    lists: Vec<Vec<(K, V)>>,
}

/// How many are in a list, at most.
const MOST: usize = 64;

/// How many may be in two lists beside each other that become one.
const FEW: usize = MOST / 2;

impl<K: Copy + Ord, V> Sorted<K, V> {
    pub(super) const fn new() -> Self {
        Self { lists: Vec::new() }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.lists.first().is_none_or(Vec::is_empty)
    }

    /// The first of all keys.
    pub(super) fn first(&self) -> Option<&K> {
        let (first, _) = self.lists.first()?.first()?;
        Some(first)
    }

    pub(super) fn contains(&self, key: &K) -> bool {
        self.place(key).1.is_ok()
    }

    /// The keys there are from one to another, both included.
    pub(super) fn keys_in(&self, range: RangeInclusive<K>) -> Vec<K> {
        let lists = self.lists.iter().skip(self.list_of(range.start()));
        let keys = lists.flatten().map(|(key, _)| *key);
        keys.skip_while(|key| key < range.start()).take_while(|key| key <= range.end()).collect()
    }

    /// Adds a value, in the place of one that has its key.
    pub(super) fn insert(&mut self, key: K, value: V) {
        let (at, within) = self.place(&key);
        if self.lists.is_empty() {
            self.lists.push(Vec::new());
        }
        let Some(list) = self.lists.get_mut(at) else { return };
        match within {
            Ok(here) => list[here].1 = value,
            Err(here) => list.insert(here, (key, value)),
        }
        if list.len() > MOST {
            let upper = list.split_off(FEW);
            self.lists.insert(at + 1, upper);
        }
    }

    /// Takes out the value that has this key.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let (at, within) = self.place(key);
        let list = self.lists.get_mut(at)?;
        let (_, value) = list.remove(within.ok()?);
        if list.len() < FEW {
            self.join(at);
            self.join(at.saturating_sub(1));
        }
        Some(value)
    }

    /// Makes one list of this one and the next, if they are short.
    fn join(&mut self, at: usize) {
        let Some([one, next]) = self.lists.get_mut(at..at + 2) else { return };
        if one.is_empty() || one.len() + next.len() <= FEW {
            one.append(next);
        }
        if next.is_empty() {
            self.lists.remove(at + 1);
        }
    }

    /// The number of the list in which a key is, or would be; none may be there.
    #[inline]
    fn list_of(&self, key: &K) -> usize {
        let before = self.lists.partition_point(|list| list.last().is_some_and(|(last, _)| last < key));
        // After all others it belongs into the last.
        before.min(self.lists.len().saturating_sub(1))
    }

    /// The list of a key; and where it is in that, or where it belongs.
    #[inline]
    fn place(&self, key: &K) -> (usize, Result<usize, usize>) {
        let at = self.list_of(key);
        (at, self.lists.get(at).map_or(Err(0), |list| list.binary_search_by_key(key, |(own, _)| *own)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    impl<K: Copy + Ord, V> Sorted<K, V> {
        #[track_caller]
        fn assert_in_order(&self, expected: &BTreeMap<K, V>)
        where
            K: std::fmt::Debug,
            V: Copy + PartialEq + std::fmt::Debug,
        {
            let all: Vec<_> = self.lists.iter().flatten().copied().collect();
            assert_eq!(all, expected.iter().map(|(key, value)| (*key, *value)).collect::<Vec<_>>());
            assert!(self.lists.iter().all(|list| list.len() <= MOST));
            assert!(self.lists.len() == 1 || self.lists.iter().all(|list| !list.is_empty()));
        }
    }

    /// As many numbers, which are the same in every run.
    fn random(count: usize) -> impl Iterator<Item = u64> {
        let next = |last: &u64| last.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::iter::successors(Some(1), move |last| Some(next(last))).map(|number| number >> 33).take(count)
    }

    #[test]
    fn what_comes_and_goes_at_random_is_what_a_map_has() {
        let (mut sorted, mut model) = (Sorted::new(), BTreeMap::new());
        for (step, number) in random(20_000).enumerate() {
            // More and more, then fewer and fewer.
            let (key, adds) = (number % 1000, if step < 10_000 { 3 } else { 1 });
            if number / 1000 % 4 < adds {
                sorted.insert(key, step);
                model.insert(key, step);
            } else {
                assert_eq!(sorted.remove(&key), model.remove(&key));
            }
            assert_eq!(sorted.contains(&(key + 1)), model.contains_key(&(key + 1)));
            assert_eq!((sorted.first(), sorted.is_empty()), (model.keys().next(), model.is_empty()));
            if step % 100 == 0 {
                sorted.assert_in_order(&model);
                let range = key..=key + 50;
                assert_eq!(sorted.keys_in(range.clone()), model.range(range).map(|(key, _)| *key).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn what_is_emptied_from_either_end_keeps_one_list() {
        for from_the_end in [false, true] {
            let mut sorted = Sorted::new();
            (0..1000).for_each(|key| sorted.insert(key, ()));
            assert!(sorted.lists.len() < 40);

            let keys: Vec<_> = if from_the_end { (0..1000).rev().collect() } else { (0..1000).collect() };
            assert!(keys.iter().all(|key| sorted.remove(key).is_some()));

            assert!(sorted.is_empty() && sorted.lists.len() == 1);
            assert_eq!((sorted.remove(&7), sorted.first(), sorted.keys_in(0..=9)), (None, None, vec![]));
        }
    }

    #[test]
    fn few_that_are_left_of_many_lie_in_few_lists() {
        let mut sorted = Sorted::new();
        (0..6400).for_each(|key| sorted.insert(key, ()));

        (0..6400).filter(|key| key % 64 != 0).for_each(|key| assert!(sorted.remove(&key).is_some()));

        assert!(sorted.lists.len() <= 8, "{}", sorted.lists.len());
        assert_eq!(sorted.keys_in(60..=130), [64, 128]);
    }
}

//! Calls that wait for a reply, each in a place that its number leads to.
//!
//! Numbers go up and are not used twice, so those that are out at one time lie close together: the lowest bits of a number say where its call is,
//! and nothing is hashed or searched. A number whose place is taken by a call that has waited very long is left out.

use super::frame::CallId;

/// What waits, by its number.
#[derive(Debug)]
pub(super) struct Outstanding<T> {
    /// A power of two, or none, and at most half full.
    places: Box<[Option<(CallId, T)>]>,
    used: usize,
    next: u64,
}

/// How many places there are at first.
const FEW: usize = 4;

impl<T> Outstanding<T> {
    /// Nothing waits; numbers begin there.
    pub(super) fn counted_from(next: u64) -> Self {
        Self { places: Box::default(), used: 0, next }
    }

    /// A number that nothing has, had or will have.
    pub(super) fn unused_id(&mut self) -> CallId {
        let id = self.next;
        self.next = id.wrapping_add(1);
        CallId(id)
    }

    /// Adds something, which is made in its place, and tells its number.
    #[inline]
    pub(super) fn add(&mut self, it: impl FnOnce() -> T) -> CallId {
        if self.used * 2 >= self.places.len() {
            self.grow();
        }
        loop {
            let id = self.unused_id();
            let at = self.place(id);
            // At least half of the places are free.
            let Some(place @ None) = self.places.get_mut(at) else { continue };
            *place = Some((id, it()));
            self.used += 1;
            return id;
        }
    }

    /// Looks at what has this number.
    pub(super) fn get_mut(&mut self, id: CallId) -> Option<&mut T> {
        let at = self.place(id);
        let (own, it) = self.places.get_mut(at)?.as_mut()?;
        (*own == id).then_some(it)
    }

    /// Takes out what has this number.
    #[inline]
    pub(super) fn take(&mut self, id: CallId) -> Option<T> {
        let at = self.place(id);
        let place = self.places.get_mut(at)?;
        if !matches!(place, Some((own, _)) if *own == id) {
            return None;
        }
        let (_, it) = place.take()?;
        self.used -= 1;
        Some(it)
    }

    /// Takes out everything, and the room that it was in.
    pub(super) fn take_all(&mut self) -> Vec<T> {
        let places = std::mem::take(&mut self.places);
        if std::mem::take(&mut self.used) == 0 {
            return Vec::new();
        }
        places.into_iter().flatten().map(|(_, it)| it).collect()
    }

    /// Where something of this number is, if it is anywhere. Truncated on purpose: the lowest bits count.
    #[inline]
    fn place(&self, CallId(id): CallId) -> usize {
        id as usize & self.places.len().wrapping_sub(1)
    }

    /// Doubles the room. Numbers whose lowest bits are different are different with one bit more.
    #[cold]
    fn grow(&mut self) {
        let former = std::mem::take(&mut self.places);
        self.places = (0..(former.len() * 2).max(FEW)).map(|_| None).collect();
        for (id, it) in former.into_iter().flatten() {
            let at = self.place(id);
            if let Some(place) = self.places.get_mut(at) {
                *place = Some((id, it));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_was_added_is_found_by_its_number_and_once() {
        let mut outstanding = Outstanding::counted_from(7 << 32);
        let (one, two) = (outstanding.add(|| "one"), outstanding.add(|| "two"));

        assert_eq!((one, two), (CallId(7 << 32), CallId((7 << 32) + 1)));
        assert_eq!(outstanding.take(two), Some("two"));
        assert_eq!(outstanding.take(two), None);
        assert_eq!(outstanding.get_mut(one), Some(&mut "one"));
        assert_eq!(outstanding.take_all(), ["one"]);
        assert_eq!(outstanding.take(one), None);
    }

    #[test]
    fn no_number_that_was_not_given_out_finds_anything() {
        let mut outstanding = Outstanding::counted_from(0);
        assert_eq!(outstanding.take(CallId(0)), None);
        let ids: Vec<_> = (0..5).map(|it| outstanding.add(|| it)).collect();

        for other in (5..200).chain([u64::MAX, 1 << 32]) {
            assert_eq!(outstanding.take(CallId(other)), None, "{other}");
        }

        assert!((0..5).all(|it| outstanding.take(ids[it]) == Some(it)));
    }

    #[test]
    fn one_that_waits_for_ever_keeps_its_place_and_makes_nothing_grow() {
        let mut outstanding = Outstanding::counted_from(0);
        let first = outstanding.add(|| 0);

        for it in 1..10_000 {
            let id = outstanding.add(|| it);
            assert_eq!(outstanding.take(id), Some(it));
        }

        assert_eq!(outstanding.places.len(), FEW);
        assert_eq!(outstanding.take(first), Some(0));
    }

    #[test]
    fn numbers_go_up_and_lead_to_what_they_were_given_for_whatever_ends_in_whatever_order() {
        let mut outstanding = Outstanding::counted_from(u64::from(u32::MAX) - 500);
        let mut model = BTreeMap::new();
        let mut last = None;
        let mut random = 1_u64;
        for step in 0..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if random >> 62 != 0 && model.len() < 300 {
                let id = outstanding.add(|| step);
                assert!(last < Some(id), "a number was used twice");
                last = Some(id);
                model.insert(id, step);
            } else if let Some(id) = model.keys().nth(random as usize % model.len().max(1)).copied() {
                assert_eq!(outstanding.take(id), model.remove(&id));
            }
            assert_eq!(outstanding.used, model.len());
        }
        assert!(outstanding.places.len() <= 1024);
    }
}

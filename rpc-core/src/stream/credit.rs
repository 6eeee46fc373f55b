//! Credit: how much a producer may send, and what a consumer has granted. Pure.

use std::mem::needs_drop;

use serde::{Deserialize, Serialize};

/// How much of a stream may be on its way: sent, and not taken out of the [`Streaming`](super::Streaming) yet.
///
/// An item counts as many bytes as it has when it is encoded; one that stays in the process counts the size of its type. As long as
/// a byte is left one more item may be sent, however large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// That many items; 0 is 1.
    pub items: u32,
    /// That many bytes; 0 is 1.
    pub bytes: u32,
}

impl Default for Window {
    /// 1024 items, 1 MiB.
    fn default() -> Self {
        Self { items: 1024, bytes: 1 << 20 }
    }
}

impl Window {
    /// What a consumer grants of items of a type where it says nothing: the [default](Self::default), and 8192 items where they are nothing but
    /// their own bytes, as numbers are, which the limit to bytes bounds. Others may own memory that nobody counts in the process.
    ///
    /// Where producer and consumer sleep in between, as threads do, they wake each other once for half of a window.
    #[must_use]
    pub const fn of<T>() -> Self {
        Self { items: if needs_drop::<T>() { 1024 } else { 8192 }, bytes: 1 << 20 }
    }
}

/// What a producer may still send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Credit {
    items: u32,
    /// Below zero after an item that was larger than what was left.
    bytes: i64,
}

impl Credit {
    /// Items, and bytes; none below zero.
    pub(super) fn amounts(self) -> (u32, u64) {
        (self.items, u64::try_from(self.bytes).unwrap_or(0))
    }

    /// Whether one more item may be sent.
    #[inline]
    pub(super) fn is_left(self) -> bool {
        self.items > 0 && self.bytes > 0
    }

    /// Adds what the consumer granted. More than fits is clamped.
    pub(super) fn add(&mut self, grant: Window) {
        self.items = self.items.saturating_add(grant.items);
        self.bytes = self.bytes.saturating_add(i64::from(grant.bytes));
    }

    /// Spends some for items that were sent.
    #[inline]
    pub(super) fn spend(&mut self, items: u32, bytes: u64) {
        self.items = self.items.saturating_sub(items);
        self.bytes = self.bytes.saturating_sub_unsigned(bytes);
    }
}

/// What a consumer has granted, and what it will.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ledger {
    window: Window,
    /// Granted, and not received yet: what the producer may send, or has on its way.
    granted: Credit,
    owed_items: u32,
    owed_bytes: u64,
}

/// More came than was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overrun;

impl Ledger {
    /// Has granted nothing yet.
    pub(super) fn new(window: Window) -> Self {
        let window = Window { items: window.items.max(1), bytes: window.bytes.max(1) };
        let (owed_items, owed_bytes) = (window.items, u64::from(window.bytes));
        Self { window, granted: Credit::default(), owed_items, owed_bytes }
    }

    /// Goes on where another consumer left off, with items that it had received and not consumed.
    pub(super) fn taken_over(window: Window, granted: Credit, held_items: usize, held_bytes: u64) -> Self {
        let mut ledger = Self::new(window);
        let held_items = u32::try_from(held_items).unwrap_or(u32::MAX);
        let promised_bytes = u64::try_from(granted.bytes).unwrap_or(0).saturating_add(held_bytes);
        ledger.granted = granted;
        ledger.owed_items = ledger.owed_items.saturating_sub(granted.items).saturating_sub(held_items);
        ledger.owed_bytes = ledger.owed_bytes.saturating_sub(promised_bytes);
        ledger
    }

    /// Sets another window. What was granted already stays granted.
    pub(super) fn set_window(&mut self, window: Window) {
        let fresh = Self::new(window);
        self.owed_items = self.owed_items.saturating_add(fresh.owed_items).saturating_sub(self.window.items);
        let bytes = self.owed_bytes.saturating_add(fresh.owed_bytes);
        self.owed_bytes = bytes.saturating_sub(u64::from(self.window.bytes));
        self.window = fresh.window;
    }

    /// What was granted and has not come yet.
    pub(super) fn granted(&self) -> Credit {
        self.granted
    }

    /// How many items may come.
    pub(super) fn expected(&self) -> u32 {
        self.granted.items
    }

    /// Items have come, that cost their producer so many bytes.
    pub(super) fn received(&mut self, items: usize, bytes: u64) -> Result<(), Overrun> {
        let items = u32::try_from(items).map_err(|_| Overrun)?;
        if items == 0 {
            return Ok(());
        }
        if !self.granted.is_left() || items > self.granted.items {
            return Err(Overrun);
        }
        self.granted.spend(items, bytes);
        Ok(())
    }

    /// An item was consumed that cost so many bytes.
    #[inline]
    pub(super) fn consumed(&mut self, items: u32, bytes: u64) {
        self.owed_items = self.owed_items.saturating_add(items);
        self.owed_bytes = self.owed_bytes.saturating_add(bytes);
    }

    /// Whether it is time to grant what was consumed: half of the window.
    #[inline]
    pub(super) fn is_due(&self) -> bool {
        self.owed_items > 0
            && (self.owed_items >= self.window.items.div_ceil(2)
                || self.owed_bytes >= u64::from(self.window.bytes.div_ceil(2)))
    }

    /// Grants all that was consumed.
    pub(super) fn grant(&mut self) -> Window {
        let bytes = u32::try_from(self.owed_bytes).unwrap_or(u32::MAX);
        let grant = Window { items: self.owed_items, bytes };
        self.owed_items = 0;
        self.owed_bytes -= u64::from(bytes);
        self.granted.add(grant);
        grant
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Window = Window { items: 4, bytes: 100 };

    fn granted(window: Window) -> (Ledger, Credit) {
        let mut ledger = Ledger::new(window);
        let mut credit = Credit::default();
        assert!(ledger.is_due());
        credit.add(ledger.grant());
        (ledger, credit)
    }

    #[test]
    fn a_window_is_granted_once_and_then_in_halves() {
        let (mut ledger, credit) = granted(SMALL);
        assert_eq!(credit.items, 4);
        assert!(!ledger.is_due());
        ledger.received(4, 4).unwrap();

        ledger.consumed(1, 1);
        assert!(!ledger.is_due());
        ledger.consumed(1, 1);

        assert!(ledger.is_due());
        assert_eq!(ledger.grant(), Window { items: 2, bytes: 2 });
    }

    #[test]
    fn an_item_larger_than_the_window_is_sent_and_granted_back() {
        let (mut ledger, mut credit) = granted(SMALL);
        credit.spend(1, 1000);
        ledger.received(1, 1000).unwrap();
        assert!(!credit.is_left());

        ledger.consumed(1, 1000);

        assert!(ledger.is_due());
        credit.add(ledger.grant());
        assert!(credit.is_left());
    }

    #[test]
    fn credit_that_overflows_is_clamped() {
        let mut credit = Credit { items: u32::MAX - 1, bytes: i64::MAX - 1 };

        credit.add(Window { items: u32::MAX, bytes: u32::MAX });

        assert_eq!(credit, Credit { items: u32::MAX, bytes: i64::MAX });
    }

    #[test]
    fn more_items_than_were_granted_are_noticed() {
        let (mut ledger, _) = granted(SMALL);

        assert_eq!(ledger.received(5, 5), Err(Overrun));
        assert_eq!(ledger.received(4, 200), Ok(()));
        assert_eq!(ledger.received(1, 0), Err(Overrun));
    }

    #[test]
    fn items_after_the_last_byte_of_credit_are_noticed() {
        let (mut ledger, _) = granted(SMALL);

        assert_eq!(ledger.received(1, 100), Ok(()));

        assert_eq!(ledger.received(1, 1), Err(Overrun));
    }

    #[test]
    fn a_window_of_nothing_is_one_of_an_item_and_a_byte() {
        let (_, credit) = granted(Window { items: 0, bytes: 0 });

        assert_eq!(credit, Credit { items: 1, bytes: 1 });
    }

    #[test]
    fn items_that_are_nothing_but_their_bytes_are_granted_by_those() {
        let windows = [Window::of::<u64>(), Window::of::<String>(), Window::of::<Result<u64, String>>()];

        assert_eq!(
            windows.map(|window| (window.items, window.bytes)),
            [(8192, 1 << 20), (1024, 1 << 20), (1024, 1 << 20)]
        );
        assert_eq!(Window::of::<String>(), Window::default());
    }

    #[test]
    fn a_consumer_that_takes_over_grants_what_is_missing_to_its_window() {
        let whole = Window::of::<u8>();
        let mut ledger = Ledger::taken_over(whole, Credit { items: 100, bytes: 1000 }, 56, 24);

        let grant = ledger.grant();

        assert_eq!(grant, Window { items: whole.items - 156, bytes: whole.bytes - 1024 });
    }
}

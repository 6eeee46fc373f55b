//! Buffers that frames were in, kept for the next ones: a few in each thread; and one box.
//!
//! Who reads a call writes the reply into its buffer, and who reads the reply writes the next call into that.

use std::{
    cell::{Cell, RefCell},
    mem,
};

use super::Message;

/// How many bytes a thread keeps in them, and how large ones.
const MOST: usize = 64 << 10;
const LARGEST: usize = 16 << 10;

/// How much is set aside for a frame: most fit, and grow no more while they are written.
const ROOM: usize = 64;

/// Buffers with nothing in them.
struct Spare {
    buffers: Vec<Vec<u8>>,
    /// How many bytes they have room for.
    bytes: usize,
}

thread_local! {
    static SPARE: RefCell<Spare> = const { RefCell::new(Spare { buffers: Vec::new(), bytes: 0 }) };
    static BOX: Cell<Option<Box<Message>>> = const { Cell::new(None) };
}

/// A buffer with nothing in it, and room for most frames.
#[inline]
pub(crate) fn take() -> Vec<u8> {
    // A thread that ends may have none any more.
    match SPARE.try_with(|spare| spare.borrow_mut().take()) {
        Ok(Some(spare)) => spare,
        Ok(None) | Err(_) => Vec::with_capacity(ROOM),
    }
}

/// A message in a box: in one that another has left, if there is one.
#[inline]
pub(super) fn boxed(message: Message) -> Box<Message> {
    match BOX.try_with(Cell::take) {
        Ok(Some(mut kept)) => {
            *kept = message;
            kept
        }
        Ok(None) | Err(_) => Box::new(message),
    }
}

/// A message out of its box, which is kept for the next.
#[inline]
pub(super) fn unboxed(mut boxed: Box<Message>) -> Message {
    let message = mem::take(&mut *boxed);
    let _kept = BOX.try_with(|kept| kept.set(Some(boxed)));
    message
}

/// A buffer that was kept, with nothing in it. `None` if the last one has no room for so many bytes.
pub(super) fn kept(bytes: usize) -> Option<Vec<u8>> {
    let kept = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.buffers.last()?.capacity() < bytes {
            return None;
        }
        spare.take()
    });
    kept.ok().flatten()
}

/// Keeps a buffer that was read, if it is worth keeping.
#[inline]
pub(crate) fn give(buffer: Vec<u8>) {
    if (ROOM..=LARGEST).contains(&buffer.capacity()) {
        let _kept = SPARE.try_with(|spare| spare.borrow_mut().give(buffer));
    }
}

impl Spare {
    #[inline]
    fn take(&mut self) -> Option<Vec<u8>> {
        let buffer = self.buffers.pop()?;
        self.bytes -= buffer.capacity();
        Some(buffer)
    }

    #[inline]
    fn give(&mut self, mut buffer: Vec<u8>) {
        let bytes = self.bytes + buffer.capacity();
        if bytes <= MOST {
            buffer.clear();
            self.bytes = bytes;
            self.buffers.push(buffer);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_was_read_is_used_again_with_nothing_in_it() {
        let mut buffer = take();
        buffer.extend([7; 10]);
        let place = buffer.as_ptr();

        give(buffer);
        let again = take();

        assert_eq!(again.as_ptr(), place);
        assert!(again.is_empty());
    }

    #[test]
    fn what_has_no_room_is_left_for_others() {
        assert!(kept(0).is_none());
        give(Vec::with_capacity(ROOM));

        assert!(kept(ROOM + 1).is_none());
        assert_eq!(kept(ROOM).map(|buffer| (buffer.len(), buffer.capacity())), Some((0, ROOM)));
        assert!(kept(1).is_none());
    }

    #[test]
    fn a_thread_keeps_neither_many_buffers_nor_large_ones() {
        give(Vec::with_capacity(LARGEST + 1));
        (0..2 * MOST / ROOM).for_each(|_| give(Vec::with_capacity(ROOM)));

        SPARE.with_borrow(|spare| {
            assert_eq!(spare.buffers.iter().map(Vec::capacity).sum::<usize>(), spare.bytes);
            assert!((MOST - ROOM..=MOST).contains(&spare.bytes));
            assert!(spare.buffers.iter().all(|buffer| buffer.capacity() <= LARGEST));
        });

        while !SPARE.with_borrow(|spare| spare.buffers.is_empty()) {
            drop(take());
        }
        SPARE.with_borrow(|spare| assert_eq!(spare.bytes, 0));
    }
}

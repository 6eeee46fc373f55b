//! Buffers that frames were in, kept for the next ones: a few in each thread.
//!
//! Who reads a call writes the reply into its buffer, and who reads the reply writes the next call into that.

use std::cell::RefCell;

/// How many a thread keeps, and how large ones, in bytes.
const MOST: usize = 64;
const LARGEST: usize = 1024;

/// How much is set aside for a frame: most fit, and grow no more while they are written.
const ROOM: usize = 64;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer with nothing in it, and room for most frames.
pub(crate) fn take() -> Vec<u8> {
    // A thread that ends may have none any more.
    let spare = SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten();
    spare.unwrap_or_else(|| Vec::with_capacity(ROOM))
}

/// Keeps a buffer that was read, if it is worth keeping.
pub(crate) fn give(mut buffer: Vec<u8>) {
    if !(ROOM..=LARGEST).contains(&buffer.capacity()) {
        return;
    }
    buffer.clear();
    let _kept = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() < MOST {
            spare.push(buffer);
        }
    });
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
    fn a_thread_keeps_neither_many_buffers_nor_large_ones() {
        give(Vec::with_capacity(LARGEST + 1));
        (0..2 * MOST).for_each(|_| give(Vec::with_capacity(ROOM)));

        SPARE.with_borrow(|spare| {
            assert_eq!(spare.len(), MOST);
            assert!(spare.iter().all(|buffer| buffer.capacity() <= LARGEST));
        });
    }
}

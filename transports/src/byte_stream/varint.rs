//! Unsigned numbers: seven bits a byte, the lowest first; the top bit of a byte says that another follows. At most ten bytes.

/// A number that does not fit 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

/// Reads a number, and tells how many bytes it takes. `None` if there are too few.
#[inline]
pub(super) fn read(bytes: &[u8]) -> Result<Option<(u64, usize)>, TooLarge> {
    let mut number = 0;
    for (index, byte) in bytes.iter().enumerate() {
        let bits = u64::from(byte & 0x7f);
        // The tenth byte has room for one bit.
        if index > 9 || (index == 9 && bits > 1) {
            return Err(TooLarge);
        }
        number |= bits << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((number, index + 1)));
        }
    }
    if bytes.len() > 9 { Err(TooLarge) } else { Ok(None) }
}

/// Takes a number off the front. `None` if there is none.
#[inline]
pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (number, size) = read(bytes).ok()??;
    *bytes = bytes.get(size..)?;
    Some(number)
}

/// Writes a number.
#[inline]
pub(super) fn put(mut number: u64, out: &mut Vec<u8>) {
    while number > 0x7f {
        // The lowest seven bits.
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// How many bytes a number takes.
#[inline]
pub(super) fn size(number: u64) -> usize {
    let bits = (u64::BITS - number.leading_zeros()).max(1);
    bits.div_ceil(7) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_were_written() {
        let powers = (0..64).flat_map(|bit| [1_u64 << bit, (1 << bit) - 1]);
        for number in powers.chain([u64::MAX]) {
            let mut bytes = Vec::new();

            put(number, &mut bytes);

            assert_eq!(bytes.len(), size(number), "{number}");
            assert_eq!(read(&bytes), Ok(Some((number, bytes.len()))));
            for short in 0..bytes.len() {
                assert_eq!(read(&bytes[..short]), Ok(None), "{number}");
            }
        }
    }

    #[test]
    fn a_number_that_does_not_fit_is_none() {
        assert_eq!(read(&[0xff; 10]), Err(TooLarge));
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]), Err(TooLarge));
        assert_eq!(read(&[0x80; 12]), Err(TooLarge));
    }
}

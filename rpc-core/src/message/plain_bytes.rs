//! Values that are bytes and nothing else: they are copied in one piece, and not asked for one number after the other.
//!
//! serde knows a `Vec<u8>` as a list of numbers; written one by one, it is the same bytes on the wire, at thirty times the cost.

use std::any::{Any, TypeId};

/// Whether values of the type are bytes and nothing else.
pub(super) fn are<T: 'static>() -> bool {
    let id = TypeId::of::<T>();
    id == TypeId::of::<Vec<u8>>() || id == TypeId::of::<Box<[u8]>>()
}

/// The bytes of a value that is nothing else.
pub(super) fn of<T: 'static>(value: &T) -> Option<&[u8]> {
    let value: &dyn Any = value;
    let vec = value.downcast_ref::<Vec<u8>>().map(Vec::as_slice);
    vec.or_else(|| value.downcast_ref::<Box<[u8]>>().map(Box::as_ref))
}

/// The value that is these bytes.
pub(super) fn into_value<T: 'static>(bytes: &[u8]) -> Option<T> {
    let mut value: Option<T> = None;
    let place: &mut dyn Any = &mut value;
    if let Some(place) = place.downcast_mut::<Option<Vec<u8>>>() {
        *place = Some(bytes.to_vec());
    } else if let Some(place) = place.downcast_mut::<Option<Box<[u8]>>>() {
        *place = Some(bytes.into());
    }
    value
}

/// How many bytes it would write.
pub(super) fn size(bytes: &[u8]) -> u64 {
    let number = number_of(bytes, &mut [0; MOST_OF_A_NUMBER]).len();
    bytes.len().saturating_add(number) as u64
}

/// Writes their number, and the bytes.
pub(super) fn write(bytes: &[u8], to: &mut Vec<u8>) {
    let mut place = [0; MOST_OF_A_NUMBER];
    let number = number_of(bytes, &mut place);
    to.reserve(number.len() + bytes.len());
    to.extend_from_slice(number);
    to.extend_from_slice(bytes);
}

fn number_of<'n>(bytes: &[u8], place: &'n mut [u8; MOST_OF_A_NUMBER]) -> &'n [u8] {
    postcard::to_slice(&bytes.len(), place).expect("a number fits ten bytes")
}

/// How many bytes a number has at most.
const MOST_OF_A_NUMBER: usize = 10;

/// Reads bytes, and hands out what comes after them. `None` if they are cut off.
pub(super) fn read(from: &[u8]) -> Option<(&[u8], &[u8])> {
    postcard::take_from_bytes::<&[u8]>(from).ok()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{
        super::{Decoder, Encoder},
        *,
    };

    #[test]
    fn bytes_are_on_the_wire_what_a_list_of_numbers_is() {
        for length in [0, 1, 127, 128, 70_000] {
            let value: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let mut encoder = Encoder::default();

            encoder.put_static(&value).unwrap();

            let written = postcard::to_allocvec(&value).unwrap();
            assert_eq!(size(&value), written.len() as u64);
            assert_eq!(encoder.finish().data(), written);
        }
    }

    #[test]
    fn bytes_are_read_with_what_is_before_and_after_them() {
        let mut encoder = Encoder::default();
        encoder.put(&7_u32).unwrap();
        encoder.put_static(&vec![1_u8, 2, 3]).unwrap();
        encoder.put_static(&Box::<[u8]>::from([4, 5])).unwrap();
        encoder.put_static(&"end".to_owned()).unwrap();
        let message = encoder.finish();
        let mut decoder = Decoder::new(message.data());

        assert_eq!(decoder.take(), Ok(7_u32));
        assert_eq!(decoder.take_static(), Ok(vec![1_u8, 2, 3]));
        assert_eq!(decoder.take_static(), Ok(Box::<[u8]>::from([4, 5])));
        assert_eq!(decoder.take_static(), Ok("end".to_owned()));
        assert!(decoder.is_at_end());
    }

    #[test]
    fn bytes_that_are_cut_off_are_an_error_and_set_nothing_aside() {
        for cut_off in [&[][..], &[1], &[2, 0], &[0xff; 11], &[0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2]] {
            let mut decoder = Decoder::new(cut_off);

            let error = decoder.take_static::<Vec<u8>>().unwrap_err();

            assert_eq!(error.to_string(), "the bytes end before the value does");
        }
    }

    #[test]
    fn other_values_are_no_bytes() {
        assert!(of(&String::from("text")).is_none());
        assert!(of(&vec![1_u16]).is_none());
        assert!(!are::<Vec<i8>>());
        assert_eq!(into_value::<String>(&[1]), None);
    }
}

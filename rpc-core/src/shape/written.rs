//! Shapes as bytes, which nobody has made anything of yet.
//!
//! Nearly always both ends have a method in the same shape, which their bytes tell. So what comes from a peer is looked at as far as to know
//! that it can be read, and where it ends; it is read where somebody asks what is in it. A program that reads no other versions holds no code
//! that could.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use super::{
    MethodShape, StaticMethod,
    wire::{read::Left, write},
};

/// What a method takes and returns, as it is [written](MethodShape): two are equal if their bytes are.
///
/// # Examples
/// ```
/// use handover_core::shape::{MethodShape, Shape, WrittenShape};
///
/// let shape = MethodShape { args: vec![Shape::U32], result: Shape::Unit };
///
/// let written = WrittenShape::from(shape.clone());
///
/// assert_eq!(written.as_bytes(), [1, 1, 10, 1, 1]);
/// assert_eq!(written.read(), &shape);
/// ```
#[derive(Clone)]
pub struct WrittenShape(Arc<Written>);

struct Written {
    bytes: Box<[u8]>,
    /// What they say, once somebody has asked.
    read: OnceLock<MethodShape>,
}

impl WrittenShape {
    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// What they say.
    pub fn read(&self) -> &MethodShape {
        let read = || Left(&self.0.bytes).method_shape().expect("it was looked at, or written here");
        self.0.read.get_or_init(read)
    }

    /// Takes a shape from the front of some bytes, and hands out what follows it. `None` if there is none, or one that nests more than 128
    /// deep, has more than 8192 parts, or refers to a named type that it does not have.
    pub(crate) fn take(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let mut left = Left(bytes);
        left.look_at_method()?;
        let own = bytes.get(..bytes.len() - left.0.len())?;
        Some((Self::unread(own.into()), left.0))
    }

    /// Of a method of this program.
    pub(crate) fn of(method: &StaticMethod) -> Self {
        Self::unread(write::static_method(method).into())
    }

    fn unread(bytes: Box<[u8]>) -> Self {
        Self(Arc::new(Written { bytes, read: OnceLock::new() }))
    }
}

impl From<MethodShape> for WrittenShape {
    fn from(shape: MethodShape) -> Self {
        let bytes = write::method_shape(&shape);
        Self(Arc::new(Written { bytes: bytes.into(), read: OnceLock::from(shape) }))
    }
}

impl PartialEq for WrittenShape {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.as_bytes() == other.as_bytes()
    }
}

impl Eq for WrittenShape {}

impl fmt::Debug for WrittenShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Shape,
            table::{DEPTH, SIZE},
            wire::model,
        },
        *,
    };

    /// What is taken is what the model takes, and can be read.
    #[track_caller]
    fn assert_as_the_model_takes_it(bytes: &[u8]) {
        let taken = WrittenShape::take(bytes);
        match model::take_method(bytes) {
            Some((written, left)) => {
                let (shape, after) = taken.unwrap_or_else(|| panic!("it can be read: {bytes:?}"));
                assert_eq!((write::method_shape(shape.read()), after), (written, left));
            }
            None => assert!(taken.is_none(), "it cannot be read: {bytes:?}"),
        }
    }

    fn written(args: &[&str]) -> Vec<u8> {
        let args = args.iter().map(|text| text.parse().unwrap()).collect();
        WrittenShape::from(MethodShape { args, result: Shape::Unit }).as_bytes().to_vec()
    }

    /// All that a shape may be made of.
    fn everything() -> Vec<u8> {
        written(&[
            "T { a: A { b: Vec<u8>, c?: Option<B(u8, enum C { X, Y(A), Z { q: Map<String, [f32; 3]> }, .. })> } }",
            "(bool, i8, i16, i32, i64, i128, u8, u16, u32, u64, u128, f32, f64, char, String, bytes)",
        ])
    }

    #[test]
    fn a_shape_is_taken_as_the_model_takes_it_and_no_further_whatever_byte_of_it_is_another() {
        let whole = everything();
        assert!(WrittenShape::take(&whole).is_some());
        for at in 0..whole.len() {
            assert_as_the_model_takes_it(&whole[..at]);
            for byte in 0..=u8::MAX {
                let mut bytes = whole.clone();
                bytes[at] = byte;
                bytes.extend([7, 8]);
                assert_as_the_model_takes_it(&bytes);
            }
        }
    }

    #[test]
    fn bytes_at_random_are_taken_as_the_model_takes_them() {
        let mut random = 1_u64;
        for length in 0..20_000 {
            let mut byte = || {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // Mostly numbers of heads.
                if random >> 60 == 0 { (random >> 40) as u8 } else { (random >> 40) as u8 % 31 }
            };
            let bytes: Vec<_> = (0..length % 40).map(|_| byte()).collect();
            assert_as_the_model_takes_it(&bytes);
        }
    }

    #[test]
    fn a_shape_with_too_many_parts_or_too_deep_is_not_taken() {
        let list = |depth: usize| {
            let mut bytes = vec![0];
            bytes.extend(postcard::to_allocvec(&(depth + 1)).unwrap());
            bytes.extend(std::iter::repeat_n(21, depth));
            bytes.push(0);
            bytes
        };
        let tuple = |parts: usize| {
            let mut bytes = vec![0];
            bytes.extend(postcard::to_allocvec(&(parts + 1, 24_u8, parts)).unwrap());
            bytes.extend(std::iter::repeat_n(0, parts));
            bytes
        };

        for bytes in [list(DEPTH - 1), list(DEPTH), tuple(SIZE - 1), tuple(SIZE), tuple(SIZE + 1)] {
            assert_as_the_model_takes_it(&bytes);
        }
        assert!(WrittenShape::take(&list(DEPTH - 1)).is_some() && WrittenShape::take(&list(DEPTH)).is_none());
        assert!(WrittenShape::take(&tuple(SIZE - 1)).is_some() && WrittenShape::take(&tuple(SIZE)).is_none());
    }

    #[test]
    fn a_shape_that_refers_to_nothing_is_not_taken() {
        assert_as_the_model_takes_it(&[0, 1, 28, 0]);
        assert!(WrittenShape::take(&[0, 1, 28, 0]).is_none());
    }
}

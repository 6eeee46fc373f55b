//! The shapes of types that everybody knows.

use std::any::TypeId;

use super::{Description, Shape};

/// The shape of a type without parts, and of text and bytes: what [tracing](super::trace) it would find.
///
/// Known when the program is compiled, so one whose services take and return nothing else holds no code that traces.
#[inline(always)]
pub(super) fn plain<T: 'static>() -> Option<Shape> {
    if is::<T, ()>() {
        Some(Shape::Unit)
    } else if is::<T, bool>() {
        Some(Shape::Bool)
    } else if is::<T, i8>() {
        Some(Shape::I8)
    } else if is::<T, i16>() {
        Some(Shape::I16)
    } else if is::<T, i32>() {
        Some(Shape::I32)
    } else if is::<T, i64>() || is::<T, isize>() {
        Some(Shape::I64)
    } else if is::<T, i128>() {
        Some(Shape::I128)
    } else if is::<T, u8>() {
        Some(Shape::U8)
    } else if is::<T, u16>() {
        Some(Shape::U16)
    } else if is::<T, u32>() {
        Some(Shape::U32)
    } else if is::<T, u64>() || is::<T, usize>() {
        Some(Shape::U64)
    } else if is::<T, u128>() {
        Some(Shape::U128)
    } else if is::<T, f32>() {
        Some(Shape::F32)
    } else if is::<T, f64>() {
        Some(Shape::F64)
    } else if is::<T, char>() {
        Some(Shape::Char)
    } else if is::<T, String>() {
        Some(Shape::Text)
    } else if is::<T, Vec<u8>>() {
        Some(Shape::List(Box::new(Shape::U8)))
    } else if is::<T, Shape>() || is::<T, Description>() {
        Some(Shape::Bytes)
    } else {
        None
    }
}

#[inline(always)]
fn is<T: 'static, Known: 'static>() -> bool {
    TypeId::of::<T>() == TypeId::of::<Known>()
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::{super::trace, *};

    #[track_caller]
    fn assert_same<T: DeserializeOwned + 'static>() {
        assert_eq!(plain::<T>(), Some(trace::trace::<T>()));
    }

    #[test]
    fn what_is_known_of_a_plain_type_is_what_tracing_it_finds() {
        assert_same::<()>();
        assert_same::<bool>();
        assert_same::<i8>();
        assert_same::<i16>();
        assert_same::<i32>();
        assert_same::<i64>();
        assert_same::<isize>();
        assert_same::<i128>();
        assert_same::<u8>();
        assert_same::<u16>();
        assert_same::<u32>();
        assert_same::<u64>();
        assert_same::<usize>();
        assert_same::<u128>();
        assert_same::<f32>();
        assert_same::<f64>();
        assert_same::<char>();
        assert_same::<String>();
        assert_same::<Vec<u8>>();
        assert_same::<Shape>();
        assert_same::<Description>();
    }

    #[test]
    fn a_type_with_a_name_of_its_own_is_not_plain() {
        #[derive(serde::Deserialize)]
        struct Metres(#[expect(dead_code, reason = "only its shape is looked at")] u32);

        assert_eq!(plain::<Metres>(), None);
        assert_eq!(plain::<Option<u8>>(), None);
    }
}

//! A value that was not written.

use serde::{Deserializer, de::Visitor, forward_to_deserialize_any};

use super::GuidedError;

/// Deserialises what is not there: an `Option` is `None`, and anything else an error.
#[derive(Debug)]
pub(crate) struct Missing;

impl<'de> Deserializer<'de> for Missing {
    type Error = GuidedError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, GuidedError> {
        Err(GuidedError::new("a value is missing that the writer does not know"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GuidedError> {
        visitor.visit_none()
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

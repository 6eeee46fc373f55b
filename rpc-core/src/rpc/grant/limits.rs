//! What a right is limited to, as it is said and as it travels.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rpc::MethodId;

/// What a right is limited to, beside what that is which it was made from. The default: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Limits {
    /// The methods that may be called; there are no others for its holder.
    pub methods: Option<Vec<MethodId>>,
    /// How many calls may be made.
    pub calls: Option<u64>,
    /// How fast.
    pub rate: Option<Rate>,
    /// How many bytes may be under way at a time: of arguments, until the answer has come, and of answers, until they were delivered.
    pub bytes: Option<u64>,
    /// How long it lasts, to the microsecond.
    #[serde(with = "micros::optional")]
    pub expires: Option<Duration>,
    /// How long it may be left unused, to the microsecond.
    #[serde(with = "micros::optional")]
    pub idle: Option<Duration>,
    /// How many clients may be made from it, those counted that were made from these.
    pub clones: Option<u32>,
}

/// So many calls in a time. That many may be made at once; after that, one more for each such part of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// How many; one at least.
    pub calls: u32,
    /// In what time, to the microsecond: what is less travels as a whole one, so that nobody may call faster than was said.
    #[serde(with = "micros::at_least")]
    pub per: Duration,
}

impl Limits {
    /// How many methods may be named: no service has so many.
    pub const MOST_METHODS: usize = 4096;

    pub(in crate::rpc) fn is_too_much(&self) -> bool {
        self.methods.as_ref().is_some_and(|methods| methods.len() > Self::MOST_METHODS)
    }

    /// Names methods, where some may have been named before: those are left that were named every time.
    pub(super) fn name_methods(&mut self, named: Vec<MethodId>) {
        match &mut self.methods {
            Some(methods) => methods.retain(|method| named.contains(method)),
            none => *none = Some(named),
        }
    }
}

/// Times on the wire.
mod micros {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    fn of(time: Duration) -> u64 {
        u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
    }

    /// Rounded up.
    pub(super) mod at_least {
        use super::{Deserialize, Deserializer, Duration, Serialize, Serializer, of};

        pub(in super::super) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
            of(time.saturating_add(Duration::from_nanos(999))).serialize(to)
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
            u64::deserialize(from).map(Duration::from_micros)
        }
    }

    /// Cut to whole ones.
    pub(super) mod optional {
        use super::{Deserialize, Deserializer, Duration, Serialize, Serializer, of};

        pub(in super::super) fn serialize<S: Serializer>(time: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
            time.map(of).serialize(to)
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
            Ok(Option::<u64>::deserialize(from)?.map(Duration::from_micros))
        }
    }
}

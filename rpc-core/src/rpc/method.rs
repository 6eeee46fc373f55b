//! What a method is: its id, and the types that travel.

use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::message::{DecodeError, Decoder, EncodeError, Encoder};

/// Identifies a method of a service: a hash of its name, or the number that `#[rpc(id = N)]` gives it.
///
/// So the order of the methods, and which of them are compiled in, makes no difference to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MethodId(pub u32);

impl MethodId {
    /// The id of a method that is known by its name: the 32-bit FNV-1a hash of the name's UTF-8 bytes.
    pub const fn of_name(name: &str) -> Self {
        let bytes = name.as_bytes();
        let mut hash: u32 = 0x811c_9dc5;
        let mut index = 0;
        while index < bytes.len() {
            // `as`, for lack of `From` in a `const fn`: it only widens.
            hash = (hash ^ bytes[index] as u32).wrapping_mul(0x0100_0193);
            index += 1;
        }
        Self(hash)
    }
}

impl fmt::Display for MethodId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

/// Fails to compile, where it is used in a constant, if two methods of a service have the same id.
#[track_caller]
pub const fn assert_distinct(ids: &[MethodId]) {
    let mut first = 0;
    while first < ids.len() {
        let mut second = first + 1;
        while second < ids.len() {
            assert!(ids[first].0 != ids[second].0, "two methods have the same id: give one of them `#[rpc(id = N)]`");
            second += 1;
        }
        first += 1;
    }
}

/// A type that can travel in a message: `Serialize` and `Deserialize`, with clients and ports anywhere inside.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel in a call",
    label = "needs `serde::Serialize` and `serde::Deserialize`",
    note = "derive both for it, or use a type that has them and owns its data"
)]
pub trait Wire: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Wire for T {}

/// Argument `N` of a method.
///
/// A trait of its own, so that a type that cannot travel is reported once, where it is written.
pub trait Argument<const N: usize> {
    /// The argument's type.
    type Type: Wire;
}

/// One method of a service, as its two ends agree on it.
pub trait Method: Sized + 'static {
    /// How the method is named on the wire.
    const ID: MethodId;
    /// How the method is named in the trait.
    const NAME: &'static str;
    /// The arguments, as a tuple.
    type Args: Send + 'static;
    /// What the method returns when all is well.
    type Ok: Wire + Send + 'static;
    /// The service's own error; [`Never`] if the method has none.
    type Err: Wire + Send + 'static;
    /// What the method returns in the trait.
    type Return;

    /// Writes the arguments, one after the other.
    ///
    /// # Errors
    /// If one does not serialise.
    fn encode_args(args: &Self::Args, to: &mut Encoder) -> Result<(), EncodeError>;

    /// Reads the arguments.
    ///
    /// # Errors
    /// If the bytes are not these arguments.
    fn decode_args(from: &mut Decoder<'_>) -> Result<Self::Args, DecodeError>;

    /// What the method returned, as it travels.
    ///
    /// # Errors
    /// The service's own.
    fn into_result(returned: Self::Return) -> Result<Self::Ok, Self::Err>;
}

/// Writes argument `N` of a method.
///
/// # Errors
/// If it does not serialise.
pub fn put_argument<M: Argument<N>, const N: usize>(to: &mut Encoder, value: &M::Type) -> Result<(), EncodeError> {
    to.put(value)
}

/// Reads argument `N` of a method.
///
/// # Errors
/// If the bytes are no such value.
pub fn take_argument<M: Argument<N>, const N: usize>(from: &mut Decoder<'_>) -> Result<M::Type, DecodeError> {
    from.take()
}

/// A `Result`, under whatever name. Lets generated code look into an alias.
pub trait IsResult {
    /// What it holds when all is well.
    type Ok;
    /// Its error.
    type Err;
}

impl<T, E> IsResult for Result<T, E> {
    type Ok = T;
    type Err = E;
}

/// The error of a method that has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Never {}

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Never {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_name_is_its_fnv_1a_hash() {
        assert_eq!(MethodId::of_name(""), MethodId(0x811c_9dc5));
        assert_eq!(MethodId::of_name("a"), MethodId(0xe40c_292c));
        assert_eq!(MethodId::of_name("foobar"), MethodId(0xbf9c_f968));
    }
}

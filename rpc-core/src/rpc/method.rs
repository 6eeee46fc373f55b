//! What a method is: its id, and the types that travel.

use std::{
    any::TypeId,
    fmt::{self, Write},
    sync::Arc,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    message::{DecodeError, Decoder, EncodeError, Encoder},
    shape::{Shape, ShapeOf, StaticMethod},
    stream::Overflow,
};

/// Identifies a method of a service: a hash of its name, or the number that `#[rpc(id = N)]` gives it.
///
/// So the order of the methods, and which of them are compiled in, makes no difference to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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

/// A type that can travel in a message: `Serialize` and `Deserialize`, with clients and ports anywhere inside.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel in a call",
    label = "needs `serde::Serialize` and `serde::Deserialize`",
    note = "derive both, also for what is in it, or use a type that has them and owns its data"
)]
pub trait Wire: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Wire for T {}

/// Fails to compile if the type cannot travel.
pub const fn travels<T: Wire>() {}

/// How an argument is written and read. Made from a type that can travel, and only there: one that cannot is reported once.
pub struct Argument<T> {
    put: Put<T>,
    take: Take<T>,
    shape: ShapeOf,
}

/// Writes a value. What is beside it is noted.
pub(super) type Put<T> = fn(&T, &mut Encoder) -> Result<(), EncodeError>;

/// Reads a value. What is beside it is where it finds it.
pub(super) type Take<T> = fn(&mut Decoder<'_>) -> Result<T, DecodeError>;

impl<T> Argument<T> {
    /// How arguments of the type are written and read.
    pub const fn of() -> Self
    where
        T: Wire + 'static,
    {
        Self { put: |value, to| to.put_static(value), take: |from| from.take_static(), shape: Shape::of::<T> }
    }

    /// What they look like on the wire.
    pub const fn shape(&self) -> ShapeOf {
        self.shape
    }
}

impl<T> fmt::Debug for Argument<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Argument")
    }
}

/// One method of a service, as its two ends agree on it.
pub trait Method: Sized + 'static {
    /// How the method is named on the wire.
    const ID: MethodId;
    /// How the method is named in the trait.
    const NAME: &'static str;
    /// What becomes of the items of the stream that it returns when their consumer is slow.
    const OVERFLOW: Overflow = Overflow::Wait;
    /// How the trait is named, for those who watch.
    const SERVICE: &'static str = "";
    /// The arguments, as a tuple.
    type Args: Send + 'static;
    /// What the method returns when all is well.
    type Ok: Send + 'static;
    /// The service's own error; [`Never`] if the method has none.
    type Err: Send + 'static;
    /// What the method returns in the trait.
    type Return;
    /// Whether calls of the method run in the order in which they came, each after the end of the one before it.
    const ORDERED: bool = false;
    /// Whether the method ends when its caller waits no longer.
    const CANCELS: bool = true;
    /// Whether the method gets a [`CallContext`](super::CallContext) that it can make grants with.
    const TAKES_CONTEXT: bool = false;
    /// What it is, for those who look at the service, and for a peer of another version.
    const DESCRIPTION: StaticMethod;
    /// How what it returns is written and read.
    const RESULT: ResultCodec<Self::Ok, Self::Err>;

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

/// How the result of a method is written and read.
pub struct ResultCodec<T, E> {
    pub(super) put: Put<Result<T, E>>,
    pub(super) take: Take<Result<T, E>>,
    pub(super) ok: ShapeOf,
    pub(super) err: ShapeOf,
    pub(super) in_words: fn(&E) -> String,
}

impl<T, E> ResultCodec<T, E> {
    /// What the value looks like on the wire.
    pub const fn ok_shape(&self) -> ShapeOf {
        self.ok
    }

    /// What the error looks like on the wire.
    pub const fn err_shape(&self) -> ShapeOf {
        self.err
    }
}

/// How results of these types are written and read. The one place that asks whether they can travel: one that cannot is
/// reported once.
pub const fn result_codec<T: Wire + 'static, E: Wire + 'static>() -> ResultCodec<T, E> {
    ResultCodec {
        put: |result, to| to.put_result(result),
        take: |from| from.take_result(),
        ok: Shape::of::<T>,
        err: error_shape::<E>,
        in_words: in_words::<E>,
    }
}

/// What an error says to those who do not know its type: as `Debug` would write it, for it need not have a `Display`.
fn error_shape<E: Wire + 'static>() -> Arc<Shape> {
    // Nobody asks for it, so none is traced.
    if TypeId::of::<E>() == TypeId::of::<Never>() { Arc::new(Shape::Opaque) } else { Shape::of::<E>() }
}

pub(super) fn in_words<E: Serialize>(error: &E) -> String {
    let mut words = String::new();
    match write!(words, "{:?}", serde_fmt::to_debug(error)) {
        Ok(()) => words,
        // There is a port in it.
        Err(fmt::Error) => std::any::type_name::<E>().to_owned(),
    }
}

impl<T, E> fmt::Debug for ResultCodec<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResultCodec")
    }
}

/// Writes an argument of a method.
///
/// # Errors
/// If it does not serialise.
#[inline]
pub fn put_argument<T>(argument: &Argument<T>, value: &T, to: &mut Encoder) -> Result<(), EncodeError> {
    if to.is_collecting() { (argument.put)(value, to) } else { put_alone(argument.put, value, to) }
}

/// As [`put_argument`], where no method's arguments are written.
#[cold]
fn put_alone<T>(put: Put<T>, value: &T, to: &mut Encoder) -> Result<(), EncodeError> {
    to.put_all(|to| put(value, to))
}

/// Reads an argument of a method.
///
/// # Errors
/// If the bytes are no such value.
#[inline]
pub fn take_argument<T>(argument: &Argument<T>, from: &mut Decoder<'_>) -> Result<T, DecodeError> {
    if from.is_handing_out() { (argument.take)(from) } else { take_alone(argument.take, from) }
}

/// As [`take_argument`], where no method's arguments are read.
#[cold]
fn take_alone<T>(take: Take<T>, from: &mut Decoder<'_>) -> Result<T, DecodeError> {
    from.take_all(take)
}

/// A `Result`, under whatever name. Lets generated code look into an alias.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is named `Result` and is none",
    label = "taken for a `Result<value, error>`",
    note = "give the type another name"
)]
pub trait IsResult {
    /// What it holds when all is well.
    type Ok;
    /// Its error.
    type Err;

    /// The same, under its own name.
    ///
    /// # Errors
    /// Its own.
    fn into_result(self) -> Result<Self::Ok, Self::Err>;

    /// The same, under the other name.
    fn from_result(result: Result<Self::Ok, Self::Err>) -> Self;
}

impl<T, E> IsResult for Result<T, E> {
    type Ok = T;
    type Err = E;

    fn into_result(self) -> Self {
        self
    }

    fn from_result(result: Self) -> Self {
        result
    }
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

//! A method as a value. What is done with it is generic over the types that travel, and not over the method: so it is compiled once for all
//! methods of the same types, and once in all where the types do not matter.

use std::any::TypeId;

use super::{
    Method, ResultCodec,
    call_info::Signature,
    method::{Put, Take},
};
use crate::shape::StaticMethod;

/// What is asked of a method beside its types.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) signature: Signature,
    pub(super) description: &'static StaticMethod,
    pub(super) takes_context: bool,
    pub(super) is_ordered: bool,
    pub(super) cancels: bool,
    /// How its calls are told from those of other methods: its id may be another method's too.
    pub(super) kinds: Kinds,
}

/// The types that stand for a method, and for the forms of its calls.
#[derive(Debug)]
pub(super) struct Kinds {
    pub(super) call: TypeId,
    pub(super) piped: TypeId,
    pub(super) oneway: TypeId,
}

impl Facts {
    const fn of<M: Method>() -> Self {
        Self {
            signature: Signature::of::<M>(),
            description: const { &M::DESCRIPTION },
            takes_context: M::TAKES_CONTEXT,
            is_ordered: M::ORDERED,
            cancels: M::CANCELS,
            kinds: Kinds {
                call: TypeId::of::<M>(),
                piped: TypeId::of::<(Piped, M)>(),
                oneway: TypeId::of::<(Oneway, M)>(),
            },
        }
    }
}

/// A method that takes `A`, and returns `T` or its own error.
pub(super) struct Codec<A, T, E> {
    pub(super) facts: Facts,
    pub(super) encode: Put<A>,
    pub(super) decode: Take<A>,
    pub(super) result: ResultCodec<T, E>,
}

/// The codec of a method.
pub(super) type CodecOf<M> = &'static Codec<<M as Method>::Args, <M as Method>::Ok, <M as Method>::Err>;

struct Piped;

struct Oneway;

/// Every method has one.
pub(super) trait Coded: Method {
    const CODEC: CodecOf<Self>;
}

impl<M: Method> Coded for M {
    const CODEC: CodecOf<M> =
        &Codec { facts: Facts::of::<M>(), encode: M::encode_args, decode: M::decode_args, result: M::RESULT };
}

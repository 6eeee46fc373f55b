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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::{
        message::{DecodeError, Decoder, EncodeError, Encoder},
        port::Carried,
        rpc::{MethodId, Never, cell::CallCell, describe::Describe},
        shape::Description,
    };

    /// Like another method in everything that travels.
    struct Like;

    impl Method for Like {
        const ID: MethodId = Describe::ID;
        const NAME: &'static str = Describe::NAME;
        type Args = ();
        type Ok = Description;
        type Err = Never;
        type Return = Description;
        const DESCRIPTION: StaticMethod = Describe::DESCRIPTION;
        const RESULT: ResultCodec<Description, Never> = Describe::RESULT;

        fn encode_args((): &(), _: &mut Encoder) -> Result<(), EncodeError> {
            Ok(())
        }

        fn decode_args(_: &mut Decoder<'_>) -> Result<(), DecodeError> {
            Ok(())
        }

        fn into_result(returned: Description) -> Result<Description, Never> {
            Ok(returned)
        }
    }

    type Cell = CallCell<(), Description, Never>;

    #[test]
    fn a_call_of_one_method_is_not_taken_for_one_of_another_with_the_same_id_and_types() {
        let call = || Carried::new(CallCell::new(Like::CODEC, ()));

        assert!(call().downcast::<Cell>(&Like::CODEC.facts.kinds.call).is_ok());
        assert!(call().downcast::<Cell>(&Describe::CODEC.facts.kinds.call).is_err());
        assert!(call().downcast::<Cell>(&Like::CODEC.facts.kinds.piped).is_err());
        assert!(call().downcast::<Cell>(&Like::CODEC.facts.kinds.oneway).is_err());
    }
}

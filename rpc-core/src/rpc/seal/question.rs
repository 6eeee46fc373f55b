//! What a sealer asks by what it is to open.

use crate::{
    Message,
    message::{DecodeError, Decoder, EncodeError, Encoder},
    rpc::{
        Argument, Method, MethodId, Never, Refusal, ResultCodec,
        frame::{Fault, Frame},
        put_argument, result_codec, take_argument,
    },
    shape::{MethodKind, Shape, StaticMethod},
};

/// The method by which a sealer learns which of its values a port leads to: it says the number of its question, and is told the key of the
/// value, where that is its own.
pub(super) struct Asked;

/// How the question is written and read.
const NUMBER: Argument<u64> = Argument::of();

impl Method for Asked {
    const ID: MethodId = MethodId::of_name(Self::NAME);
    const NAME: &'static str = "handover.sealed";
    type Args = u64;
    type Ok = Option<u64>;
    type Err = Never;
    type Return = Option<u64>;
    const DESCRIPTION: StaticMethod = StaticMethod {
        id: Self::ID.0,
        name: Self::NAME,
        docs: "Tells its sealer which value it is.",
        kind: MethodKind::Call,
        args: &[("question", NUMBER.shape())],
        ok: Shape::of::<Option<u64>>,
        err: None,
    };
    const RESULT: ResultCodec<Option<u64>, Never> = result_codec();

    fn encode_args(question: &u64, to: &mut Encoder) -> Result<(), EncodeError> {
        put_argument(&NUMBER, question, to)
    }

    fn decode_args(from: &mut Decoder<'_>) -> Result<u64, DecodeError> {
        take_argument(&NUMBER, from)
    }

    fn into_result(returned: Option<u64>) -> Result<Option<u64>, Never> {
        Ok(returned)
    }
}

/// What is said to a message that came by what was sealed; nothing, to what is no call.
pub(super) fn answer(message: &Message, was_asked: impl FnOnce(u64) -> Option<u64>) -> Option<Message> {
    let Ok(Frame::Call { id, method, args, .. }) = Frame::parse(message.data()) else {
        tracing::debug!("a message that is no question came by a sealed value; it was dropped");
        return None;
    };
    let answer = match postcard::take_from_bytes(args) {
        _ if method != Asked::ID => Err(Refusal::UnknownMethod(method)),
        Ok((question, [])) => Ok(was_asked(question)),
        Ok(_) | Err(_) => Err(Refusal::Malformed("a sealed value is asked with the number of a question".to_owned())),
    };
    let frame = match &answer {
        Ok(key) => {
            let result = postcard::to_allocvec(&Ok::<_, ()>(*key)).ok()?;
            Frame::Reply { id, result: &result }.to_bytes()
        }
        Err(refusal) => Frame::Fault { id, fault: Fault::Refused(refusal.clone()) }.to_bytes(),
    };
    Some(frame.into())
}

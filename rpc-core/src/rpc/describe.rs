//! The method that every service has: what it is.

use super::{
    Answer, Call, CallError, ClientStub, Incoming, Method, MethodId, Never, ResultCodec, grant::Terms, result_codec,
};
use crate::{
    message::{DecodeError, Decoder, EncodeError, Encoder},
    shape::{Description, MethodKind, Shape, StaticMethod},
};

/// `describe`, of every service. No method of a trait has this name.
pub(super) struct Describe;

impl Method for Describe {
    const ID: MethodId = MethodId::of_name(Self::NAME);
    const NAME: &'static str = "handover.describe";
    type Args = ();
    type Ok = Description;
    type Err = Never;
    type Return = Description;
    const DESCRIPTION: StaticMethod = StaticMethod {
        id: Self::ID.0,
        name: Self::NAME,
        docs: "Tells what the service is.",
        kind: MethodKind::Call,
        args: &[],
        ok: Shape::of::<Description>,
        err: None,
    };
    const RESULT: ResultCodec<Description, Never> = result_codec();

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

/// Answers with what there is for whoever has the right that the call came by.
pub(super) fn answer(incoming: Incoming<'_>, terms: &Terms, describe: fn() -> Description) -> Answer {
    match incoming.open::<Describe>() {
        Ok(((), responder)) => responder.answer(Ok(allowed(describe(), terms))),
        Err(answer) => answer,
    }
}

fn allowed(mut description: Description, terms: &Terms) -> Description {
    description.methods.retain(|method| terms.allows(MethodId(method.id)));
    description
}

impl ClientStub {
    /// Asks the service what it is.
    pub(super) fn describe(&self) -> Call<'_, Description, CallError> {
        self.call::<Describe, _>(())
    }
}

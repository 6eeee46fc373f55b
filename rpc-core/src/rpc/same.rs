//! Whether two clients reach the same object.

use std::fmt;

use super::{Answer, CallError, Client, Incoming, Method, MethodId, Never, Refusal, ResultCodec, result_codec};
use crate::{
    message::{DecodeError, Decoder, EncodeError, Encoder},
    port::PortMark,
    shape::{MethodKind, Shape, StaticMethod},
};

/// Whether two clients reach the same object: one service, whatever rights each of them has there.
///
/// It is true only if at least one of them knows it for sure. Each of the two services is asked whether the other client's port leads to it,
/// and finds out by the channel that the port is an end of; nothing is believed but what both say. So a service that passes its calls on to
/// another one is not that one, however it answers. What a link of bytes lies between is not the same as far as anybody here can
/// tell, and neither are clients of a router or a pool, whose calls go now here and now there.
///
/// Asking counts against no right, and needs no method.
///
/// # Errors
/// [`CallError`], if one of them could not be asked: a right that has ended, for one, or a port that is closed.
///
/// # Cancel safety
/// Dropping the future loses nothing.
///
/// # Examples
/// ```
/// use handover_core::rpc::{Callback, same_service};
///
/// # futures::executor::block_on(async {
/// let (one, serving) = Callback::new(async |number: u32| number * 2);
/// let (other, serving_other) = Callback::new(async |number: u32| number * 2);
/// let asked = async {
///     assert_eq!(same_service(&one, &one).await, Ok(true));
///     assert_eq!(same_service(&one, &other).await, Ok(false));
///     drop((one, other));
/// };
/// futures::join!(asked, serving, serving_other);
/// # });
/// ```
pub async fn same_service(one: &impl Client, other: &impl Client) -> Result<bool, CallError> {
    let early = leads_to(other, one).await?;
    if !leads_to(one, other).await? {
        return Ok(false);
    }
    // By now, both were served and answered; when the first was asked, the second may have been on its way there.
    if early { Ok(true) } else { leads_to(other, one).await }
}

/// Whether a client leads to the service that is asked by the other one.
async fn leads_to(client: &impl Client, asked: &impl Client) -> Result<bool, CallError> {
    let port = Whose(client.port().mark());
    match asked.stub().call::<Same, CallError>(port).await {
        // A service that was built before there was this method, or one that was written by hand, knows nothing of anybody.
        Err(CallError::Refused(Refusal::UnknownMethod(method))) if method == Same::ID => Ok(false),
        answer => answer,
    }
}

/// The method that every service has: whether a port leads to it.
pub(super) struct Same;

/// A port that somebody asks about. Turned into bytes it is none: a name could be made up, and would mean nothing elsewhere.
pub(super) struct Whose(Option<PortMark>);

impl fmt::Debug for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Whose")
    }
}

impl Method for Same {
    const ID: MethodId = MethodId::of_name(Self::NAME);
    const NAME: &'static str = "handover.same";
    type Args = Whose;
    type Ok = bool;
    type Err = Never;
    type Return = bool;
    const DESCRIPTION: StaticMethod = StaticMethod {
        id: Self::ID.0,
        name: Self::NAME,
        docs: "Tells whether a port leads to the service.",
        kind: MethodKind::Call,
        args: &[],
        ok: Shape::of::<bool>,
        err: None,
    };
    const RESULT: ResultCodec<bool, Never> = result_codec();

    fn encode_args(_: &Whose, _: &mut Encoder) -> Result<(), EncodeError> {
        Ok(())
    }

    fn decode_args(_: &mut Decoder<'_>) -> Result<Whose, DecodeError> {
        Ok(Whose(None))
    }

    fn into_result(returned: bool) -> Result<bool, Never> {
        Ok(returned)
    }
}

/// Answers whether the port leads to the service that was called.
pub(super) fn answer(incoming: Incoming<'_>) -> Answer {
    let hub = incoming.desk().hub().clone();
    match incoming.open::<Same>() {
        Ok((Whose(port), responder)) => {
            let leads_here = port.is_some_and(|port| hub.right_of(&port).is_some());
            responder.answer(Ok(leads_here))
        }
        Err(answer) => answer,
    }
}

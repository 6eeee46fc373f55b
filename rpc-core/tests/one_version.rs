//! Without the feature `evolution`, what another version says is refused, and never misread.

#![cfg(not(any(feature = "evolution", loom)))]

use futures::{executor::block_on, future::join};
use handover_core::{
    MessageChannel, MessagePort,
    rpc::{CallError, Callback, CallbackServer, Client, Interruption, Refusal},
    shape::{MethodShape, Shape, WrittenShape},
    wire::Frame,
};

/// A client, and a service that doubles numbers, which knows the client's types as what they are on the wire at the most.
fn doubling<A, R>() -> (Callback<A, R>, impl Future<Output = ()>)
where
    Callback<A, R>: From<MessagePort>,
{
    let (ours, theirs) = MessageChannel::new().into_ports();
    (Callback::from(ours), CallbackServer::new(async |number: u32| number * 2).serve(theirs))
}

#[test]
fn a_call_of_another_version_is_refused() {
    let (double, serving) = doubling::<u8, u32>();

    let (doubled, ()) = block_on(join(async move { double.call(2).await }, serving));

    let Err(CallError::Refused(Refusal::Mismatch(why))) = doubled else { panic!("{doubled:?}") };
    assert!(why.contains("feature `evolution`"), "{why}");
}

#[test]
fn a_call_that_is_the_same_on_the_wire_runs() {
    let (double, serving) = doubling::<Box<u32>, u32>();
    let calls = async move { (double.call(Box::new(2)).await, double.call(Box::new(3)).await) };

    let (doubled, ()) = block_on(join(calls, serving));

    assert_eq!(doubled, (Ok(4), Ok(6)));
}

#[test]
fn a_service_does_not_tell_what_it_is() {
    let (double, serving) = doubling::<u32, u32>();

    let (described, ()) = block_on(join(async move { double.describe().await }, serving));

    assert!(matches!(described, Err(CallError::Refused(Refusal::UnknownMethod(_)))), "{described:?}");
}

#[test]
fn a_result_of_another_version_is_not_misread() {
    let (ours, theirs) = MessageChannel::new().into_ports();
    theirs.start();
    let double = Callback::<u32, u32>::from(ours);
    let other_service = async {
        let call = theirs.recv().await.unwrap();
        let Ok(Frame::Call { id, method, .. }) = Frame::parse(call.data()) else { panic!("a client calls") };
        let shape = WrittenShape::from(MethodShape { args: vec![Shape::U32], result: Shape::U64 });
        theirs.post_message(Frame::Shape { method, shape }.to_bytes()).unwrap();
        theirs.post_message(Frame::Reply { id, result: &[0, 4] }.to_bytes()).unwrap();
    };

    let (doubled, ()) = block_on(join(async move { double.call(2).await }, other_service));

    assert!(matches!(doubled, Err(CallError::Unknown(Interruption::UnreadableReply(_)))), "{doubled:?}");
}

//! The last words of a port that was served.

use super::frame::{Fault, Frame};
use crate::{Message, MessagePort, port::Parcel};

/// Ends what is served at a port, and says why: closes it, and whoever calls by the other end gets this ending, for every call that has
/// no answer yet and for every later one.
///
/// A [refusal](Fault::Refused) says that none of those calls has run, so whoever serves answers first the calls that it has taken;
/// what waits in the port was not taken.
///
/// # Examples
/// ```
/// use handover_core::{CallError, MessageChannel, Refusal, rpc::{DirectoryClient, farewell}, wire::Fault};
///
/// # futures::executor::block_on(async {
/// let (ours, theirs) = MessageChannel::new().into_ports();
/// let client = DirectoryClient::from(ours);
///
/// let refusal = Refusal::Denied("closed on Sundays".to_owned());
/// farewell(&theirs, Fault::Refused(refusal.clone()));
///
/// assert_eq!(client.names().await, Err(CallError::Refused(refusal)));
/// # });
/// ```
pub fn farewell(port: &MessagePort, fault: Fault) {
    let mut pipes = end(port, &fault);
    // A loop, for a peer may have pipelined as deep as it likes.
    while let Some(pipe) = pipes.pop() {
        pipes.extend(end(&pipe, &fault));
    }
}

/// Ends one port, and hands back those for the results of calls that waited there.
fn end(port: &MessagePort, fault: &Fault) -> Vec<MessagePort> {
    port.start();
    let frame = Frame::Farewell { fault: fault.clone() }.to_bytes();
    let _closed_by_peer = port.post(Parcel::Message(frame.into()));
    port.close();
    // Nothing more comes by now. A call that is still a value has its ending when it looks for the place where its reply would go:
    // the farewell is there already, as it is for calls that came as bytes.
    let waiting = std::iter::from_fn(|| port.try_take());
    waiting.filter_map(|parcel| pipe_of(port.unpack(parcel)?)).collect()
}

/// The port for the result of a call, if it is a pipelined one.
fn pipe_of(mut message: Message) -> Option<MessagePort> {
    match Frame::parse(message.data()) {
        Ok(Frame::Pipelined { .. }) => message.pop_port(),
        Ok(_) | Err(_) => None,
    }
}

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
    say(port, &fault);
    // Nothing more comes by now.
    while let Some(parcel) = port.try_take() {
        end_unread(parcel, port, &fault);
    }
}

fn say(port: &MessagePort, fault: &Fault) {
    port.start();
    let frame = Frame::Farewell { fault: fault.clone() }.to_bytes();
    let _closed_by_peer = port.post(Parcel::Message(frame.into()));
    port.close();
}

/// Ends what was not read at a port where the farewell was said.
///
/// A call that is still a value has its ending when it looks for the place where its reply would go: the farewell is there already, as
/// it is for calls that came as bytes. A port that was to be served too, or that was for the result of a call, ends as this one.
pub(super) fn end_unread(parcel: Parcel, port: &MessagePort, fault: &Fault) {
    // A list, for they may nest deeper than any stack.
    let mut unread: Vec<_> = into_message(parcel, port).into_iter().collect();
    while let Some(message) = unread.pop() {
        for port in ports_to_end(message) {
            say(&port, fault);
            while let Some(parcel) = port.try_take() {
                unread.extend(into_message(parcel, &port));
            }
        }
    }
}

fn into_message(parcel: Parcel, port: &MessagePort) -> Option<Message> {
    match parcel {
        Parcel::Message(message) => Some(message),
        Parcel::Value(call) => call.encode(port),
    }
}

/// The ports in a message whose other ends are called already.
fn ports_to_end(mut message: Message) -> Vec<MessagePort> {
    match Frame::parse(message.data()) {
        Ok(Frame::Attach { .. }) => message.into_parts().ports,
        Ok(Frame::Pipelined { .. }) => message.pop_port().into_iter().collect(),
        Ok(_) | Err(_) => Vec::new(),
    }
}

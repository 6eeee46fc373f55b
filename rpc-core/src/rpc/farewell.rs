//! The last words of a port that was served.

use super::{
    frame::{Fault, Frame},
    oneway::IS_ONEWAY,
};
use crate::{MessagePort, port::Parcel};

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
    port.start();
    let frame = Frame::Farewell { fault }.to_bytes();
    let _closed_by_peer = port.post(Parcel::Message(frame.into()));
    port.close();
    // Nothing more comes by now. A call that is still a value has its ending when it looks for the place where its reply would go:
    // the farewell is there already, as it is for calls that came as bytes.
    while let Some(parcel) = port.try_take() {
        match parcel {
            Parcel::Value(call) if call.selector() & IS_ONEWAY == 0 => drop(call.encode(port)),
            unread => drop(unread),
        }
    }
}

//! One port for both sides: each calls, and is called.

use std::{any::Any, collections::HashSet};

use super::{
    Interruption, Refusal,
    frame::{CallId, Fault, Frame, Role},
    replies::ReplyTable,
};
use crate::{
    Message, MessageChannel, MessagePort,
    port::{Gone, MessageTarget, Parcel, end_of_joints},
    sync::{Arc, Mutex},
};

/// Makes two ports of one: through the first one calls the other side, through the second one is called by it. The other side
/// does the same with its end.
///
/// Both are ports like any other. Nothing is spawned and nothing waits: whoever posts puts the message where it belongs. When one
/// of the two is closed, the other goes on; calls that were open through the closed one end, and what it led to at the other side learns of
/// its end. When both are, the port is closed.
///
/// # Examples
/// ```
/// use handover_core::{MessageChannel, rpc::split};
///
/// let (ours, theirs) = MessageChannel::new().into_ports();
/// let (calls, serves) = split(ours);
/// let (their_calls, their_serves) = split(theirs);
/// // `ContactsClient::from(calls)` calls what `ContactsServer::new(…).serve(their_serves)` serves, and the other way round.
/// # drop((calls, serves, their_calls, their_serves));
/// ```
pub fn split(port: MessagePort) -> (MessagePort, MessagePort) {
    let (calls, inner_calls) = MessageChannel::new().into_ports();
    let (serves, inner_serves) = MessageChannel::new().into_ports();
    let junction = Arc::new(Junction { port, calls: inner_calls, serves: inner_serves, open: Mutex::default() });
    junction.calls.set_target(Arc::new(Branch { role: Role::Caller, junction: junction.clone() }));
    junction.serves.set_target(Arc::new(Branch { role: Role::Service, junction: junction.clone() }));
    junction.port.set_target(junction.clone());
    (calls, serves)
}

/// Where the port and its two branches meet. It is the target of the port.
struct Junction {
    port: MessagePort,
    calls: MessagePort,
    serves: MessagePort,
    open: Mutex<Open>,
}

/// The calls that went through as frames and have not ended, to end them when a branch is closed; and which branches are.
#[derive(Default)]
struct Open {
    outgoing: HashSet<CallId>,
    incoming: HashSet<CallId>,
    closed_branches: HashSet<Role>,
}

/// The target of a branch's inner end: what the branch's holder posts goes out by the port.
struct Branch {
    role: Role,
    junction: Arc<Junction>,
}

impl MessageTarget for Junction {
    fn deliver(&self, parcel: Parcel) {
        let Parcel::Message(message) = &parcel else {
            // A call; answers to those never come as values. One that nobody takes learns of it when it is dropped.
            return drop(self.serves.post(parcel));
        };
        match Frame::parse(message.data()) {
            Ok(Frame::Reply { id, .. } | Frame::Fault { id, .. }) => {
                self.open.lock().outgoing.remove(&id);
                drop(self.calls.post(parcel));
            }
            Ok(Frame::Hello { .. } | Frame::Credit { .. } | Frame::Shape { .. } | Frame::Farewell { .. }) => {
                drop(self.calls.post(parcel));
            }
            Ok(Frame::Call { id, method, .. }) => {
                self.open.lock().incoming.insert(id);
                if self.serves.post(parcel).is_err() {
                    self.open.lock().incoming.remove(&id);
                    self.send(Frame::Fault { id, fault: Fault::Refused(Refusal::UnknownMethod(method)) });
                }
            }
            Ok(Frame::Cancel { id }) => {
                self.open.lock().incoming.remove(&id);
                drop(self.serves.post(parcel));
            }
            // What it led to has ended there, so it ends here.
            Ok(Frame::Goodbye { from: Role::Caller }) => self.serves.close(),
            Ok(Frame::Goodbye { from: Role::Service }) => self.calls.close(),
            // What is no frame is for the service to report.
            Ok(Frame::Tell { .. } | Frame::Attach { .. } | Frame::Pipelined { .. }) | Err(_) => {
                drop(self.serves.post(parcel));
            }
        }
    }

    fn closed(&self, gone: Gone) {
        // A port that is closed lets go of its target; and when both branches are, so is the port: no ring is left.
        self.calls.close_as(gone);
        self.serves.close_as(gone);
    }
}

impl Junction {
    fn send(&self, frame: Frame<'_>) {
        let _closed = self.port.post(Parcel::Message(Message::new(frame.to_bytes())));
    }

    /// A branch was closed by its holder: its calls end. The second one closes the port.
    fn branch_closed(&self, role: Role, gone: Gone) {
        let mut open = self.open.lock();
        let is_new = open.closed_branches.insert(role);
        let is_last = open.closed_branches.len() == 2;
        let calls = match role {
            Role::Caller => std::mem::take(&mut open.outgoing),
            Role::Service => std::mem::take(&mut open.incoming),
        };
        drop(open);
        if !is_new {
            return;
        }
        for id in calls {
            self.send(match role {
                Role::Caller => Frame::Cancel { id },
                Role::Service => Frame::Fault { id, fault: Fault::Interrupted(Interruption::from(gone)) },
            });
        }
        self.send(Frame::Goodbye { from: role });
        if is_last {
            self.port.close_as(gone);
        }
    }
}

impl MessageTarget for Branch {
    fn deliver(&self, parcel: Parcel) {
        if let Parcel::Message(message) = &parcel {
            let frame = Frame::parse(message.data());
            let mut open = self.junction.open.lock();
            match frame {
                Ok(Frame::Call { id, .. }) => drop(open.outgoing.insert(id)),
                Ok(Frame::Cancel { id }) => drop(open.outgoing.remove(&id)),
                Ok(Frame::Reply { id, .. } | Frame::Fault { id, .. }) => drop(open.incoming.remove(&id)),
                Ok(_) | Err(_) => {}
            }
        }
        let _closed = self.junction.port.post(parcel);
    }

    fn closed(&self, gone: Gone) {
        self.junction.branch_closed(self.role, gone);
    }
}

/// The table of the calls that come out of a port, behind the junctions that they went through.
pub(super) fn reply_table(via: &MessagePort) -> Option<Arc<ReplyTable>> {
    table_at(via.peer_target_for_answers()?)
}

/// The table that a target is, or leads to.
pub(super) fn table_at(target: Arc<dyn MessageTarget>) -> Option<Arc<ReplyTable>> {
    // Nearly always there is nothing between.
    let is_table = (&*target as &dyn Any).is::<ReplyTable>();
    let target: Arc<dyn Any + Send + Sync> = if is_table { target } else { end_of_joints(target)? };
    let target = match target.downcast::<ReplyTable>() {
        Ok(table) => return Some(table),
        Err(target) => target,
    };
    let target = match target.downcast::<Branch>() {
        // The call came in by the junction's port, and was put into its branch for calls.
        Ok(branch) => return reply_table(&branch.junction.port),
        Err(target) => target,
    };
    let junction = target.downcast::<Junction>().ok()?;
    reply_table(&junction.calls)
}

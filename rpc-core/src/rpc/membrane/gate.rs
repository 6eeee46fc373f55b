//! Where one port crosses a membrane.

use std::sync::OnceLock;

use super::{Membrane, backlog, talk::Talks};
use crate::{
    Message, MessagePort,
    port::{Gone, MessageTarget, Parcel},
    rpc::{
        frame::{Fault, Frame},
        grant::Ended,
        host::Key,
    },
    sync::{Arc, Mutex},
};

/// Where one port crosses a membrane: two ports, each of which has an [`Arm`] as its target. Closed, they let go of those.
pub(super) struct Gate {
    membrane: Arc<Membrane>,
    /// The port outside: its other end is the holder's.
    outside: MessagePort,
    /// The port inside: its other end is the service's, or that of somebody whom the service knows.
    inside: MessagePort,
    /// What is served inside is the service itself, which says what becomes of its calls when the right ends.
    is_of_service: bool,
    key: OnceLock<Key>,
    talks: Mutex<Talks>,
}

/// One side of a membrane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shore {
    Outside,
    Inside,
}

impl Shore {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Outside => Self::Inside,
            Self::Inside => Self::Outside,
        }
    }
}

/// The target of one of a gate's ports: what comes there crosses from that shore.
pub(super) struct Arm {
    gate: Arc<Gate>,
    from: Shore,
}

impl Gate {
    /// A gate behind a port that lies on one shore; `near` is its port on the other.
    pub(super) fn new(
        membrane: &Arc<Membrane>,
        port: MessagePort,
        near: MessagePort,
        from: Shore,
        is_of_service: bool,
    ) -> Self {
        let (outside, inside) = match from {
            Shore::Outside => (port, near),
            Shore::Inside => (near, port),
        };
        let (membrane, key, talks) = (membrane.clone(), OnceLock::new(), Mutex::default());
        Self { membrane, outside, inside, is_of_service, key, talks }
    }

    pub(super) fn is_registered(&self, key: Key) {
        let _once = self.key.set(key);
    }

    fn port(&self, shore: Shore) -> &MessagePort {
        match shore {
            Shore::Outside => &self.outside,
            Shore::Inside => &self.inside,
        }
    }

    fn arm(self: &Arc<Self>, from: Shore) -> Arc<Arm> {
        Arc::new(Arm { gate: self.clone(), from })
    }

    /// Lets both ports lead on. What waits there does so until the gate is [opened](Self::open): nothing overtakes it.
    pub(super) fn lead_on(self: &Arc<Self>) {
        for shore in [Shore::Outside, Shore::Inside] {
            self.port(shore).drain_to(self.arm(shore));
        }
    }

    /// Passes on what waits.
    pub(super) fn open(self: &Arc<Self>) {
        for shore in [Shore::Outside, Shore::Inside] {
            self.port(shore).drain(&*self.arm(shore));
        }
    }

    /// Passes a message on from that shore, with what its ports become on the other.
    fn pass(&self, mut message: Message, from: Shore) {
        if self.membrane.is_over() && !self.is_of_service {
            return;
        }
        let is_attach = self.talks.lock().note(&message, from);
        let mut gates = Vec::new();
        message.replace_ports(|port| {
            let (gate, port) = self.membrane.cross(port, from, is_attach && self.is_of_service);
            gates.extend(gate);
            port
        });
        if let Err(error) = self.port(from.other()).post_message(message) {
            tracing::warn!(%error, "a message could not cross a membrane");
        }
        backlog::pass_on(gates);
    }

    /// Takes the gate away: gives back its port on that shore, which leads past it from now on. `None` if it is closed.
    pub(super) fn dissolve(&self, shore: Shore) -> Option<MessagePort> {
        let port = self.port(shore).move_away()?;
        port.transfer_receiving_steps();
        Some(port)
    }

    /// The right has ended. Whoever calls through the gate is told so, and it is closed.
    pub(super) fn end(&self, why: Ended) {
        if self.is_of_service {
            return;
        }
        for shore in [Shore::Outside, Shore::Inside] {
            let (calls, may_call) = self.talks.lock().take(shore);
            for id in calls {
                self.say(shore, &Frame::Fault { id, fault: Fault::Interrupted(why.interruption()) });
            }
            if may_call {
                self.say(shore, &Frame::Farewell { fault: Fault::Refused(why.refusal()) });
            }
        }
        self.close_as(Gone::Closed);
    }

    fn say(&self, shore: Shore, frame: &Frame<'_>) {
        let _closed = self.port(shore).post(Parcel::Message(frame.to_bytes().into()));
    }

    fn close_as(&self, gone: Gone) {
        self.outside.close_as(gone);
        self.inside.close_as(gone);
        if let Some(key) = self.key.get() {
            self.membrane.forget(*key);
        }
    }
}

impl Arm {
    pub(super) fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    pub(super) fn is_at(&self, membrane: &Arc<Membrane>, from: Shore) -> bool {
        Arc::ptr_eq(&self.gate.membrane, membrane) && self.from == from
    }
}

impl MessageTarget for Arm {
    fn deliver(&self, parcel: Parcel) {
        let message = match parcel {
            // Nothing crosses whose ports cannot be seen.
            Parcel::Value(value) => value.encode(self.gate.port(self.from)),
            Parcel::Message(message) => {
                message.ports_arrived();
                Some(message)
            }
        };
        if let Some(message) = message {
            self.gate.pass(message, self.from);
        }
    }

    fn closed(&self, gone: Gone) {
        self.gate.close_as(gone);
    }

    fn passes_on_by(&self) -> Option<&MessagePort> {
        Some(self.gate.port(self.from.other()))
    }
}

/// Lets what waits at a port that came home wait where it leads now. What that brings crosses with it, and none of it was this shore's own as far
/// as it is worth to know.
pub(super) fn bring_home(
    port: MessagePort,
    own: &MessagePort,
    mut wrap: impl FnMut(MessagePort) -> (Option<Arc<Gate>>, MessagePort),
) {
    port.start();
    let mut gates = Vec::new();
    while let Some(parcel) = port.try_take() {
        let message = match parcel {
            Parcel::Value(value) => value.encode(&port),
            Parcel::Message(message) => Some(message),
        };
        let Some(mut message) = message else { continue };
        message.replace_ports(|port| {
            let (gate, port) = wrap(port);
            gates.extend(gate);
            port
        });
        message.transfer_steps();
        own.put_back(Parcel::Message(message));
    }
    backlog::pass_on(gates);
}

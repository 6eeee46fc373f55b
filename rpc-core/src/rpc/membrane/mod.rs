//! Membranes: rights that take everything back that was obtained through them.
//!
//! Between the holder of such a right and the service lies a [`Gate`](gate::Gate), and so it does at every port that crosses by one, in either
//! direction, whatever it is an end of: so whatever is obtained passes a gate, and ends with the membrane (C12). What comes home passes none any
//! more: it is the port that it was. A gate is the target of its two ports, so whoever posts passes on himself what he posts.

mod backlog;
mod gate;
mod talk;

use std::{any::Any, fmt, sync::Weak};

use self::gate::{Arm, Gate, Shore};
use super::{
    grant::{Ended, GrantKey},
    host::{Hub, Key, Slots},
};
use crate::{
    MessageChannel, MessagePort,
    port::PortMark,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// How many gates one membrane may have.
const MOST_GATES: usize = 1 << 16;

/// What lies between the holder of a right and the service.
#[derive(Default)]
pub(in crate::rpc) struct Membrane {
    gates: Mutex<Gates>,
    /// Asked for each message.
    is_over: AtomicBool,
}

#[derive(Default)]
struct Gates {
    gates: Slots<Weak<Gate>>,
    is_over: bool,
    /// The right, which is kept as long as there is a gate, although its holder may have gone.
    right: Option<(Weak<Hub>, GrantKey)>,
}

impl Membrane {
    pub(in crate::rpc) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Puts a gate before a port that is to be served for the holder. Hands back what is to be served in its place.
    pub(in crate::rpc) fn before(self: &Arc<Self>, port: MessagePort) -> MessagePort {
        let (gate, port) = self.wrap(port, Shore::Outside, true);
        backlog::pass_on(gate);
        port
    }

    /// Notes which right it belongs to.
    pub(in crate::rpc) fn belongs_to(&self, hub: &Arc<Hub>, right: GrantKey) {
        hub.grants().hold(right, 0);
        let mut gates = self.gates.lock();
        let is_needed = gates.gates.len() > 0 && !gates.is_over;
        if is_needed {
            gates.right = Some((Arc::downgrade(hub), right));
        }
        drop(gates);
        if !is_needed {
            hub.grants().let_go(right, 0);
        }
    }

    /// Closes all gates, but those at which the service itself says why. Nothing more is passed on.
    pub(in crate::rpc) fn end(&self, why: Ended) {
        self.is_over.store(true, Ordering::Release);
        let mut state = self.gates.lock();
        state.is_over = true;
        let gates: Vec<_> = state.gates.iter().filter_map(|(_, gate)| gate.upgrade()).collect();
        drop(state);
        gates.iter().for_each(|gate| gate.end(why));
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// What a port becomes that crosses from one shore to the other: itself again, if it went the other way before, and else the end of a
    /// channel with a gate. The gate is to be opened when what the port came with was passed on.
    fn cross(
        self: &Arc<Self>,
        port: MessagePort,
        from: Shore,
        is_of_service: bool,
    ) -> (Option<Arc<Gate>>, MessagePort) {
        // One that is closed leads nowhere.
        let Some(mark) = port.mark() else { return (None, port) };
        match self.gate_at(&mark, from).and_then(|gate| gate.dissolve(from.other())) {
            Some(own) => {
                gate::bring_home(port, &own, |port| self.wrap(port, from, false));
                (None, own)
            }
            None => self.wrap(port, from, is_of_service),
        }
    }

    /// The gate that a port leads to, if that is one of this membrane, before which the port lies.
    fn gate_at(self: &Arc<Self>, port: &PortMark, from: Shore) -> Option<Arc<Gate>> {
        let target: Arc<dyn Any + Send + Sync> = port.destination().target?;
        let arm = target.downcast::<Arm>().ok()?;
        arm.is_at(self, from).then(|| arm.gate().clone())
    }

    /// Makes a gate behind a port, and hands back the other end of it, with the gate, which is to be opened.
    fn wrap(self: &Arc<Self>, port: MessagePort, from: Shore, is_of_service: bool) -> (Option<Arc<Gate>>, MessagePort) {
        let (near, far) = MessageChannel::new().into_ports();
        let gate = Arc::new(Gate::new(self, port, near, from, is_of_service));
        let mut gates = self.gates.lock();
        let is_full = gates.gates.len() >= MOST_GATES;
        let key = if is_full || gates.is_over { None } else { gates.gates.insert(Arc::downgrade(&gate)) };
        drop(gates);
        match key {
            Some(key) => {
                gate.is_registered(key);
                gate.lead_on();
                (Some(gate), far)
            }
            None => {
                tracing::warn!(is_full, "a port was closed that was to cross a membrane");
                (None, far)
            }
        }
    }

    /// A gate is closed.
    fn forget(&self, key: Key) {
        let mut gates = self.gates.lock();
        let gone = gates.gates.remove(key);
        let right = if gates.gates.len() == 0 { gates.right.take() } else { None };
        drop(gates);
        drop(gone);
        if let Some((hub, right)) = right
            && let Some(hub) = hub.upgrade()
        {
            hub.grants().let_go(right, 0);
        }
    }
}

impl fmt::Debug for Membrane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Membrane").field("is_over", &self.is_over()).finish_non_exhaustive()
    }
}

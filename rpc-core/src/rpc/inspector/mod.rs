//! What is under way in a context, for tests and for people who look.

mod snapshot;

use std::{collections::BTreeMap, fmt, sync::Weak, time::Duration};

pub use snapshot::{CallState, ExportState, PortState, Snapshot, StreamState, WindowState};

use super::{CallInfo, Failure, Host, Interceptor, MethodId, Outcome, call_info::CallSide, host::Hub, split::table_at};
use crate::{
    MessagePort,
    clock::Clock,
    port::Watched,
    stream::{Gauge, Reading, Streaming},
    sync::{Arc, Mutex},
};

/// Knows what is under way: the calls that it sees as an [`Interceptor`], at either side, and the ports that it was asked to
/// [watch](Self::watch).
///
/// Clones know the same. It keeps no port open and no call alive.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use handover_core::{MessageChannel, rpc::{Inspector, ServeOptions, interceptor}};
///
/// let inspector = Inspector::default();
/// // For all clients and services that this thread makes from now on:
/// let _installed = interceptor::install(Arc::new(inspector.clone()));
///
/// let (ours, theirs) = MessageChannel::new().into_ports();
/// inspector.watch("theirs", &theirs);
/// ours.post_message("hello").unwrap();
///
/// let snapshot = inspector.snapshot();
/// assert_eq!(snapshot.port("theirs").unwrap().messages, 1);
/// assert_eq!(snapshot.calls, []);
/// ```
#[derive(Clone, Default)]
pub struct Inspector(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    /// By their numbers, so the eldest comes first.
    calls: BTreeMap<u64, Call>,
    ports: Vec<(String, Watched)>,
    streams: Vec<(String, Gauge)>,
    hosts: Vec<(String, Weak<Hub>)>,
}

/// A call under way.
#[derive(Clone)]
struct Call {
    side: CallSide,
    service: &'static str,
    name: &'static str,
    method: MethodId,
    is_oneway: bool,
    deadline: Option<Duration>,
    began: Option<(Arc<dyn Clock>, Duration)>,
}

impl Inspector {
    /// Watches a port under a name, wherever it goes from here, until neither end of its channel is left. Of a client's port, its
    /// window is seen too.
    ///
    /// Where several have one name, all of them are in the snapshot.
    pub fn watch(&self, name: impl Into<String>, port: &MessagePort) {
        let (name, watched) = (name.into(), port.watch());
        self.0.lock().ports.push((name, watched));
    }

    /// Watches the consumer's end of a stream under a name, until it has ended, is dropped or is handed on. How it is, is known as of
    /// its last poll.
    pub fn watch_stream<T, E: Failure, P>(&self, name: impl Into<String>, stream: &mut Streaming<T, E, P>) {
        let (name, gauge) = (name.into(), stream.gauge());
        self.0.lock().streams.push((name, gauge));
    }

    /// Lists what a service has granted under a name, as long as the service, or a handle on it, is there.
    pub fn watch_host<C>(&self, name: impl Into<String>, host: &Host<C>) {
        let (name, hub) = (name.into(), Arc::downgrade(host.hub()));
        self.0.lock().hosts.push((name, hub));
    }

    /// What is under way now. Calls and ports of other threads may move on while it is taken.
    pub fn snapshot(&self) -> Snapshot {
        let mut known = self.0.lock();
        // A gauge that nobody else has is that of a stream that is gone.
        known.streams.retain(|(_, gauge)| gauge.is_watched_by_a_stream());
        known.hosts.retain(|(_, hub)| hub.strong_count() > 0);
        let (calls, ports, streams) = (known.calls.clone(), known.ports.clone(), known.streams.clone());
        let hosts = known.hosts.clone();
        drop(known);
        // Clocks are the user's, and each port has a lock of its own: looked at with no lock held.
        Snapshot {
            calls: calls.into_iter().map(|(number, call)| call.state(number)).collect(),
            ports: ports.into_iter().filter_map(|(name, watched)| port_state(name, &watched)).collect(),
            streams: streams.into_iter().filter_map(|(name, gauge)| stream_state(name, &gauge)).collect(),
            exports: hosts.into_iter().flat_map(|(name, hub)| exports(&name, &hub)).collect(),
        }
    }
}

impl Interceptor for Inspector {
    fn before(&self, call: &mut CallInfo) -> Result<(), String> {
        let entry = Call {
            side: call.side,
            service: call.service,
            name: call.name,
            method: call.method,
            is_oneway: call.is_oneway,
            deadline: call.deadline,
            began: call.clock(),
        };
        let former = self.0.lock().calls.insert(call.number(), entry);
        drop(former);
        Ok(())
    }

    fn after(&self, call: &CallInfo, _: &Outcome) {
        let ended = self.0.lock().calls.remove(&call.number());
        drop(ended);
    }
}

impl fmt::Debug for Inspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Inspector").field(&self.snapshot()).finish()
    }
}

impl Call {
    fn state(self, number: u64) -> CallState {
        let age = self.began.map(|(clock, began)| clock.now().saturating_sub(began));
        CallState {
            number,
            side: self.side,
            service: self.service.to_owned(),
            name: self.name.to_owned(),
            method: self.method,
            is_oneway: self.is_oneway,
            age,
            left: self.deadline.zip(age).map(|(deadline, age)| deadline.saturating_sub(age)),
        }
    }
}

fn exports(name: &str, hub: &Weak<Hub>) -> Vec<(String, ExportState)> {
    let exports = hub.upgrade().map(|hub| hub.exports()).unwrap_or_default();
    exports.into_iter().map(|(_, state)| (name.to_owned(), state)).collect()
}

fn stream_state(name: String, gauge: &Gauge) -> Option<StreamState> {
    let Reading { held, granted_items, granted_bytes, is_over } = gauge.read();
    (!is_over).then_some(StreamState { name, held, granted_items, granted_bytes })
}

fn port_state(name: String, watched: &Watched) -> Option<PortState> {
    let sight = watched.look()?;
    let window = sight.target.and_then(table_at).map(|table| table.window().state());
    Some(PortState {
        name,
        messages: sight.queued.messages,
        bytes: sight.queued.bytes,
        is_closed: sight.is_closed,
        window: window.flatten(),
    })
}

//! Which shared workers there are.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::channel::{mpsc, oneshot};
use handover_core::{Message, MessagePort, port::PortControl};

use super::{
    ConnectError, Connections, Lifetime, SharedWorkerOptions,
    keeper::{Place, Tenancy, keep},
    options::Settings,
};
use crate::{
    context,
    worker_thread::{Control, SpawnError, WorkerScope},
};

/// Those who find each other's shared workers: the standard's storage key, and the manager that makes one construction wait for
/// the other. Clones are the same group; two groups know nothing of each other.
///
/// Dropping the last clone makes its workers end: they take no more connections, and serve those that they have.
#[derive(Clone, Default)]
pub struct SharedWorkerGroup(Arc<Workers>);

impl SharedWorkerGroup {
    /// Makes a group without workers.
    pub fn new() -> Self {
        Self::default()
    }

    /// The names of the workers that run, in no order.
    pub fn names(&self) -> Vec<String> {
        let table = self.0.lock();
        table.by_name.values().filter(|entry| !entry.is_closing()).map(|entry| entry.control.name.clone()).collect()
    }

    /// Finds the worker of that name, or starts it (SHW-02).
    pub(super) fn enter<F, Fut>(
        &self,
        name: &str,
        options: SharedWorkerOptions,
        main: F,
    ) -> Result<Entrance, ConnectError>
    where
        F: FnOnce(WorkerScope, Connections) -> Fut + Send + 'static,
        Fut: Future<Output = ()>,
    {
        let settings = options.settings.clone();
        let (connected, to_watch) = mpsc::unbounded();
        // SHW-06: whether there is one, and that there is one from now on, is one step. The thread is started after it, for what is
        // posted to the worker waits for it anyway.
        let mut table = self.0.lock();
        if let Some(entry) = table.by_name.get_mut(name)
            && !entry.is_closing()
        {
            if entry.settings != settings {
                drop(table);
                return Err(ConnectError::Mismatch { name: name.to_owned() });
            }
            entry.holders += 1;
            let entrance = entry.entrance.clone();
            drop(table);
            return Ok(entrance);
        }
        table.last_id += 1;
        let place = Place { workers: Arc::downgrade(&self.0), name: name.to_owned(), id: table.last_id };
        let tenancy = Tenancy(place.clone());
        let prepared = options.builder(name).prepare(async move |scope, port| {
            context::spawn_local(keep(to_watch, tenancy.0.clone()));
            main(scope, Connections::new(port, tenancy)).await;
        });
        let entrance = Entrance { connect: Arc::new(prepared.outside), connected };
        let entry =
            Entry { id: place.id, settings, holders: 1, entrance: entrance.clone(), control: prepared.control.clone() };
        let former = table.by_name.insert(name.to_owned(), entry);
        drop(table);
        drop(former);
        let body = prepared.body;
        let (done, _nobody_waits) = oneshot::channel();
        let thread = prepared.thread.spawn(|| body.live_and_tell(done));
        thread.map_err(|error| SpawnError::new(name, error))?;
        Ok(entrance)
    }
}

impl fmt::Debug for SharedWorkerGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedWorkerGroup").field("workers", &self.names()).finish()
    }
}

/// The workers of a group.
#[derive(Debug, Default)]
pub(super) struct Workers(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    by_name: HashMap<String, Entry>,
    last_id: u64,
}

/// A worker that can be joined.
#[derive(Debug)]
struct Entry {
    id: u64,
    settings: Settings,
    /// How many are connected, or are just about to be.
    holders: usize,
    entrance: Entrance,
    control: Arc<Control>,
}

/// The way into a worker.
#[derive(Clone, Debug)]
pub(super) struct Entrance {
    /// The other end of the worker's implicit port.
    connect: Arc<MessagePort>,
    connected: mpsc::UnboundedSender<PortControl>,
}

impl Entry {
    fn is_closing(&self) -> bool {
        self.control.closing().is_some()
    }
}

impl Entrance {
    /// Tells the worker of a connection, and of the end whose closing ends it.
    pub(super) fn connect(&self, ours: PortControl, event: Message) {
        // A worker that has ended meanwhile drops the port, which its other end learns.
        let _ended = self.connected.unbounded_send(ours);
        self.connect.post_message(event).expect("the port in it was just made");
    }
}

impl Workers {
    /// Nothing that runs under it panics, or is anybody else's.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One of those who were connected to a worker has gone. The last one takes the worker along, if it does not live on.
    pub(super) fn left(&self, name: &str, id: u64) {
        let mut table = self.lock();
        let Some(entry) = table.by_name.get_mut(name).filter(|entry| entry.id == id) else { return };
        entry.holders -= 1;
        let is_over = entry.holders == 0 && entry.settings.lifetime == Lifetime::WhileConnected;
        let removed = if is_over { table.by_name.remove(name) } else { None };
        drop(table);
        drop(removed);
    }

    /// A worker takes nobody any more.
    pub(super) fn remove(&self, name: &str, id: u64) {
        let mut table = self.lock();
        let is_there = table.by_name.get(name).is_some_and(|entry| entry.id == id);
        let removed = if is_there { table.by_name.remove(name) } else { None };
        drop(table);
        drop(removed);
    }
}

//! The provider of contacts: the book, and who may do what with it. It runs in the page of the contacts, and goes on in a worker.

use std::{
    cell::RefCell,
    collections::HashMap,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use handover::{
    Callback, Host, ServeOptions, context,
    prelude::*,
    rpc::{AuditEntry, RightId},
};

use crate::{
    door::{Doors, Ends},
    report::{Event, Reporter},
    services::{AdderClient, Contacts, ContactsClient, ContactsServer, Line, Moved, Seat},
};

/// A provider at work.
pub(crate) struct Provider {
    host: Host<ContactsClient>,
    doors: Doors,
    names: Names,
    log: Arc<Log>,
}

type Names = Rc<RefCell<Vec<String>>>;

impl Provider {
    /// Begins, or goes on with what another has left. `shown` is told whenever there is somebody new. To be called in a context.
    pub(crate) fn start(moved: Moved, reporter: Reporter, shown: Callback<Vec<String>, ()>) -> Self {
        let Moved { names, seats } = moved;
        let names = Names::new(RefCell::new(names));
        let (doors, log) = (Doors::default(), Arc::new(Log::new(reporter)));
        let book = Book { names: names.clone(), doors: doors.clone(), shown: Rc::new(shown) };
        let noted = log.clone();
        let options = ServeOptions::default().audit(move |entry| noted.note(entry));
        let (host, hosting) = ContactsServer::new(book).with(options).host();
        context::spawn_local(async move { drop(hosting.serve().await) });
        let provider = Self { host, doors, names, log };
        seats.into_iter().for_each(|seat| provider.serve(seat));
        provider
    }

    /// Serves one more port.
    pub(crate) fn serve(&self, Seat { line, calls_left, port }: Seat) {
        match (line, calls_left) {
            (Line::SocialToContacts | Line::SocialToGame, _) => self.doors.open(line, self.host.grant(), port),
            (Line::OneContact | Line::UntilRevoked, None) => {
                self.doors.open(line, self.host.grant().view::<AdderClient>(), port);
            }
            (Line::OneContact | Line::UntilRevoked, Some(calls)) => {
                self.doors.open(line, self.host.grant().view::<AdderClient>().calls(calls), port);
            }
        }
    }

    /// Takes a right back. Whether it was there.
    pub(crate) fn revoke(&self, line: Line) -> bool {
        self.doors.revoke(line)
    }

    /// Leaves this context: everything that is needed to go on elsewhere. What comes meanwhile waits in the ports, and goes along.
    pub(crate) async fn leave(self) -> Moved {
        // What ends from here on ends for this context only.
        self.log.is_over.store(true, Ordering::Relaxed);
        let mut closed = Vec::new();
        for door in self.doors.take() {
            let line = door.line;
            closed.extend(door.close().await.map(|ends| (line, ends)));
        }
        let exports = self.host.exports();
        let left = |line: Line| {
            exports.iter().find(|export| export.state.label == line.name()).and_then(|export| export.state.calls_left)
        };
        let seats = closed.into_iter().map(|(line, Ends { outer, inner: _ })| Seat {
            line,
            calls_left: left(line),
            port: outer,
        });
        Moved { seats: seats.collect(), names: self.names.take() }
    }
}

/// The book.
struct Book {
    names: Names,
    doors: Doors,
    shown: Rc<Callback<Vec<String>, ()>>,
}

impl Contacts for Book {
    async fn add(&self, name: String) -> u32 {
        self.names.borrow_mut().push(name);
        let names = self.names.borrow().clone();
        let number = u32::try_from(names.len()).unwrap_or(u32::MAX);
        let shown = self.shown.clone();
        context::spawn_local(async move { drop(shown.call(names).await) });
        number
    }

    async fn list(&self) -> Vec<String> {
        self.names.borrow().clone()
    }

    async fn let_add(&self, context: CallContext, line: Line) -> AdderClient {
        let (theirs, ours) = MessageChannel::new().into_ports();
        let right = context.grant::<AdderClient>();
        let right = match line.calls() {
            Some(calls) => right.calls(calls),
            None => right,
        };
        self.doors.open(line, right, ours);
        AdderClient::from(theirs)
    }
}

/// What becomes of rights, in words.
struct Log {
    reporter: Reporter,
    lines: Mutex<HashMap<RightId, Line>>,
    is_over: AtomicBool,
}

impl Log {
    fn new(reporter: Reporter) -> Self {
        Self { reporter, lines: Mutex::default(), is_over: AtomicBool::new(false) }
    }

    fn note(&self, entry: AuditEntry) {
        if self.is_over.load(Ordering::Relaxed) {
            return;
        }
        match entry {
            AuditEntry::Granted { right, label, limits, .. } => {
                let Some(line) = Line::named(&label) else { return };
                self.lines.lock().unwrap_or_else(PoisonError::into_inner).insert(right, line);
                self.reporter.tell(Event::Serves(line));
                let methods = if limits.methods.is_some() { "only add" } else { "everything" };
                let calls = limits.calls.map_or_else(|| "no limit".to_owned(), |calls| format!("calls left: {calls}"));
                self.say(format!("granted “{label}”: {methods}, {calls}"), false);
            }
            AuditEntry::Used { right, name, outcome, .. } => {
                self.say_of(right, |line| format!("ran {name} by “{line}”: {outcome}"), false);
            }
            AuditEntry::Refused { right, reason, .. } => {
                self.say_of(right, |line| format!("refused a call by “{line}”: {}", reason.replace('_', " ")), true);
            }
            AuditEntry::Revoked { right } => {
                self.say_of(right, |line| format!("revoked “{line}”"), true);
                self.close(right);
            }
            AuditEntry::Released { right } => self.close(right),
            _ => {}
        }
    }

    fn line(&self, right: RightId) -> Option<Line> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).get(&right).copied()
    }

    fn say_of(&self, right: RightId, text: impl FnOnce(&str) -> String, is_refusal: bool) {
        if let Some(line) = self.line(right) {
            self.say(text(line.name()), is_refusal);
        }
    }

    fn say(&self, text: String, is_refusal: bool) {
        self.reporter.tell(Event::Audit { text, is_refusal });
    }

    fn close(&self, right: RightId) {
        if let Some(line) = self.line(right) {
            self.reporter.tell(Event::Closed(line));
        }
    }
}

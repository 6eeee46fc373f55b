//! Where replies that come as bytes find their calls.

use std::{
    error::Error,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    CallError, Interruption, MethodId,
    frame::{CallId, Fault, Frame, plain_reply},
    outstanding::Outstanding,
    report::in_one_line,
    window::CallWindow,
};
use crate::{
    Message,
    port::{FIRST_OF_PIPELINES, Gone, MessageTarget, Parcel},
    shape::WrittenShape,
    sync::{Arc, Mutex},
};

/// A call that went out as bytes.
pub(super) trait AwaitingReply: Send + Sync {
    /// A reply frame has come.
    fn reply(&self, reply: Reply);

    /// There will be none.
    fn fail(&self, error: CallError);
}

/// A reply that came as a frame.
pub(super) struct Reply {
    pub(super) message: Message,
    /// Where in the data the result starts.
    pub(super) result_at: usize,
    /// The shape that it is written in, if that is not this end's.
    pub(super) shape: Option<WrittenShape>,
}

impl Reply {
    /// All the bytes in it.
    pub(super) fn size(&self) -> usize {
        self.message.size()
    }
}

/// The calls of one client that went out as bytes. It is the target of the client's port: whoever posts a reply puts it
/// straight into its call's cell. It is made by whoever first has something for it: a client whose calls stay as they are has none.
pub(super) struct ReplyTable {
    waiting: Mutex<Waiting>,
    window: CallWindow,
    /// Made for the first method that is introduced: where calls go as they are, none is.
    shapes: OnceLock<Box<Mutex<Shapes>>>,
    /// The last method that was introduced, and one bit more; zero if none was. Who calls one method often asks for no more.
    last_introduced: AtomicU64,
    /// Whether the other end has any method in another shape.
    has_theirs: AtomicBool,
}

/// What is known of the other end's methods.
#[derive(Default)]
struct Shapes {
    /// The first method that was introduced to the service: it was told what it is taken for.
    first: Option<MethodId>,
    /// Those that were after it: nearly always there is none, or several.
    introduced: FxHashSet<MethodId>,
    /// Those that it has in another shape.
    theirs: FxHashMap<MethodId, WrittenShape>,
}

impl Shapes {
    /// Whether the method is introduced only now.
    fn introduce(&mut self, method: MethodId) -> bool {
        match self.first {
            None => {
                self.first = Some(method);
                true
            }
            Some(first) => first != method && self.introduced.insert(method),
        }
    }

    fn has_introduced(&self, method: MethodId) -> bool {
        self.first == Some(method) || self.introduced.contains(&method)
    }
}

struct Waiting {
    calls: Outstanding<Sent>,
    /// What the other end has said as its last words.
    farewell: Option<Box<Fault>>,
    gone: Option<Gone>,
}

impl Waiting {
    /// Whether nothing is answered any more.
    #[inline]
    fn is_over(&self) -> bool {
        self.farewell.is_some() || self.gone.is_some()
    }

    /// How every later call ends, if nothing is answered any more.
    fn ending(&self) -> Option<CallError> {
        let said = self.farewell.as_deref().cloned().map(CallError::from);
        said.or_else(|| self.gone.map(|gone| CallError::Unknown(gone.into())))
    }
}

/// A call that went out as bytes: who waits for its reply, and how many bytes.
struct Sent {
    call: Arc<dyn AwaitingReply>,
    method: MethodId,
    bytes: u64,
}

impl ReplyTable {
    /// A table for a port that was transferred so often, and whose channel has ended so, if it has. Each holder takes its ids from a range
    /// of its own, so that a late reply to a former holder's call cannot be taken for an answer to one of this holder's.
    pub(super) fn new(times_shipped: u32, gone: Option<Gone>) -> Self {
        let calls = Outstanding::counted_from(u64::from(times_shipped) << 32);
        Self {
            waiting: Mutex::new(Waiting { calls, farewell: None, gone }),
            window: CallWindow::new(),
            shapes: OnceLock::new(),
            last_introduced: AtomicU64::new(0),
            has_theirs: AtomicBool::new(false),
        }
    }

    /// How many calls may be under way.
    pub(super) fn window(&self) -> &CallWindow {
        &self.window
    }

    /// Whether a call is the first of its method here: then it says what the method is taken for.
    pub(super) fn is_introduction(&self, method: MethodId) -> bool {
        let noted = 1 << 32 | u64::from(method.0);
        if self.last_introduced.load(Ordering::Relaxed) == noted {
            return false;
        }
        let is_new = self.shapes.get_or_init(Box::default).lock().introduce(method);
        // After it is in the set: who reads this asks nobody else.
        self.last_introduced.store(noted, Ordering::Relaxed);
        is_new
    }

    /// Whether a call of this client went as bytes: nearly always, none does or all do.
    #[inline]
    pub(super) fn has_sent_bytes(&self) -> bool {
        self.last_introduced.load(Ordering::Relaxed) != 0
    }

    /// Where the transfers of a channel are counted from, one of whose ports is sent with a call of this client: high enough that no
    /// other client of what the call returns has had such ids, whoever called it before.
    pub(super) fn pipeline_number(&self) -> u32 {
        let CallId(id) = self.waiting.lock().calls.unused_id();
        let mixed = id.to_le_bytes().iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        // Truncated on purpose: any 23 bits will do.
        FIRST_OF_PIPELINES | ((mixed >> 32) as u32 & 0x007f_ffff) << 8
    }

    /// What the other end has said as its last words.
    pub(super) fn farewell(&self) -> Option<Fault> {
        self.waiting.lock().farewell.as_deref().cloned()
    }

    /// Expects a reply for a call, under an id that no call of this port had before. If the port is closed already, or the other end has said
    /// farewell, the call ends here.
    #[inline]
    pub(super) fn expect(&self, call: Arc<dyn AwaitingReply>, method: MethodId) -> Option<CallId> {
        let mut waiting = self.waiting.lock();
        if waiting.is_over() {
            let ending = waiting.ending();
            drop(waiting);
            ending.into_iter().for_each(|ending| call.fail(ending));
            return None;
        }
        Some(waiting.calls.add(|| Sent { call, method, bytes: 0 }))
    }

    /// Notes how many bytes a call has, before it is sent.
    #[inline]
    pub(super) fn sends(&self, id: CallId, bytes: usize) {
        // Nobody counts the bytes of calls that were sent before there was a limit.
        if self.window.is_limited() {
            self.count(id, bytes as u64);
        }
    }

    fn count(&self, id: CallId, bytes: u64) {
        if bytes == 0 {
            return;
        }
        // Before it is noted: whoever gives the call up from then on takes away what was added, and whoever has done so leaves it to this.
        self.window.add_bytes(bytes);
        let is_expected = self.waiting.lock().calls.get_mut(id).map(|sent| sent.bytes = bytes).is_some();
        if !is_expected {
            self.window.remove_bytes(bytes);
        }
    }

    /// Expects a call's reply no longer.
    pub(super) fn forget(&self, id: CallId) -> Option<Arc<dyn AwaitingReply>> {
        self.take(id).map(|sent| sent.call)
    }

    #[inline(always)]
    fn take(&self, id: CallId) -> Option<Sent> {
        let sent = self.waiting.lock().calls.take(id)?;
        if sent.bytes > 0 {
            self.window.remove_bytes(sent.bytes);
        }
        Some(sent)
    }

    /// Notes that nothing is answered any more, and ends the calls that wait.
    fn end(&self, note: impl FnOnce(&mut Waiting)) {
        let mut waiting = self.waiting.lock();
        note(&mut waiting);
        let calls = waiting.calls.take_all();
        let ending = if calls.is_empty() { None } else { waiting.ending() };
        drop(waiting);
        if let Some(ending) = ending {
            self.fail(calls, &ending);
        }
        self.window.open_wide();
    }

    #[cold]
    fn fail(&self, calls: Vec<Sent>, ending: &CallError) {
        let bytes = calls.iter().fold(0, |bytes: u64, sent| bytes.saturating_add(sent.bytes));
        // Who has counted nothing has no window to count in, and makes none to close it.
        if bytes > 0 {
            self.window.remove_bytes(bytes);
        }
        calls.into_iter().for_each(|sent| sent.call.fail(ending.clone()));
    }

    /// The shape of a method at the other end, where it is another than at this one.
    fn their_shape(&self, method: MethodId) -> Option<WrittenShape> {
        if !self.has_theirs.load(Ordering::Acquire) {
            return None;
        }
        self.shapes.get()?.lock().theirs.get(&method).cloned()
    }

    fn answer(&self, message: Message) {
        match plain_reply(message.data()) {
            Some((id, result_at)) => self.replied(id, message, result_at),
            None => self.answer_other(&message),
        }
    }

    #[inline]
    fn replied(&self, id: CallId, message: Message, result_at: usize) {
        match self.take(id) {
            Some(Sent { call, method, .. }) => {
                let shape = self.their_shape(method);
                call.reply(Reply { message, result_at, shape });
            }
            None => tracing::debug!(?id, "a reply came for a call that nobody waits for"),
        }
    }

    /// As [`answer`](Self::answer), of what is no reply.
    fn answer_other(&self, message: &Message) {
        match Frame::parse(message.data()) {
            Ok(Frame::Fault { id, fault }) => match self.forget(id) {
                Some(call) => call.fail(fault.into()),
                None => tracing::debug!(?id, "a fault came for a call that nobody waits for"),
            },
            Ok(Frame::Shape { method, shape }) => {
                // Only of methods that were introduced, so a peer cannot fill the table.
                let Some(mut shapes) = self.shapes.get().map(|shapes| shapes.lock()) else { return };
                let former = if shapes.has_introduced(method) {
                    self.has_theirs.store(true, Ordering::Release);
                    shapes.theirs.insert(method, shape)
                } else {
                    None
                };
                drop(shapes);
                drop(former);
            }
            Ok(Frame::Hello { window }) => self.window.limit(window),
            Ok(Frame::Credit { tells }) => self.window.credit(tells),
            Ok(Frame::Farewell { fault }) => self.end(|waiting| {
                waiting.farewell.get_or_insert_with(|| Box::new(fault));
            }),
            Ok(
                Frame::Goodbye { .. }
                // Told apart before.
                | Frame::Reply { .. }
                | Frame::Call { .. }
                | Frame::Tell { .. }
                | Frame::Pipelined { .. }
                | Frame::Cancel { .. }
                | Frame::Attach { .. },
            ) => {
                tracing::warn!("a call came to a client's port, which serves nothing; it was dropped");
            }
            Err(error) => tracing::warn!(%error, "a message that is no reply came to a client's port; it was dropped"),
        }
    }
}

impl MessageTarget for ReplyTable {
    fn deliver(&self, parcel: Parcel) {
        match parcel {
            Parcel::Message(message) => {
                message.transfer_receiving_steps();
                self.answer(message);
            }
            Parcel::Value(_) => {
                tracing::warn!("a call came to a client's port, which serves nothing; it was dropped");
            }
        }
    }

    fn closed(&self, gone: Gone) {
        self.end(|waiting| {
            waiting.gone.get_or_insert(gone);
        });
    }
}

impl From<Fault> for CallError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(refusal) => Self::Refused(refusal),
            Fault::Interrupted(interruption) => Self::Unknown(interruption),
        }
    }
}

impl Interruption {
    /// A reply that could not be read.
    pub(super) fn unreadable(why: &impl Error) -> Self {
        Self::UnreadableReply(in_one_line(why))
    }
}

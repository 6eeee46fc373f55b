//! What went over a link, for people to read and tests to compare.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use handover_core::{MessageChannel, MessagePort, wire::MethodId};

use super::{Direction, Link, LinkOptions, show};

/// Records the messages of a [link](LinkOptions::record) or of a [port](Self::tap), and prints them, a line for each:
///
/// ```text
/// 1 -> call 0 add, 2 bytes
/// 1 <- reply 0, 2 bytes
/// 1 -> call 1 watch, 1 byte, with port 2
/// 2 <- tell changed, 4 bytes, dropped
/// 1 -> closed
/// ```
///
/// First which port: 1 for the first that is joined, and the next number for each that travels. Then the [direction](Direction),
/// and the frame, if it is one. Calls have the numbers that `WIRE.md` gives them; one that was made after the client had been
/// handed on `n` times is printed as `n/number`. What is no frame is printed as hex, up to a limit.
///
/// Cloned, it is the same recording.
///
/// # Examples
/// ```
/// use handover_core::{MessagePort, wire::{CallId, Frame, MethodId}};
/// use handover_transports::{context, testing::{self, Recorder}};
///
/// let recorder = Recorder::with_methods(["add"]);
/// context::block_on(async {
///     let service: MessagePort = testing::connect(|port| async move {
///         port.start();
///         port.recv().await.unwrap();
///         port.post_message(Frame::Reply { id: CallId(1), result: &[0, 5] }.to_bytes()).unwrap();
///     });
///     let service = recorder.tap(service);
///     service.start();
///     service.post_message(Frame::call(CallId(1), MethodId::of_name("add"), &[2, 3]).to_bytes()).unwrap();
///     service.recv().await.unwrap();
/// });
/// recorder.expect(
///     "1 -> call 1 add, 2 bytes
///      1 <- reply 1, 2 bytes
///      1 <- closed",
/// );
/// ```
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<Tape>>);

#[derive(Default)]
struct Tape {
    entries: Vec<Entry>,
    methods: BTreeMap<u32, String>,
    last_number: u32,
}

/// One line.
enum Entry {
    Message(Recorded),
    Closed { port: u32, direction: Direction },
    Cut,
}

/// A message that was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// The number of the port.
    pub port: u32,
    /// Which way it went.
    pub direction: Direction,
    /// Its bytes, as they were passed on.
    pub data: Vec<u8>,
    /// The numbers of the ports in it, in order.
    pub ports: Vec<u32>,
    /// The sizes of the buffers in it, in bytes, in order.
    pub buffers: Vec<usize>,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a message on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// It arrived as it was.
    Passed,
    /// It was lost.
    Dropped,
    /// It arrived with other bytes.
    Corrupted,
    /// It arrived, and was nothing but the copy of another.
    Copy,
}

impl Recorder {
    /// A recorder that knows the methods with these names, and prints the names.
    pub fn with_methods<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let recorder = Self::default();
        for name in names {
            recorder.name_method(MethodId::of_name(name), name);
        }
        recorder
    }

    /// Prints a name in place of a method's id: one that `#[rpc(id = N)]` has set.
    pub fn name_method(&self, id: MethodId, name: &str) {
        self.tape(|tape| tape.methods.insert(id.0, name.to_owned()));
    }

    /// Records a port: what is posted to the port that is handed back, in its place, goes [there](Direction::There).
    ///
    /// What goes through it goes as bytes; calls do too.
    ///
    /// # Panics
    /// If this thread is no [context](crate::context).
    #[must_use = "it is the port, from now on"]
    pub fn tap(&self, port: MessagePort) -> MessagePort {
        let (ours, near) = MessageChannel::new().into_ports();
        Link::spawn(near, port, LinkOptions::default().record(self));
        ours
    }

    /// All messages, in the order in which they passed.
    pub fn messages(&self) -> Vec<Recorded> {
        let message = |entry: &Entry| match entry {
            Entry::Message(message) => Some(message.clone()),
            Entry::Closed { .. } | Entry::Cut => None,
        };
        self.tape(|tape| tape.entries.iter().filter_map(message).collect())
    }

    /// Forgets what was recorded. Ports keep their numbers.
    pub fn clear(&self) {
        let forgotten = self.tape(|tape| std::mem::take(&mut tape.entries));
        drop(forgotten);
    }

    /// Compares the recording with a text. Blank lines, and blanks around a line, do not matter.
    ///
    /// # Panics
    /// With both, if they are not the same.
    #[track_caller]
    pub fn expect(&self, text: &str) {
        let recorded = self.to_string();
        let (expected, found) = (lines(text), lines(&recorded));
        let same = expected.iter().zip(&found).take_while(|(expected, found)| expected == found).count();
        assert!(
            same == expected.len() && same == found.len(),
            "the recording is another from line {} on\nexpected:\n{}\nrecorded:\n{}",
            same + 1,
            expected.join("\n"),
            found.join("\n"),
        );
    }

    pub(super) fn next_number(&self) -> u32 {
        self.tape(|tape| {
            tape.last_number = tape.last_number.saturating_add(1);
            tape.last_number
        })
    }

    pub(super) fn message(&self, message: Recorded) {
        self.tape(|tape| tape.entries.push(Entry::Message(message)));
    }

    pub(super) fn closed(&self, port: u32, direction: Direction) {
        self.tape(|tape| tape.entries.push(Entry::Closed { port, direction }));
    }

    pub(super) fn cut(&self) {
        self.tape(|tape| tape.entries.push(Entry::Cut));
    }

    fn tape<R>(&self, act: impl FnOnce(&mut Tape) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// The lines of the recording.
impl fmt::Display for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tape(|tape| {
            for entry in &tape.entries {
                match entry {
                    Entry::Message(message) => writeln!(f, "{}", show::message(message, &tape.methods))?,
                    Entry::Closed { port, direction } => writeln!(f, "{port} {} closed", show::arrow(*direction))?,
                    Entry::Cut => writeln!(f, "the link is cut")?,
                }
            }
            Ok(())
        })
    }
}

/// As [`Display`](fmt::Display), so that a failed assertion shows the lines.
impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recorder:\n{self}")
    }
}

//! The rows of the table: what is done, and in what shape.

use std::fmt;

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// What is done.
    pub work: Work,
    /// Where the service runs.
    pub threads: Threads,
    /// How many calls are outstanding at a time.
    pub outstanding: u32,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Two numbers are added: the way there and back.
    Add,
    /// So many bytes come back, as a plain vector.
    Echo(usize),
    /// So many bytes come back, in whatever the system moves best.
    EchoMoved(usize),
    /// 1 000 structs with strings come back.
    EchoPeople,
    /// An item of a stream comes from the service.
    Down,
    /// An item of a stream goes to the service.
    Up,
    /// A new client is passed to the service, which calls it once and drops it.
    Lend,
    /// A connection is made.
    Connect,
    /// A connection is dropped, and its tasks end.
    Disconnect,
    /// A connection has made one call and does nothing. There is nothing to time: its bytes are counted.
    Idle,
}

/// Where a service runs, seen from its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// On the caller's thread, as a task beside the caller's.
    One,
    /// On a thread of its own. A side that has nothing to do sleeps.
    Two,
}

/// Every row, in the table's order.
pub const ROWS: [Row; 21] = [
    Row { work: Work::Add, threads: Threads::One, outstanding: 1 },
    Row { work: Work::Add, threads: Threads::One, outstanding: 64 },
    Row { work: Work::Add, threads: Threads::Two, outstanding: 1 },
    Row { work: Work::Add, threads: Threads::Two, outstanding: 64 },
    one_thread(Work::Echo(64)),
    one_thread(Work::Echo(4 << 10)),
    one_thread(Work::Echo(64 << 10)),
    one_thread(Work::Echo(1 << 20)),
    one_thread(Work::EchoMoved(64)),
    one_thread(Work::EchoMoved(4 << 10)),
    one_thread(Work::EchoMoved(64 << 10)),
    one_thread(Work::EchoMoved(1 << 20)),
    one_thread(Work::EchoPeople),
    one_thread(Work::Down),
    one_thread(Work::Up),
    Row { work: Work::Down, threads: Threads::Two, outstanding: 1 },
    Row { work: Work::Up, threads: Threads::Two, outstanding: 1 },
    one_thread(Work::Lend),
    one_thread(Work::Connect),
    one_thread(Work::Disconnect),
    one_thread(Work::Idle),
];

const fn one_thread(work: Work) -> Row {
    Row { work, threads: Threads::One, outstanding: 1 }
}

impl Row {
    /// How often the work is done before anything is measured: queues have grown by then, and both threads run.
    pub(crate) fn warm_up(&self) -> u32 {
        match self.work {
            Work::Add | Work::Lend => self.round_up(128),
            Work::Echo(bytes) | Work::EchoMoved(bytes) => {
                if bytes > 10_000 {
                    4
                } else {
                    64
                }
            }
            Work::EchoPeople => 4,
            Work::Down | Work::Up => 1_000,
            Work::Connect | Work::Disconnect | Work::Idle => 0,
        }
    }

    /// Rounds a number of calls up so that every lane makes the same number of them.
    pub fn round_up(&self, calls: u32) -> u32 {
        calls.next_multiple_of(self.outstanding)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let threads = match self.threads {
            Threads::One => "one thread",
            Threads::Two => "two threads",
        };
        match self.work {
            Work::Add => write!(f, "null call, {threads}, {} outstanding", self.outstanding),
            Work::Echo(bytes) => write!(f, "echo of {}, Vec<u8>", Size(bytes)),
            Work::EchoMoved(bytes) => write!(f, "echo of {}, moved", Size(bytes)),
            Work::EchoPeople => write!(f, "echo of 1 000 structs"),
            Work::Down => write!(f, "item of a stream from the service, {threads}"),
            Work::Up => write!(f, "item of a stream to the service, {threads}"),
            Work::Lend => write!(f, "client passed, called once, dropped"),
            Work::Connect => write!(f, "connection made"),
            Work::Disconnect => write!(f, "connection dropped"),
            Work::Idle => write!(f, "connection idle"),
        }
    }
}

struct Size(usize);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes @ ..1024 => write!(f, "{bytes} B"),
            bytes @ 1024..1_048_576 => write!(f, "{} KiB", bytes >> 10),
            bytes => write!(f, "{} MiB", bytes >> 20),
        }
    }
}

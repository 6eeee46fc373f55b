//! Who takes part, and in what.

use std::{fmt, marker::PhantomData};

use crate::{
    Executor, Measure, Row, System, Threads, Work,
    rows::{
        Adds, Echoes, EchoesMoved, EchoesPeople, Lends, Streams, calls, connections, echoes, lending, people, streams,
    },
};

/// Does the work of a row, and tells what it took.
type Run = fn(&Row, Measure) -> Vec<f64>;

/// A system on an executor, and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Contender {
    /// How the table names it.
    pub name: &'static str,
    /// [`Executor::NAME`].
    pub executor: &'static str,
    /// Whether it is there to show what nobody can go below, and not for others to be compared with.
    pub is_floor: bool,
    /// Where its services can run.
    threads: &'static [Threads],
    /// Whether more than one call may be outstanding.
    is_concurrent: bool,
    add: Option<Run>,
    echo: Option<Run>,
    echo_moved: Option<Run>,
    people: Option<Run>,
    down: Option<Run>,
    up: Option<Run>,
    lend: Option<Run>,
    connect: Option<Run>,
}

impl Contender {
    /// How it does the work of a row; `None` if it does not take part.
    pub fn run(&self, row: &Row) -> Option<Run> {
        let can_be_in = self.threads.contains(&row.threads) && (self.is_concurrent || row.outstanding == 1);
        let run = match row.work {
            Work::Add => self.add,
            Work::Echo(_) => self.echo,
            Work::EchoMoved(_) => self.echo_moved,
            Work::EchoPeople => self.people,
            Work::Down => self.down,
            Work::Up => self.up,
            Work::Lend => self.lend,
            Work::Connect | Work::Disconnect | Work::Idle => self.connect,
        };
        run.filter(|_| can_be_in)
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A contender in the making: what it is able to do is said word by word, and checked by the compiler.
#[derive(Debug)]
pub struct Entry<S, E>(Contender, PhantomData<fn() -> (S, E)>);

impl<S: System, E: Executor> Entry<S, E> {
    /// One that does nothing yet.
    pub const fn new(name: &'static str) -> Self {
        let contender = Contender {
            name,
            executor: E::NAME,
            is_floor: false,
            threads: &[Threads::One, Threads::Two],
            is_concurrent: true,
            add: None,
            echo: None,
            echo_moved: None,
            people: None,
            down: None,
            up: None,
            lend: None,
            connect: None,
        };
        Self(contender, PhantomData)
    }

    /// It shows what nobody can go below.
    #[must_use]
    pub const fn as_floor(mut self) -> Self {
        self.0.is_floor = true;
        self
    }

    /// It runs on one thread, or on two, and not on either.
    #[must_use]
    pub const fn only_on(mut self, threads: &'static [Threads]) -> Self {
        self.0.threads = threads;
        self
    }

    /// It does one thing after the other.
    #[must_use]
    pub const fn one_at_a_time(mut self) -> Self {
        self.0.is_concurrent = false;
        self
    }

    /// It takes part in the rows of null calls.
    #[must_use]
    pub const fn calls(mut self) -> Self
    where
        S::Client: Adds,
    {
        self.0.add = Some(calls::run::<S, E>);
        self
    }

    /// It takes part in the rows of connections.
    #[must_use]
    pub const fn connects(mut self) -> Self
    where
        S::Client: Adds,
    {
        self.0.connect = Some(connections::run::<S, E>);
        self
    }

    /// It takes part in the rows of plain bytes and of structs.
    #[must_use]
    pub const fn echoes(mut self) -> Self
    where
        S::Client: Echoes + EchoesPeople,
    {
        self.0.echo = Some(echoes::run::<S, E>);
        self.0.people = Some(people::run::<S, E>);
        self
    }

    /// It takes part in the rows of bytes that move.
    #[must_use]
    pub const fn moves(mut self) -> Self
    where
        S::Client: EchoesMoved,
    {
        self.0.echo_moved = Some(echoes::run_moved::<S, E>);
        self
    }

    /// It takes part in the rows of streams.
    #[must_use]
    pub const fn streams(mut self) -> Self
    where
        S::Client: Streams,
    {
        self.0.down = Some(streams::run_down::<S, E>);
        self.0.up = Some(streams::run_up::<S, E>);
        self
    }

    /// It takes part in the row of clients that are passed.
    #[must_use]
    pub const fn lends(mut self) -> Self
    where
        S::Client: Lends,
    {
        self.0.lend = Some(lending::run::<S, E>);
        self
    }

    /// That is all.
    pub const fn enter(self) -> Contender {
        self.0
    }
}

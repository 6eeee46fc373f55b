//! The rules of a connection between two windows: what is said, and what each side does about it.
//!
//! Nothing here knows of a browser, so it is tested without one. Origin and source were checked before anything comes here.

use std::collections::VecDeque;

use super::Ignored;

/// How many connections are remembered by whoever accepts, so that none is made twice.
const REMEMBERED: usize = 1024;

/// How many that were accepted may wait to be taken.
const WAITING: usize = 64;

/// Names whoever accepts, or one connection: chosen at random.
pub(super) type Id = String;

/// Why a message was left aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aside {
    /// Of a window or an origin that was not asked for.
    Stranger,
    Foreign,
    Repeated,
    /// Of somebody for whom there is no room.
    Full,
}

impl Aside {
    /// The counts, with one more of this.
    pub(super) fn added_to(self, mut ignored: Ignored) -> Ignored {
        let counter = match self {
            Self::Stranger => &mut ignored.strangers,
            Self::Foreign => &mut ignored.foreign,
            Self::Repeated | Self::Full => &mut ignored.repeated,
        };
        *counter = counter.saturating_add(1);
        ignored
    }
}

/// How far one is who connects.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Connecting {
    /// Nobody has said that they are ready.
    Waiting,
    /// A port was offered.
    Offered {
        acceptor: Id,
        connection: Id,
    },
    Connected {
        connection: Id,
    },
}

/// What to do when somebody is ready.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OnReady {
    /// Offer a port, by a connection of this name; and withdraw the one that was offered before.
    Offer,
    Leave(Aside),
}

impl Connecting {
    /// Somebody in the window accepts. Another than before is in another document: the one to whom a port was offered is gone.
    pub(super) fn ready(&mut self, by: &str, connection: impl FnOnce() -> Id) -> OnReady {
        match self {
            Self::Offered { acceptor, .. } if acceptor == by => OnReady::Leave(Aside::Repeated),
            Self::Connected { .. } => OnReady::Leave(Aside::Repeated),
            Self::Waiting | Self::Offered { .. } => {
                *self = Self::Offered { acceptor: by.to_owned(), connection: connection() };
                OnReady::Offer
            }
        }
    }

    /// The port was accepted; or was not ours, or was already.
    pub(super) fn accepted(&mut self, accepted: &str) -> Result<(), Aside> {
        match self {
            Self::Offered { connection, .. } if connection == accepted => {
                *self = Self::Connected { connection: accepted.to_owned() };
                Ok(())
            }
            Self::Connected { connection } if connection == accepted => Err(Aside::Repeated),
            Self::Waiting | Self::Offered { .. } | Self::Connected { .. } => Err(Aside::Foreign),
        }
    }

    /// The port was not accepted: it is offered again, to whoever is ready.
    pub(super) fn full(&mut self, refused: &str) -> Result<(), Aside> {
        match self {
            Self::Offered { connection, .. } if connection == refused => {
                *self = Self::Waiting;
                Ok(())
            }
            Self::Waiting | Self::Offered { .. } | Self::Connected { .. } => Err(Aside::Foreign),
        }
    }
}

/// What one knows who accepts.
#[derive(Debug)]
pub(super) struct Accepting {
    acceptor: Id,
    seen: VecDeque<Id>,
    waiting: usize,
}

impl Accepting {
    pub(super) fn new(acceptor: Id) -> Self {
        Self { acceptor, seen: VecDeque::new(), waiting: 0 }
    }

    /// By what name it is ready.
    pub(super) fn acceptor(&self) -> &str {
        &self.acceptor
    }

    /// Whether anybody has connected.
    pub(super) fn is_known(&self) -> bool {
        !self.seen.is_empty()
    }

    /// Somebody offers a port to whoever has this name.
    pub(super) fn connect(&mut self, to: &str, connection: Id) -> Result<(), Aside> {
        if to != self.acceptor {
            return Err(Aside::Foreign);
        }
        if self.seen.contains(&connection) {
            return Err(Aside::Repeated);
        }
        if self.waiting >= WAITING {
            return Err(Aside::Full);
        }
        if self.seen.len() >= REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back(connection);
        self.waiting += 1;
        Ok(())
    }

    /// A connection was taken.
    pub(super) fn taken(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(acceptor: &str, connection: &str) -> Connecting {
        Connecting::Offered { acceptor: acceptor.to_owned(), connection: connection.to_owned() }
    }

    #[test]
    fn a_port_is_offered_once_however_often_the_other_side_is_ready() {
        let mut connecting = Connecting::Waiting;

        assert_eq!(connecting.ready("a", || "1".to_owned()), OnReady::Offer);
        assert_eq!(connecting.ready("a", || unreachable!()), OnReady::Leave(Aside::Repeated));
        assert_eq!(connecting.accepted("1"), Ok(()));
        assert_eq!(connecting.ready("a", || unreachable!()), OnReady::Leave(Aside::Repeated));
        assert_eq!(connecting.ready("b", || unreachable!()), OnReady::Leave(Aside::Repeated));
    }

    #[test]
    fn one_who_comes_in_place_of_another_is_offered_a_port_of_its_own() {
        let mut connecting = offered("a", "1");

        assert_eq!(connecting.ready("b", || "2".to_owned()), OnReady::Offer);

        assert_eq!(connecting, offered("b", "2"));
        assert_eq!(connecting.accepted("1"), Err(Aside::Foreign), "that port was withdrawn");
        assert_eq!(connecting.accepted("2"), Ok(()));
        assert_eq!(connecting.accepted("2"), Err(Aside::Repeated));
    }

    #[test]
    fn one_for_whom_there_was_no_room_offers_again() {
        let mut connecting = offered("a", "1");
        assert_eq!(connecting.full("another"), Err(Aside::Foreign));

        assert_eq!(connecting.full("1"), Ok(()));

        assert_eq!(connecting.accepted("1"), Err(Aside::Foreign), "that port was withdrawn");
        assert_eq!(connecting.ready("a", || "2".to_owned()), OnReady::Offer);
        assert_eq!(connecting.accepted("2"), Ok(()));
        assert_eq!(connecting.full("2"), Err(Aside::Foreign));
    }

    #[test]
    fn nothing_is_accepted_that_was_not_offered() {
        assert_eq!(Connecting::Waiting.accepted("1"), Err(Aside::Foreign));
        assert_eq!(offered("a", "1").accepted("a"), Err(Aside::Foreign));
    }

    /// C23
    #[test]
    fn a_connection_that_is_said_twice_is_made_once() {
        let mut accepting = Accepting::new("a".to_owned());
        assert_eq!(accepting.acceptor(), "a");
        assert!(!accepting.is_known(), "nobody has come");

        assert_eq!(accepting.connect("a", "1".to_owned()), Ok(()));
        assert!(accepting.is_known());
        accepting.taken();
        assert_eq!(accepting.connect("a", "1".to_owned()), Err(Aside::Repeated));
        assert_eq!(accepting.connect("former", "2".to_owned()), Err(Aside::Foreign));
        assert_eq!(accepting.connect("a", "2".to_owned()), Ok(()));
    }

    #[test]
    fn each_message_that_is_left_aside_is_counted_for_what_it_is() {
        let asides = [Aside::Stranger, Aside::Repeated, Aside::Foreign, Aside::Stranger, Aside::Full];

        let counts = asides.into_iter().fold(Ignored::default(), |counts, aside| aside.added_to(counts));

        assert_eq!(counts, Ignored { strangers: 2, foreign: 1, repeated: 2 });
        let full = Ignored { strangers: u64::MAX, ..counts };
        assert_eq!(Aside::Stranger.added_to(full), full);
    }

    #[test]
    fn a_flood_of_connections_costs_bounded_memory() {
        let mut accepting = Accepting::new("a".to_owned());
        let waiting = (0..100_000).filter(|number| accepting.connect("a", number.to_string()).is_ok()).count();
        assert_eq!(waiting, WAITING);
        assert_eq!(accepting.connect("a", "one more".to_owned()), Err(Aside::Full));

        for number in 100_000..200_000 {
            accepting.taken();
            assert_eq!(accepting.connect("a", number.to_string()), Ok(()));
        }

        assert_eq!(accepting.seen.len(), REMEMBERED);
    }
}

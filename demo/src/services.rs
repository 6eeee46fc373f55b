//! What the pages say to each other.

use std::{error::Error, fmt};

use handover::{Callback, prelude::*};
use serde::{Deserialize, Serialize};

use crate::report::StageClient;

/// The book, for those who may manage it.
#[service]
pub(crate) trait Contacts {
    /// Adds somebody, and tells the number.
    async fn add(&self, name: String) -> u32;
    /// Everybody.
    async fn list(&self) -> Vec<String>;
    /// A right to add, and nothing else, to be handed on.
    async fn let_add(&self, context: CallContext, line: Line) -> AdderClient;
}

/// What a game gets of the book: it can add to it, and cannot see it.
#[service(view_of = Contacts)]
pub(crate) trait Adder {
    async fn add(&self, name: String) -> u32;
}

/// The game.
#[service]
pub(crate) trait Game {
    /// Takes a right for later.
    async fn take(&self, line: Line, right: AdderClient);
}

/// Where the provider goes on when it leaves its page.
#[service]
pub(crate) trait Keeper {
    /// Serves, from now on, what is in there, at the ports that are in there.
    async fn take_over(&self, moved: Moved, stage: StageClient, shown: Callback<Vec<String>, ()>);
    /// Takes a right back.
    async fn revoke(&self, line: Line);
}

/// Somebody on the stage, who does what the script says when it is time.
#[service]
pub(crate) trait Actor {
    /// Does it, and tells what came of it.
    async fn act(&self, cue: Cue) -> Result<String, Trouble>;
}

/// What the script says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Cue {
    /// Social: connect to the contacts and to the game.
    Meet,
    /// Social: ask the contacts for a right.
    Ask(Line),
    /// Social: hand it to the game.
    HandOn(Line),
    /// The game: add somebody by a right.
    Add(Line, String),
    /// The contacts: go on in a worker.
    Move,
    /// The contacts: take a right back.
    Revoke(Line),
}

/// A line on the stage: a port, from its holder to whoever serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Line {
    /// The connection by which social manages the book.
    SocialToContacts,
    /// The connection by which social talks to the game.
    SocialToGame,
    /// A right to add one contact.
    OneContact,
    /// A right to add contacts, until it is taken back.
    UntilRevoked,
}

impl Line {
    pub(crate) const ALL: [Self; 4] =
        [Self::SocialToContacts, Self::SocialToGame, Self::OneContact, Self::UntilRevoked];

    /// What it is called, as a label of rights too.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SocialToContacts => "manage contacts",
            Self::SocialToGame => "play",
            Self::OneContact => "add one contact",
            Self::UntilRevoked => "add contacts",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|line| line.name() == name)
    }

    /// How many calls there are in it.
    pub(crate) const fn calls(self) -> Option<u64> {
        match self {
            Self::OneContact => Some(1),
            Self::SocialToContacts | Self::SocialToGame | Self::UntilRevoked => None,
        }
    }
}

/// The provider on its way: the book, and all ports at which it is served.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Moved {
    pub(crate) names: Vec<String>,
    pub(crate) seats: Vec<Seat>,
}

/// A port at which the provider is served, and what its right has left.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Seat {
    pub(crate) line: Line,
    pub(crate) calls_left: Option<u64>,
    pub(crate) port: MessagePort,
}

/// Something did not go as it should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trouble(String);

impl Trouble {
    /// Says what failed, and why.
    pub(crate) fn new(what: &str, why: impl fmt::Display) -> Self {
        Self(format!("{what}: {why}"))
    }

    /// The script says something to somebody who cannot do it.
    pub(crate) fn out_of_turn(cue: &Cue) -> Self {
        Self(format!("not now: {cue:?}"))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Trouble {}

//! The social site: it holds the book, and lets a game add a contact without letting it see one.

use std::{error::Error, fmt};

use handover::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    AddOneClient, ContactsClient, Rights,
    game::{GameClient, Played},
};

/// Brings people and games together.
#[service]
pub(crate) trait Site {
    /// Lets a game be played by somebody with this book, and tells what it did to the book.
    async fn entertain(&self, contacts: ContactsClient, game: GameClient) -> Result<Told, Trouble>;
}

/// What a game gets: rights, and nothing that leads to the book.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Invitation {
    /// Who invites.
    pub(crate) host: String,
    /// The right to add one contact.
    pub(crate) add_one: AddOneClient,
    /// And one more, for a friend.
    pub(crate) for_a_friend: Option<AddOneClient>,
}

/// What the game did to the book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// How many contacts there were before.
    pub(crate) before: u32,
    /// How many there are after.
    pub(crate) after: u32,
    /// What the provider knows of the rights that it granted.
    pub(crate) rights: Rights,
    /// How often the game was refused.
    pub(crate) refused: u32,
}

/// Something did not go as it should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trouble(String);

impl Trouble {
    /// Says what failed, and why.
    pub(crate) fn new(what: &str, why: impl fmt::Display) -> Self {
        Self(format!("{what}: {why}"))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Trouble {}

/// The site's context.
#[derive(Debug)]
pub(crate) struct Social;

impl Site for Social {
    async fn entertain(&self, contacts: ContactsClient, game: GameClient) -> Result<Told, Trouble> {
        let provider = |error: CallError| Trouble::new("the contacts provider", error);
        let before = contacts.count().await.map_err(provider)?;
        let invitation = Invitation {
            host: "the social site".to_owned(),
            add_one: contacts.grant_add().await.map_err(provider)?,
            for_a_friend: Some(contacts.grant_add().await.map_err(provider)?),
        };
        let Played { added, refused } = game.play(invitation).await.map_err(|error| Trouble::new("the game", error))?;
        for id in added {
            contacts.touch(id).await.map_err(provider)?;
        }
        let after = contacts.count().await.map_err(provider)?;
        let rights = contacts.rights().await.map_err(provider)?;
        Ok(Told { before, after, rights, refused })
    }
}

//! The HTML standard's story of channel messaging: a contacts provider, a social site, and a game that may add one contact and
//! nothing else. Three contexts, each a thread with an executor of its own.
//!
//! `cargo run --release --example contacts -- FILE.vcf`

#[path = "contacts/cards.rs"]
mod cards;
#[path = "contacts/game.rs"]
mod game;
#[path = "contacts/provider.rs"]
mod provider;
#[path = "contacts/site.rs"]
mod site;

use std::{env, error::Error, process::ExitCode};

use handover::{prelude::*, worker_thread};
use serde::{Deserialize, Serialize};

/// Somebody one knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The name, as it is written.
    pub name: String,
    /// An address, if there is one.
    pub email: Option<String>,
}

/// The number of a contact in its book, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactId(pub u32);

/// Why a contact was not added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AddError {
    /// It has no name.
    NoName,
}

impl std::fmt::Display for AddError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoName => f.write_str("the contact has no name"),
        }
    }
}

impl Error for AddError {}

/// A book of contacts: all that may be done with it.
#[service]
pub trait Contacts {
    /// Adds a contact and tells its number.
    async fn add(&self, contact: Contact) -> Result<ContactId, AddError>;
    /// How many contacts there are.
    async fn count(&self) -> u32;
    /// A right to add one contact, and nothing else.
    async fn grant_add(&self) -> AddOneClient;
    /// How many such rights were granted, and how many were used.
    async fn rights(&self) -> Rights;
    /// Told, not asked: somebody looked at a contact.
    #[rpc(oneway)]
    async fn touch(&self, id: ContactId);
}

/// The right to add one contact.
#[service]
pub trait AddOne {
    /// Adds it. The right is used up.
    async fn add(self, contact: Contact) -> Result<ContactId, AddError>;
}

/// What became of the rights to add one contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    /// How many were granted.
    pub granted: u32,
    /// How many were used.
    pub used: u32,
}

fn main() -> ExitCode {
    let Some(file) = env::args_os().nth(1) else {
        eprintln!("usage: contacts FILE.vcf");
        return ExitCode::from(2);
    };
    match handover::block_on(story(file.to_string_lossy().into_owned())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

async fn story(file: String) -> Result<(), Box<dyn Error>> {
    let provider: provider::ProviderClient =
        worker_thread::spawn("provider", |port| provider::ProviderServer::new(provider::Shelf).serve(port))?;
    let site: site::SiteClient =
        worker_thread::spawn("social site", |port| site::SiteServer::new(site::Social).serve(port))?;
    let game: game::GameClient = worker_thread::spawn("game", |port| game::GameServer::new(game::Archery).serve(port))?;

    // The site gets the whole book, and the game's port; from here on nobody else has either.
    let contacts = provider.open(file).await?;
    let told = site.entertain(contacts, game).await?;
    println!(
        "contacts: {} before, {} after; granted {}, used {}, refused {}",
        told.before, told.after, told.rights.granted, told.rights.used, told.refused
    );
    Ok(())
}

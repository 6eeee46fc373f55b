//! The game: it uses the right that it was given, and then tries to use another one twice.

use handover::{
    Refusal,
    prelude::*,
    wire::{CallId, Fault, Frame, MethodId},
};
use serde::{Deserialize, Serialize};

use super::{
    AddError, AddOneClient, Contact, ContactId,
    site::{Invitation, Trouble},
};

/// A game that one can be invited to.
#[service]
pub(crate) trait Game {
    /// Plays, and tells what came of it.
    async fn play(&self, invitation: Invitation) -> Result<Played, Trouble>;
}

/// What came of a game.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Played {
    /// The contacts that were added.
    pub(crate) added: Vec<ContactId>,
    /// How often it was refused.
    pub(crate) refused: u32,
}

/// The game's context.
#[derive(Debug)]
pub(crate) struct Archery;

impl Game for Archery {
    async fn play(&self, invitation: Invitation) -> Result<Played, Trouble> {
        let mut played = Played::default();
        let tell = contact("Guillaume Tell", "tell@pomme.example.net");
        let ContactId(id) =
            invitation.add_one.add(tell).await.map_err(|error| Trouble::new("adding a contact", error))?;
        println!("game: added Guillaume Tell as contact {id}");
        played.added.push(ContactId(id));
        if let Some(right) = invitation.for_a_friend {
            cheat(right, &mut played).await?;
        }
        Ok(played)
    }
}

fn contact(name: &str, email: &str) -> Contact {
    Contact { name: name.to_owned(), email: Some(email.to_owned()) }
}

/// Uses a single-use right twice. The client's types do not allow that, so the frames are written by hand and posted on the
/// bare port.
async fn cheat(right: AddOneClient, played: &mut Played) -> Result<(), Trouble> {
    let port = right.into_port();
    port.start();
    let args = postcard::to_stdvec(&(contact("Walter Tell", "walter@pomme.example.net"),))
        .map_err(|error| Trouble::new("encoding a contact", error))?;
    for id in [1, 2] {
        let frame = Frame::call(CallId(id), MethodId::of_name("add"), &args);
        port.post_message(frame.to_bytes()).map_err(|error| Trouble::new("posting a call", error))?;
    }
    for _ in [1, 2] {
        let message = port.recv().await.map_err(|error| Trouble::new("waiting for an answer", error))?;
        match Frame::parse(message.data()) {
            Ok(Frame::Reply { result, .. }) => played.added.extend(added(result)?),
            Ok(Frame::Fault { fault: Fault::Refused(reason), .. }) => refused(&reason, played),
            other => return Err(Trouble::new("a strange answer", format!("{other:?}"))),
        }
    }
    Ok(())
}

fn added(result: &[u8]) -> Result<Option<ContactId>, Trouble> {
    let result: Result<ContactId, AddError> =
        postcard::from_bytes(result).map_err(|error| Trouble::new("decoding a reply", error))?;
    Ok(result.ok())
}

fn refused(reason: &Refusal, played: &mut Played) {
    played.refused += 1;
    println!("game: second use refused: {reason}");
}

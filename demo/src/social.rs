//! The social page: it may manage the contacts, and lets a game add some without showing it any.

use std::{
    cell::{OnceCell, RefCell},
    collections::HashMap,
};

use handover::{prelude::*, wasm_window::Window};
use wasm_bindgen::prelude::*;

use crate::{
    page,
    report::{Event, Place, Reporter},
    services::{Actor, AdderClient, ContactsClient, Cue, GameClient, Line, Trouble},
};

/// Brings people and games together.
#[wasm_bindgen]
pub fn social(stage: String, contacts: String, game: String) {
    page::run(async move {
        let site = |_: &_, reporter: &Reporter| Site {
            contacts_origin: contacts,
            game_origin: game,
            reporter: reporter.clone(),
            friends: OnceCell::new(),
            rights: RefCell::default(),
        };
        page::enter(Place::Social, &stage, site).await.map(drop)
    });
}

struct Site {
    contacts_origin: String,
    game_origin: String,
    reporter: Reporter,
    friends: OnceCell<(ContactsClient, GameClient)>,
    rights: RefCell<HashMap<Line, AdderClient>>,
}

impl Site {
    fn friends(&self) -> Result<&(ContactsClient, GameClient), Trouble> {
        self.friends.get().ok_or_else(|| Trouble::new("nobody is known here", "social has met nobody"))
    }

    async fn meet(&self) -> Result<String, Trouble> {
        let contacts: Window<ContactsClient> =
            Window::connect(&page::beside("contacts")?, page::only(&self.contacts_origin)?)
                .await
                .map_err(|error| Trouble::new("not connected to the contacts", error))?;
        let game: Window<GameClient> = Window::connect(&page::beside("game")?, page::only(&self.game_origin)?)
            .await
            .map_err(|error| Trouble::new("not connected to the game", error))?;
        let contacts = contacts.into_client().with_options(self.reporter.watch(Line::SocialToContacts));
        let game = game.into_client().with_options(self.reporter.watch(Line::SocialToGame));
        self.reporter.tell(Event::Holds(Line::SocialToContacts));
        self.reporter.tell(Event::Holds(Line::SocialToGame));
        let people = contacts.list().await.map_err(|error| Trouble::new("the contacts were not listed", error))?;
        page::say("state", &format!("Connected to your contacts: {} people. A game is waiting.", people.len()));
        let _once = self.friends.set((contacts, game));
        Ok(format!("Social knows {} contacts.", people.len()))
    }

    async fn ask(&self, line: Line) -> Result<String, Trouble> {
        let (contacts, _) = self.friends()?;
        let right = contacts.let_add(line).await.map_err(|error| Trouble::new("no right was granted", error))?;
        self.rights.borrow_mut().insert(line, right);
        self.reporter.tell(Event::Holds(line));
        page::say("state", &format!("Holds a right: “{}”.", line.name()));
        Ok(format!("Social holds “{}”.", line.name()))
    }

    async fn hand_on(&self, line: Line) -> Result<String, Trouble> {
        let (_, game) = self.friends()?;
        let right = self.rights.borrow_mut().remove(&line).ok_or_else(|| Trouble::out_of_turn(&Cue::HandOn(line)))?;
        game.take(line, right).await.map_err(|error| Trouble::new("the game did not take it", error))?;
        page::say("state", &format!("Gave “{}” to the game, and kept nothing of it.", line.name()));
        Ok(format!("The game holds “{}” now.", line.name()))
    }
}

impl Actor for Site {
    async fn act(&self, cue: Cue) -> Result<String, Trouble> {
        let done = match cue {
            Cue::Meet => self.meet().await,
            Cue::Ask(line) => self.ask(line).await,
            Cue::HandOn(line) => self.hand_on(line).await,
            Cue::Add(..) | Cue::Move | Cue::Revoke(_) => Err(Trouble::out_of_turn(&cue)),
        };
        self.reporter.told().await;
        done
    }
}

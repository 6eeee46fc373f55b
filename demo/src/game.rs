//! The game: it adds whom one meets to the contacts, by rights that it was given.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use futures::StreamExt;
use handover::{context, prelude::*, wasm_window};
use wasm_bindgen::prelude::*;

use crate::{
    page,
    report::{Event, Place, Reporter},
    services::{Actor, AdderClient, Cue, Game, GameServer, Line, Trouble},
};

/// Waits for the social page.
#[wasm_bindgen]
pub fn game(stage: String, social: String) {
    page::run(async move {
        let rights = Rights::default();
        let players = rights.clone();
        let reporter =
            page::enter(Place::Game, &stage, |_, reporter| Player { rights: players, reporter: reporter.clone() })
                .await?;
        let mut visitors = wasm_window::accept_from(&page::beside("social")?, page::only(&social)?);
        while let Some(visitor) = visitors.next().await {
            reporter.tell(Event::Serves(Line::SocialToGame));
            let (board, reporter) = (Board { rights: rights.clone(), reporter: reporter.clone() }, reporter.clone());
            context::spawn_local(async move {
                GameServer::new(board).serve(visitor.into_client()).await;
                reporter.tell(Event::Closed(Line::SocialToGame));
            });
        }
        Ok(())
    });
}

/// What the game was given.
type Rights = Rc<RefCell<HashMap<Line, Rc<AdderClient>>>>;

/// The game, as the social page sees it.
struct Board {
    rights: Rights,
    reporter: Reporter,
}

impl Game for Board {
    async fn take(&self, line: Line, right: AdderClient) {
        let right = right.with_options(self.reporter.watch(line));
        self.rights.borrow_mut().insert(line, right.into());
        self.reporter.tell(Event::Holds(line));
        page::say("state", &format!("May do one thing: {}.", line.name()));
        self.reporter.told().await;
    }
}

/// The game, as the script sees it.
struct Player {
    rights: Rights,
    reporter: Reporter,
}

impl Player {
    async fn add(&self, line: Line, name: String) -> Result<String, Trouble> {
        let right = self.rights.borrow().get(&line).cloned();
        let right = right.ok_or_else(|| Trouble::new("the game has no such right", line.name()))?;
        match right.add(name.clone()).await {
            Ok(number) => {
                page::add_entry("met", &format!("{name}: no. {number}"), "");
                Ok(format!("{name} is contact no. {number}."))
            }
            // What a right does not allow is no trouble: it is the point.
            Err(CallError::Refused(refusal)) => {
                page::add_entry("met", &format!("{name}: refused, {refusal}"), "refused");
                Ok(format!("{name} was not added: {refusal}."))
            }
            Err(error) => Err(Trouble::new("the call failed", error)),
        }
    }
}

impl Actor for Player {
    async fn act(&self, cue: Cue) -> Result<String, Trouble> {
        let done = match cue {
            Cue::Add(line, name) => self.add(line, name).await,
            Cue::Meet | Cue::Ask(_) | Cue::HandOn(_) | Cue::Move | Cue::Revoke(_) => Err(Trouble::out_of_turn(&cue)),
        };
        self.reporter.told().await;
        done
    }
}

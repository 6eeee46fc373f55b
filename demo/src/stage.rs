//! The stage: it shows what the actors report, and gives them their cues. It has no right on anything of theirs.

use std::{cell::RefCell, collections::HashMap, rc::Rc, time::Duration};

use futures::StreamExt;
use handover::{Origin, context, wasm_window};
use wasm_bindgen::prelude::*;

use crate::{
    page,
    report::{Event, Place, Stage, StageServer},
    services::{ActorClient, Cue, Line, Trouble},
};

/// How long something may take that the script asks for.
const LONGEST: Duration = Duration::from_secs(20);

#[wasm_bindgen]
extern "C" {
    /// What draws.
    #[derive(Clone)]
    pub type View;

    #[wasm_bindgen(method)]
    fn entered(this: &View, place: &str);
    #[wasm_bindgen(method)]
    fn serves(this: &View, place: &str, at: f64, line: &str);
    #[wasm_bindgen(method)]
    fn holds(this: &View, place: &str, at: f64, line: &str);
    #[wasm_bindgen(method)]
    fn closed(this: &View, place: &str, at: f64, line: &str);
    #[wasm_bindgen(method)]
    fn calls(this: &View, place: &str, at: f64, line: &str, method: &str);
    #[wasm_bindgen(method)]
    fn ended(this: &View, place: &str, at: f64, line: &str, method: &str, outcome: &str, has_returned: bool);
    #[wasm_bindgen(method)]
    fn audit(this: &View, place: &str, at: f64, text: &str, is_refusal: bool);
}

thread_local! {
    static ACTORS: RefCell<HashMap<Place, Rc<ActorClient>>> = RefCell::default();
}

/// Lets the actors in, each from its own origin, and shows what they report.
///
/// # Errors
/// If what should be an origin is none.
#[wasm_bindgen]
pub fn stage(view: View, contacts: String, social: String, game: String) -> Result<(), JsError> {
    let origins = wasm_window::Origins::only(&contacts)?.and(&social)?.and(&game)?;
    let homes = Rc::new([(Place::Contacts, contacts), (Place::Social, social), (Place::Game, game)]);
    page::run(async move {
        let mut visitors = wasm_window::accept(origins);
        while let Some(visitor) = visitors.next().await {
            let seen = Seen { view: view.clone(), whose: whose(visitor.origin(), &*homes) };
            context::spawn_local(StageServer::new(seen).serve(visitor.into_client()));
        }
        Ok(())
    });
    Ok(())
}

/// Whom a page of this origin speaks for: the contacts also for their worker.
fn whose(origin: &Origin, homes: &[(Place, String)]) -> Vec<Place> {
    let home = homes.iter().find(|(_, home)| home.parse::<Origin>().is_ok_and(|home| home == *origin));
    match home {
        Some((Place::Contacts, _)) => vec![Place::Contacts, Place::Worker],
        Some((place, _)) => vec![*place],
        None => Vec::new(),
    }
}

/// The stage, as one of the pages sees it.
struct Seen {
    view: View,
    whose: Vec<Place>,
}

impl Stage for Seen {
    async fn enters(&self, place: Place, actor: ActorClient) {
        if self.whose.contains(&place) {
            ACTORS.with_borrow_mut(|actors| actors.insert(place, actor.into()));
            self.view.entered(place.name());
        }
    }

    async fn tell(&self, place: Place, at: f64, event: Event) {
        if !self.whose.contains(&place) {
            return;
        }
        let (view, place) = (&self.view, place.name());
        match event {
            Event::Serves(line) => view.serves(place, at, line.name()),
            Event::Holds(line) => view.holds(place, at, line.name()),
            Event::Closed(line) => view.closed(place, at, line.name()),
            Event::Calls { line, method } => view.calls(place, at, line.name(), &method),
            Event::Ended { line, method, outcome, has_returned } => {
                view.ended(place, at, line.name(), &method, &outcome, has_returned);
            }
            Event::Audit { text, is_refusal } => view.audit(place, at, &text, is_refusal),
        }
    }
}

async fn act(place: Place, cue: Cue) -> Result<String, JsError> {
    let actor = ACTORS.with_borrow(|actors| actors.get(&place).cloned());
    let actor = actor.ok_or_else(|| Trouble::new("not on the stage", place.name()))?;
    Ok(actor.act(cue).deadline(LONGEST).await?)
}

fn line(name: &str) -> Result<Line, JsError> {
    Ok(Line::named(name).ok_or_else(|| Trouble::new("there is no line", name))?)
}

/// Has social connect to the contacts and to the game.
///
/// # Errors
/// What went wrong there.
#[wasm_bindgen]
pub async fn meet() -> Result<String, JsError> {
    act(Place::Social, Cue::Meet).await
}

/// Has social ask the contacts for a right.
///
/// # Errors
/// What went wrong there.
#[wasm_bindgen]
pub async fn ask(right: &str) -> Result<String, JsError> {
    act(Place::Social, Cue::Ask(line(right)?)).await
}

/// Has social hand a right to the game.
///
/// # Errors
/// What went wrong there.
#[wasm_bindgen]
pub async fn hand_on(right: &str) -> Result<String, JsError> {
    act(Place::Social, Cue::HandOn(line(right)?)).await
}

/// Has the game add somebody by a right: tells whom as what number, or that it was refused.
///
/// # Errors
/// What went wrong there.
#[wasm_bindgen]
pub async fn add(right: &str, name: String) -> Result<String, JsError> {
    act(Place::Game, Cue::Add(line(right)?, name)).await
}

/// Has the contacts go on in a worker.
///
/// # Errors
/// What went wrong there.
#[wasm_bindgen]
pub async fn move_provider() -> Result<String, JsError> {
    act(Place::Contacts, Cue::Move).await
}

/// Has the contacts take a right back.
///
/// # Errors
/// What went wrong there.
#[wasm_bindgen]
pub async fn revoke(right: &str) -> Result<String, JsError> {
    act(Place::Contacts, Cue::Revoke(line(right)?)).await
}

//! The page of the contacts.

use std::cell::RefCell;

use futures::StreamExt;
use handover::{
    in_process, wasm_window,
    wasm_worker::{self, Script},
};
use wasm_bindgen::prelude::*;

use crate::{
    page,
    provider::Provider,
    report::{Place, Reporter, StageClient},
    services::{Actor, Cue, KeeperClient, Line, Moved, Seat, Trouble},
};

thread_local! {
    static HOME: RefCell<Home> = const { RefCell::new(Home::Nowhere) };
}

/// Where the provider is.
enum Home {
    Nowhere,
    Here(Provider),
    Worker(std::rc::Rc<KeeperClient>),
}

/// Serves its book to the social page.
#[wasm_bindgen]
pub fn contacts(stage: String, social: String) {
    page::run(async move {
        let keeper =
            |stage: &StageClient, reporter: &Reporter| Owner { stage: stage.clone(), reporter: reporter.clone() };
        let people = ["Hedwig", "Walter", "Arnold"].map(str::to_owned).to_vec();
        show(&people);
        let reporter = page::enter(Place::Contacts, &stage, keeper).await?;
        let moved = Moved { names: people, seats: Vec::new() };
        HOME.set(Home::Here(Provider::start(moved, reporter, shown())));
        let mut visitors = wasm_window::accept_from(&page::beside("social")?, page::only(&social)?);
        while let Some(visitor) = visitors.next().await {
            HOME.with_borrow(|home| {
                if let Home::Here(provider) = home {
                    let port = visitor.into_client();
                    provider.serve(Seat { line: Line::SocialToContacts, calls_left: None, port });
                }
            });
        }
        Ok(())
    });
}

/// What shows the book here, from wherever it is kept.
fn shown() -> handover::Callback<Vec<String>, ()> {
    in_process::callback(async |names: Vec<String>| show(&names))
}

fn show(names: &[String]) {
    page::fill("people", names);
    page::say("count", &names.len().to_string());
}

/// Whose contacts they are.
struct Owner {
    stage: StageClient,
    reporter: Reporter,
}

impl Owner {
    async fn move_to_a_worker(&self) -> Result<String, Trouble> {
        let worker: KeeperClient = wasm_worker::spawn("contacts", &Script::export("/demo.js", "contacts_worker"))
            .map_err(|error| Trouble::new("no worker", error))?;
        let provider = match HOME.replace(Home::Nowhere) {
            Home::Here(provider) => provider,
            elsewhere => {
                HOME.set(elsewhere);
                return Err(Trouble::out_of_turn(&Cue::Move));
            }
        };
        // The stage hears of the ports here before it hears of them there.
        self.reporter.told().await;
        let moved = provider.leave().await;
        let ports = moved.seats.len();
        worker
            .take_over(moved, self.stage.clone(), shown())
            .await
            .map_err(|error| Trouble::new("the worker did not take over", error))?;
        HOME.set(Home::Worker(worker.into()));
        page::say("home", "kept in a worker");
        Ok(format!("The book and {ports} ports went into a worker"))
    }

    async fn revoke(&self, line: Line) -> Result<String, Trouble> {
        let worker = HOME.with_borrow(|home| match home {
            Home::Nowhere => Err(Trouble::out_of_turn(&Cue::Revoke(line))),
            Home::Here(provider) => {
                provider.revoke(line);
                Ok(None)
            }
            Home::Worker(worker) => Ok(Some(worker.clone())),
        })?;
        if let Some(worker) = worker {
            worker.revoke(line).await.map_err(|error| Trouble::new("the worker did not revoke it", error))?;
        }
        Ok(format!("“{}” was taken back.", line.name()))
    }
}

impl Actor for Owner {
    async fn act(&self, cue: Cue) -> Result<String, Trouble> {
        match cue {
            Cue::Move => self.move_to_a_worker().await,
            Cue::Revoke(line) => self.revoke(line).await,
            Cue::Meet | Cue::Ask(_) | Cue::HandOn(_) | Cue::Add(..) => Err(Trouble::out_of_turn(&cue)),
        }
    }
}

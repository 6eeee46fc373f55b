//! What the actors tell the stage: calls, as interceptors see them, and rights, as the provider's audit does.

use futures::{
    StreamExt,
    channel::{mpsc, oneshot},
};
use handover::{CallInfo, ClientOptions, Interceptor, Outcome, context, prelude::*};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use crate::services::{ActorClient, Line};

/// What the stage is told.
#[service]
pub(crate) trait Stage {
    /// Somebody is there, and waits for cues.
    async fn enters(&self, place: Place, actor: ActorClient);
    /// Something has happened there, at that time: milliseconds by the clock of the browser, which all its contexts go by.
    async fn tell(&self, place: Place, at: f64, event: Event);
}

/// A context on the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Place {
    /// The page of the contacts.
    Contacts,
    /// The social page.
    Social,
    /// The page of the game.
    Game,
    /// The worker of the contacts.
    Worker,
}

impl Place {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Social => "social",
            Self::Game => "game",
            Self::Worker => "worker",
        }
    }
}

/// What has happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Event {
    /// What comes by a port is served there.
    Serves(Line),
    /// Whoever is there can call by a port.
    Holds(Line),
    /// A port is closed.
    Closed(Line),
    /// A call goes out.
    Calls { line: Line, method: String },
    /// It has ended.
    Ended { line: Line, method: String, outcome: String, has_returned: bool },
    /// Something became of a right.
    Audit { text: String, is_refusal: bool },
}

/// Tells the stage what happens in this context, in order.
#[derive(Clone)]
pub(crate) struct Reporter {
    reports: mpsc::UnboundedSender<Report>,
}

enum Report {
    Happened(f64, Event),
    /// Everything before was told.
    Told(oneshot::Sender<()>),
}

impl Reporter {
    /// Tells of this place, as long as the context lasts. To be made in a context.
    pub(crate) fn new(place: Place, stage: StageClient) -> Self {
        let (reports, mut to_tell) = mpsc::unbounded();
        context::spawn_local(async move {
            while let Some(report) = to_tell.next().await {
                match report {
                    // A stage that is gone shows nothing any more.
                    Report::Happened(at, event) => drop(stage.tell(place, at, event).await),
                    Report::Told(told) => drop(told.send(())),
                }
            }
        });
        Self { reports }
    }

    /// Tells it something.
    pub(crate) fn tell(&self, event: Event) {
        let _nobody_looks = self.reports.unbounded_send(Report::Happened(now(), event));
    }

    /// Waits until it knows everything.
    pub(crate) async fn told(&self) {
        let (told, is_told) = oneshot::channel();
        let _nobody_looks = self.reports.unbounded_send(Report::Told(told));
        let _nobody_looks = is_told.await;
    }

    /// The options of a client whose calls it is told of.
    pub(crate) fn watch(&self, line: Line) -> ClientOptions {
        ClientOptions::default().interceptor(Watcher { reporter: self.clone(), line })
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_namespace = performance, js_name = timeOrigin)]
    static TIME_ORIGIN: f64;

    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn since_the_origin() -> f64;
}

fn now() -> f64 {
    TIME_ORIGIN.with(|origin| *origin) + since_the_origin()
}

/// Sees the calls of a client.
struct Watcher {
    reporter: Reporter,
    line: Line,
}

impl Interceptor for Watcher {
    fn before(&self, call: &mut CallInfo) -> Result<(), String> {
        self.reporter.tell(Event::Calls { line: self.line, method: call.name.to_owned() });
        Ok(())
    }

    fn after(&self, call: &CallInfo, outcome: &Outcome) {
        let words = match outcome {
            Outcome::Failed(error) => error.to_string(),
            other => other.label().to_owned(),
        };
        self.reporter.tell(Event::Ended {
            line: self.line,
            method: call.name.to_owned(),
            outcome: words,
            has_returned: *outcome == Outcome::Returned,
        });
    }
}

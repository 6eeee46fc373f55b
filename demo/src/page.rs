//! What every page can do.

use std::fmt::Display;

use handover::{
    context,
    wasm_window::{Origins, Window},
};
use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast, prelude::*};
use web_sys::{Document, Element};

use crate::{
    report::{Place, Reporter, StageClient},
    services::{Actor, ActorServer, Trouble},
};

/// Has a panic shown before it ends the instance. Runs when the instance is made.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| show_error(panic)));
}

/// Runs a page, for ever; what goes wrong is shown there.
pub(crate) fn run(page: impl Future<Output = Result<(), Trouble>> + 'static) {
    wasm_bindgen_futures::spawn_local(context::run(async {
        if let Err(trouble) = page.await {
            show_error(&trouble);
        }
        // What was spawned goes on.
        std::future::pending().await
    }));
}

/// Connects to the stage, and waits there for cues.
pub(crate) async fn enter<A: Actor + 'static>(
    place: Place,
    stage: &str,
    actor: impl FnOnce(&StageClient, &Reporter) -> A,
) -> Result<Reporter, Trouble> {
    let parent = window().parent().ok().flatten().filter(|parent| !Object::is(parent, &window()));
    let parent = parent.ok_or_else(|| Trouble::new("no stage", "this page is in no frame"))?;
    let stage: Window<StageClient> = Window::connect(&parent, only(stage)?)
        .await
        .map_err(|error| Trouble::new("not connected to the stage", error))?;
    let stage = stage.into_client();
    let reporter = Reporter::new(place, stage.clone());
    let actor = actor(&stage, &reporter);
    let actor = handover::in_process::spawn(|port| async move { ActorServer::new(actor).serve(port).await });
    stage.enters(place, actor).await.map_err(|error| Trouble::new("not let onto the stage", error))?;
    Ok(reporter)
}

/// The origin that is meant.
pub(crate) fn only(origin: &str) -> Result<Origins, Trouble> {
    Origins::only(origin).map_err(|error| Trouble::new("no origin", error))
}

/// The frame of that name beside this one.
pub(crate) fn beside(name: &str) -> Result<web_sys::Window, Trouble> {
    let parent = window().parent().ok().flatten();
    let frame = parent.and_then(|parent| Reflect::get(&parent, &name.into()).ok()).filter(JsValue::is_object);
    // It may be of another origin, and of such a window nothing can be asked.
    frame.map(JsCast::unchecked_into).ok_or_else(|| Trouble::new("there is no frame", name))
}

/// Puts a text where it belongs.
pub(crate) fn say(id: &str, text: &str) {
    if let Some(place) = element(id) {
        place.set_text_content(Some(text));
    }
}

/// Adds an entry to a list, of that kind.
pub(crate) fn add_entry(id: &str, text: &str, kind: &str) {
    let Some((list, entry)) = element(id).zip(document().and_then(|page| page.create_element("li").ok())) else {
        return;
    };
    entry.set_text_content(Some(text));
    entry.set_class_name(kind);
    let _added = list.append_child(&entry);
    // Not the entry into view, which would move the stage as well.
    window().scroll_to_with_x_and_y(0.0, f64::from(list.scroll_height()) * 2.0);
}

/// Fills a list anew.
pub(crate) fn fill(id: &str, entries: &[String]) {
    say(id, "");
    entries.iter().for_each(|entry| add_entry(id, entry, ""));
}

fn show_error(error: &dyn Display) {
    say("error", &error.to_string());
}

fn element(id: &str) -> Option<Element> {
    document()?.get_element_by_id(id)
}

/// `None` in a worker.
fn document() -> Option<Document> {
    web_sys::window()?.document()
}

fn window() -> web_sys::Window {
    web_sys::window().expect("a page has a window")
}

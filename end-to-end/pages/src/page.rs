//! What every page can do.

use wasm_bindgen::prelude::*;
use web_sys::UrlSearchParams;

/// Has a panic reported as an error before it ends the instance. Runs when the instance is made.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| report(&format!("error: {panic}").replace('\n', " "))));
}

/// Adds a line to what the page reports to its test.
pub(crate) fn report(line: &str) {
    let place = document().get_element_by_id("report").expect("the page has a place for reports");
    place.append_with_str_1(&format!("{line}\n")).expect("a page can hold more text");
}

/// What the test told the page, by its address.
pub(crate) fn parameter(name: &str) -> String {
    let search = window().location().search().expect("a page has an address");
    let parameters = UrlSearchParams::new_with_str(&search).expect("any text can be read as parameters");
    parameters.get(name).unwrap_or_else(|| panic!("the page was not told `{name}`"))
}

pub(crate) fn window() -> web_sys::Window {
    web_sys::window().expect("a page has a window")
}

pub(crate) fn document() -> web_sys::Document {
    window().document().expect("a window has a document")
}

/// Never gets anywhere: what a test sees of a page that goes wrong.
#[wasm_bindgen]
pub fn panics() {
    panic!("on purpose");
}

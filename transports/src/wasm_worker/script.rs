//! What a worker runs.

use js_sys::Array;
use wasm_bindgen::JsValue;
use web_sys::{Blob, BlobPropertyBag, Url, WorkerOptions, WorkerType};

use crate::browser::{Says, words};

const LOADER: &str = include_str!("loader.js");

/// What a worker runs: a script of your own, or an export of what wasm-bindgen has made, by the loader that comes along.
///
/// Either way the worker gets an instance of its own, with memory of its own: no threads, no atomics, and none of the headers that
/// those need.
///
/// # With `wasm-bindgen --target web`
/// [`export`](Self::export), with the address of the script that wasm-bindgen has written, and the name of an exported function:
/// ```ignore
/// #[wasm_bindgen]
/// pub fn contacts_worker() {
///     wasm_worker::run(|port| ContactsServer::new(Book::default()).serve(port));
/// }
///
/// let contacts: ContactsClient = wasm_worker::spawn("contacts", &Script::export("/pkg/app.js", "contacts_worker"))?;
/// ```
///
/// # With a bundler
/// A bundler has to see the worker's script, to make what is needed of it. So write one,
/// ```js
/// // contacts-worker.js
/// import init, { contacts_worker } from "./pkg/app.js";
/// await init();
/// contacts_worker();
/// ```
/// and hand its address to [`file`](Self::file): in Vite, what `import url from "./contacts-worker.js?worker&url"` gives.
#[derive(Clone, Debug)]
pub struct Script(Kind);

#[derive(Clone, Debug)]
enum Kind {
    File { url: String },
    Export { module: String, name: String, wasm: Option<String> },
}

impl Script {
    /// A module script, which sooner or later calls an export that calls [`run`](super::run).
    pub fn file(url: impl Into<String>) -> Self {
        Self(Kind::File { url: url.into() })
    }

    /// An export, without arguments, of a module that `wasm-bindgen --target web` has written; it calls [`run`](super::run).
    ///
    /// The module is initialised first, so what it has as `#[wasm_bindgen(start)]` runs in the worker, too.
    ///
    /// The loader is started from a `blob:` address. A page with a Content-Security-Policy has to allow that, by
    /// `worker-src blob:`, or use [`file`](Self::file).
    pub fn export(module: impl Into<String>, name: impl Into<String>) -> Self {
        Self(Kind::Export { module: module.into(), name: name.into(), wasm: None })
    }

    /// Where the wasm file is, if it is not where the module looks for it.
    #[must_use]
    pub fn wasm(mut self, url: impl Into<String>) -> Self {
        if let Kind::Export { wasm, .. } = &mut self.0 {
            *wasm = Some(url.into());
        }
        self
    }

    /// Starts a worker that runs this. Nothing is started if an address is wrong.
    pub(super) fn start(&self, name: &str) -> Result<web_sys::Worker, JsValue> {
        let options = options(name);
        match &self.0 {
            Kind::File { url } => named(url, web_sys::Worker::new_with_options(url, &options)),
            Kind::Export { module, name, wasm } => {
                let wasm = wasm.as_deref().map(absolute).transpose()?.map_or(JsValue::UNDEFINED, JsValue::from);
                let load = [("module", absolute(module)?.into()), ("export", name.into()), ("wasm", wasm)];
                let worker = web_sys::Worker::new_with_options(&loader()?, &options)?;
                worker.post_message(&Says::Load.to_js(&load))?;
                Ok(worker)
            }
        }
    }

    /// Connects to the shared worker that runs this. `None` if there can be none: only one address is the same for everybody.
    pub(super) fn connect(&self, name: &str) -> Option<Result<web_sys::SharedWorker, JsValue>> {
        match &self.0 {
            Kind::File { url } => Some(named(url, web_sys::SharedWorker::new_with_worker_options(url, &options(name)))),
            Kind::Export { .. } => None,
        }
    }
}

fn options(name: &str) -> WorkerOptions {
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    options.set_name(name);
    options
}

/// Where the loader is, for all workers of this context.
fn loader() -> Result<String, JsValue> {
    thread_local! {
        static LOADER_URL: std::cell::OnceCell<String> = const { std::cell::OnceCell::new() };
    }
    if let Some(url) = LOADER_URL.with(|url| url.get().cloned()) {
        return Ok(url);
    }
    let kind = BlobPropertyBag::new();
    kind.set_type("text/javascript");
    let blob = Blob::new_with_str_sequence_and_options(&Array::of1(&LOADER.into()), &kind)?;
    let url = Url::create_object_url_with_blob(&blob)?;
    Ok(LOADER_URL.with(|place| place.get_or_init(|| url).clone()))
}

/// An address as it is from here: the loader is elsewhere.
fn absolute(url: &str) -> Result<String, JsValue> {
    let here = js_sys::Reflect::get(&js_sys::global(), &"location".into())?;
    let base = js_sys::Reflect::get(&here, &"href".into())?.as_string().unwrap_or_default();
    named(url, Url::new_with_base(url, &base)).map(|url| url.href())
}

/// What came of an address; an error names it.
fn named<T>(url: &str, result: Result<T, JsValue>) -> Result<T, JsValue> {
    result.map_err(|error| format!("the browser refuses the address `{url}`: {}", words(&error)).into())
}

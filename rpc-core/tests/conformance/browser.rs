//! The browser's own ports.

use std::future::Future;

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{DomException, MessageChannel, MessageEvent, MessagePort};

use crate::port::{DataCloneError, Departure, Event, Port};

#[path = "rules/mod.rs"]
#[allow(clippy::duplicate_mod, reason = "the same rules for another kind of port")]
mod rules;

type UnderTest = Browser;

/// A port of the browser's.
#[derive(Clone)]
pub(crate) struct Browser(MessagePort);

impl Port for Browser {
    fn channel() -> (Self, Self) {
        let channel = MessageChannel::new().expect("a browser has channels");
        (Self(channel.port1()), Self(channel.port2()))
    }

    fn post_with(&self, text: &str, ports: &[&Self]) -> Result<(), DataCloneError> {
        let list: Array = ports.iter().map(|port| &port.0).collect();
        self.0.post_message_with_transferable(&text.into(), &list).map_err(|thrown| {
            let name = thrown.dyn_into::<DomException>().expect("a DOM exception is thrown").name();
            assert_eq!(name, "DataCloneError");
            DataCloneError
        })
    }

    fn start(&self) {
        self.0.start();
    }

    fn close(&self) {
        self.0.close();
    }

    fn set_onmessage(&self, handler: impl FnMut(&Event<Self>) + 'static) {
        self.0.set_onmessage(Some(&message_handler(handler)));
    }

    fn clear_onmessage(&self) {
        self.0.set_onmessage(None);
    }

    fn set_onmessageerror(&self, mut handler: impl FnMut() + 'static) {
        self.0.set_onmessageerror(Some(&function(move |_| handler())));
    }

    fn set_onclose(&self, mut handler: impl FnMut() + 'static) {
        let handler = function(move |_| handler());
        self.0.add_event_listener_with_callback("close", &handler).expect("any event can be listened for");
    }

    fn add_listener(&self, listener: impl FnMut(&Event<Self>) + 'static) {
        let listener = message_handler(listener);
        self.0.add_event_listener_with_callback("message", &listener).expect("any event can be listened for");
    }

    fn spawn(future: impl Future<Output = ()> + 'static) {
        spawn_local(future);
    }

    /// An answer over ports that have travelled comes by the longest way that there is in any engine.
    async fn settle() {
        for _ in 0..3 {
            timeout().await;
            round_trip().await;
        }
    }

    fn is_known_for(departure: Departure) -> bool {
        use Engine::{Blink, Gecko, WebKit};
        let engines: &[Engine] = match departure {
            Departure::OneOrderPerPort => &[Blink, Gecko, WebKit],
            Departure::DestinationIsRefused | Departure::NoHandlerStartsNothing => &[WebKit],
            Departure::ErrorHandlerStarts => &[Blink],
            Departure::WaitingIsLostOnTheWay => &[Gecko],
            Departure::OwnCloseDrops => &[Blink, WebKit],
            Departure::ClosedPortTravels => &[Blink],
            Departure::RefusalCostsTheFirst => &[Gecko],
            Departure::TransferInAHandlerCrashes => &[WebKit],
            Departure::CloseIsUntold => &[Blink, Gecko, WebKit],
        };
        engines.contains(&Engine::here())
    }
}

/// An engine, of those that the tests run in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Engine {
    Blink,
    Gecko,
    WebKit,
}

impl Engine {
    /// The engine that runs this.
    fn here() -> Self {
        let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).expect("a global has properties");
        let agent = Reflect::get(&navigator, &"userAgent".into()).ok().and_then(|agent| agent.as_string());
        match agent.as_deref().unwrap_or_default() {
            agent if agent.contains("Chrome/") => Self::Blink,
            agent if agent.contains("Firefox/") => Self::Gecko,
            _ => Self::WebKit,
        }
    }
}

/// Waits for a task of the timers.
async fn timeout() {
    let set_timeout = Reflect::get(&js_sys::global(), &"setTimeout".into()).expect("a global has properties");
    let set_timeout: Function = set_timeout.dyn_into().expect("a browser has timers");
    let promise = Promise::new(&mut |resolve, _| {
        set_timeout.call1(&JsValue::UNDEFINED, &resolve).expect("a timer can be set");
    });
    JsFuture::from(promise).await.expect("nothing rejects this");
}

/// Waits for an answer to a message, both over a channel of which one port has travelled.
async fn round_trip() {
    let (near, far) = Browser::channel();
    let (carrier, arrival) = Browser::channel();
    carrier.post_with("", &[&far]).expect("a new port can be transferred");
    arrival.set_onmessage(|event| {
        let far = event.ports[0].clone();
        let answer = far.clone();
        far.set_onmessage(move |_| answer.post(""));
    });
    near.post("");
    let promise = Promise::new(&mut |resolve, _| {
        near.set_onmessage(move |_| {
            resolve.call0(&JsValue::UNDEFINED).expect("a promise can be resolved");
        });
    });
    JsFuture::from(promise).await.expect("nothing rejects this");
}

fn message_handler(mut handler: impl FnMut(&Event<Browser>) + 'static) -> Function {
    function(move |event| {
        let event: MessageEvent = event.unchecked_into();
        handler(&Event {
            text: event.data().as_string().expect("the suite posts texts"),
            ports: event.ports().iter().map(|port| Browser(port.unchecked_into())).collect(),
            origin: event.origin(),
            last_event_id: event.last_event_id(),
            has_source: event.source().is_some(),
        });
    })
}

/// A function for JavaScript to call, which lives as long as that has it.
fn function(handler: impl FnMut(JsValue) + 'static) -> Function {
    Closure::<dyn FnMut(JsValue)>::new(handler).into_js_value().unchecked_into()
}

//! The browser's own broadcast channels, between the groups of its contexts.
//!
//! A context has one channel of the browser's for each name that somebody here listens to; ours serve each other, and it serves those
//! elsewhere. What it carries is a packet of one message. Other scripts of the origin may use the same name: what is no such packet
//! is theirs, and left aside.

use std::{cell::RefCell, collections::HashMap};

use handover_core::{BroadcastGroup, Message, Origin, broadcast::Medium, message::Parts};
use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{BroadcastChannel, MessageEvent};

use super::{
    context::Entered,
    js,
    packet::{Entry, Packet},
};

thread_local! {
    static HERE: Origin = origin_of_this_context();
    static GROUP: BroadcastGroup = BroadcastGroup::over(Browser);
    /// By their names.
    static CHANNELS: RefCell<HashMap<String, Channel>> = RefCell::default();
}

/// The group of this context, over the browser's own broadcast channels: its channels hear those of every other page and worker of this
/// [`origin`], as far as the browser lets them.
///
/// A channel that is made for another origin is heard in this context only.
///
/// # Examples
/// ```no_run
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use handover_core::{BroadcastChannel, event_loop::EventLoop};
/// use handover_transports::browser;
///
/// let event_loop = EventLoop::new();
/// wasm_bindgen_futures::spawn_local(event_loop.run());
/// let (group, origin) = (browser::broadcast_group(), browser::origin());
/// let headlines = BroadcastChannel::<String>::new(&event_loop, &group, &origin, "headlines");
/// headlines.set_onmessage(|event| println!("{}: {}", event.origin, event.data));
/// headlines.post_value("Rain tomorrow")?;
/// # Ok(()) }
/// ```
pub fn broadcast_group() -> BroadcastGroup {
    GROUP.with(BroadcastGroup::clone)
}

/// The origin of this page or worker. That of a context without one, such as a sandboxed frame, is opaque, and the same each time.
pub fn origin() -> Origin {
    HERE.with(Origin::clone)
}

fn origin_of_this_context() -> Origin {
    let origin = Reflect::get(&js_sys::global(), &"origin".into()).ok().and_then(|origin| origin.as_string());
    origin.and_then(|origin| origin.parse().ok()).unwrap_or_else(Origin::opaque)
}

/// The browser, as what carries broadcasts.
#[derive(Debug)]
struct Browser;

/// A channel of the browser's.
struct Channel {
    channel: BroadcastChannel,
    _onmessage: Closure<dyn FnMut(MessageEvent)>,
}

impl Medium for Browser {
    fn opened(&self, origin: &Origin, name: &str) {
        if is_here(origin)
            && let Some(channel) = Channel::open(name)
        {
            let former = CHANNELS.with_borrow_mut(|channels| channels.insert(name.to_owned(), channel));
            drop(former);
        }
    }

    fn closed(&self, origin: &Origin, name: &str) {
        if is_here(origin) {
            let closed = CHANNELS.try_with(|channels| channels.borrow_mut().remove(name));
            drop(closed);
        }
    }

    fn posted(&self, origin: &Origin, name: &str, message: Message) {
        if !is_here(origin) {
            return;
        }
        let posted = CHANNELS.with_borrow(|channels| channels.get(name).map(|channel| channel.post(message)));
        if let Some(Err(error)) = posted {
            tracing::warn!(error = %js::words(&error), "the browser has broadcast nothing");
        }
    }
}

fn is_here(origin: &Origin) -> bool {
    HERE.try_with(|here| here == origin).unwrap_or(false)
}

impl Channel {
    fn open(name: &str) -> Option<Self> {
        let channel = match BroadcastChannel::new(name) {
            Ok(channel) => channel,
            Err(error) => {
                tracing::warn!(error = %js::words(&error), "the browser has no broadcast channels here");
                return None;
            }
        };
        let topic = name.to_owned();
        let onmessage = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let _entered = Entered::new();
            match read(&event.data()) {
                Some(message) => GROUP.with(|group| group.deliver(&origin(), &topic, message, event.origin())),
                None => tracing::debug!(name = topic, "somebody else broadcasts under this name; it was left aside"),
            }
        });
        channel.set_onmessage(Some(onmessage.as_ref().unchecked_ref()));
        Some(Self { channel, _onmessage: onmessage })
    }

    /// Posts the packet, with the buffers behind it, which are copied.
    fn post(&self, message: Message) -> Result<(), JsValue> {
        let Parts { data, buffers, .. } = message.into_parts();
        let entry = Entry::Message { data: &data, ports: 0, buffers: buffers.len(), values: 0 };
        let bytes = Packet { entries: vec![entry], carried: Vec::new() }.to_bytes();
        let bytes = Uint8Array::from(&bytes[..]);
        if buffers.is_empty() {
            return self.channel.post_message(&bytes);
        }
        let data = Array::of1(&bytes);
        for buffer in buffers {
            data.push(&Uint8Array::from(&buffer[..]).buffer());
        }
        self.channel.post_message(&data)
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.channel.set_onmessage(None);
        self.channel.close();
    }
}

/// The message in a packet that was broadcast. `None` if it is none, or another packet.
fn read(data: &JsValue) -> Option<Message> {
    let bytes = js::bytes_of(data).ok()??;
    let packet = Packet::parse(&bytes).ok()?;
    let [Entry::Message { data: content, ports: 0, buffers, values: 0 }] = packet.entries[..] else { return None };
    let buffers = js::beside(data, buffers, 0).ok()??.buffers;
    Some(buffers.into_iter().fold(Message::new(content), Message::with_buffer))
}

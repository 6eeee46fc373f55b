//! Broadcast channels over the browser's own: a page and its workers hear each other.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]

mod common;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use futures::pin_mut;
use gloo_timers::future::TimeoutFuture;
use handover::{
    BroadcastChannel, BroadcastError, Buffer, Message, MessageChannel, Origin, browser,
    event_loop::EventLoop,
    prelude::*,
    wasm_worker::{self, Script},
};
use js_sys::{Array, Object, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use wasm_bindgen_futures::spawn_local;
use wasm_bindgen_test::wasm_bindgen_test as test;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// Somebody elsewhere, who opens channels.
#[service]
trait Newsroom {
    /// Listens under this name; again, with one channel more.
    async fn open(&self, name: String);
    async fn post(&self, name: String, text: String);
    /// What was heard under all names, with the sender's origin.
    async fn heard(&self) -> Vec<String>;
    async fn close(&self, name: String);
    /// Posts something, and closes in the same turn.
    async fn say_goodbye(&self, name: String);
}

struct Room {
    event_loop: EventLoop,
    open: RefCell<Vec<BroadcastChannel<String>>>,
    heard: Rc<RefCell<Vec<String>>>,
}

impl Room {
    fn new() -> Self {
        let event_loop = EventLoop::new();
        spawn_local(event_loop.run());
        Self { event_loop, open: RefCell::default(), heard: Rc::default() }
    }

    fn channel<T: handover::message::Payload>(&self, name: &str) -> BroadcastChannel<T> {
        BroadcastChannel::new(&self.event_loop, &browser::broadcast_group(), &browser::origin(), name)
    }

    fn listen(&self, name: &str) -> BroadcastChannel<String> {
        let channel = self.channel::<String>(name);
        let heard = self.heard.clone();
        channel.set_onmessage(move |event| heard.borrow_mut().push(format!("{} from {}", event.data, event.origin)));
        channel
    }

    fn named(&self, name: &str) -> BroadcastChannel<String> {
        self.open.borrow().iter().find(|channel| channel.name() == name).expect("it is open").clone()
    }

    /// What was heard, as soon as it is so much.
    async fn heard_of(&self, count: usize) -> Vec<String> {
        while self.heard.borrow().len() < count {
            TimeoutFuture::new(5).await;
        }
        self.heard.take()
    }
}

impl Newsroom for Room {
    async fn open(&self, name: String) {
        let channel = self.listen(&name);
        self.open.borrow_mut().push(channel);
    }

    async fn post(&self, name: String, text: String) {
        self.named(&name).post_value(&text).unwrap();
    }

    async fn heard(&self) -> Vec<String> {
        self.heard.take()
    }

    async fn close(&self, name: String) {
        self.named(&name).close();
        self.open.borrow_mut().retain(|channel| channel.name() != name);
    }

    async fn say_goodbye(&self, name: String) {
        let channel = self.named(&name);
        channel.post_value("goodbye").unwrap();
        channel.close();
    }
}

/// What a worker of these tests runs.
#[wasm_bindgen]
pub fn newsroom_worker() {
    wasm_worker::run(|port| NewsroomServer::new(Room::new()).serve(port));
}

fn newsroom() -> NewsroomClient {
    let script = Script::export("/wasm-bindgen-test.js", "newsroom_worker").wasm("/wasm-bindgen-test_bg.wasm");
    wasm_worker::spawn("newsroom", &script).unwrap()
}

/// Waits until somebody elsewhere has heard so much.
async fn heard_there(newsroom: &NewsroomClient, count: usize) -> Vec<String> {
    let mut heard = Vec::new();
    while heard.len() < count {
        heard.extend(newsroom.heard().await.unwrap());
        TimeoutFuture::new(5).await;
    }
    heard
}

async fn soon<F: Future>(future: F) -> F::Output {
    let late = TimeoutFuture::new(5_000);
    pin_mut!(future, late);
    match futures::future::select(future, late).await {
        futures::future::Either::Left((output, _)) => output,
        futures::future::Either::Right(_) => panic!("it has not happened within five seconds"),
    }
}

/// Text, as it is heard from this origin.
fn from_here(text: &str) -> String {
    format!("{text} from {}", browser::origin())
}

#[test]
async fn a_page_and_its_workers_hear_each_other_and_not_themselves() {
    let (one, two, here) = (newsroom(), newsroom(), Room::new());
    let name = "among all".to_owned();
    soon(one.open(name.clone())).await.unwrap();
    soon(two.open(name.clone())).await.unwrap();
    let ours = here.listen(&name);

    ours.post_value("rain").unwrap();

    assert_eq!(soon(heard_there(&one, 1)).await, [from_here("rain")]);
    assert_eq!(soon(heard_there(&two, 1)).await, [from_here("rain")]);
    soon(one.post(name, "sun".to_owned())).await.unwrap();
    assert_eq!(soon(here.heard_of(1)).await, [from_here("sun")], "and not what it has said itself");
    assert_eq!(soon(heard_there(&two, 1)).await, [from_here("sun")]);
    assert!(one.heard().await.unwrap().is_empty());
}

#[test]
async fn each_channel_of_a_context_hears_a_message_once_from_near_and_far() {
    let (there, here) = (newsroom(), Room::new());
    let name = "twice here".to_owned();
    soon(there.open(name.clone())).await.unwrap();
    soon(there.open(name.clone())).await.unwrap();
    let (one, two) = (here.listen(&name), here.listen(&name));

    one.post_value("a").unwrap();
    two.post_value("b").unwrap();

    let mut heard = soon(heard_there(&there, 4)).await;
    heard.sort();
    assert_eq!(heard, ["a", "a", "b", "b"].map(from_here));
    soon(there.post(name.clone(), "c".to_owned())).await.unwrap();
    let mut heard = soon(here.heard_of(4)).await;
    heard.sort();
    assert_eq!(heard, ["a", "b", "c", "c"].map(from_here));
    assert_eq!(soon(heard_there(&there, 1)).await, [from_here("c")], "the other one there");
}

#[test]
async fn messages_of_one_sender_keep_their_order_and_other_names_hear_nothing() {
    let (there, here) = (newsroom(), Room::new());
    for name in ["", "left", "ü 🦀"] {
        soon(there.open(name.to_owned())).await.unwrap();
    }
    let (empty, right, last) = (here.listen(""), here.listen("right"), here.listen("ü 🦀"));

    right.post_value("nobody is there").unwrap();
    for number in 0..100 {
        empty.post_value(&number.to_string()).unwrap();
    }
    last.post_value("odd").unwrap();

    let mut heard = soon(heard_there(&there, 101)).await;
    heard.retain(|line| *line != from_here("odd"));
    assert_eq!(heard, Vec::from_iter((0..100).map(|number| from_here(&number.to_string()))));
}

#[test]
async fn who_has_closed_hears_nothing_more_and_what_it_has_said_still_arrives() {
    let (there, here) = (newsroom(), Room::new());
    let name = "closing".to_owned();
    soon(there.open(name.clone())).await.unwrap();
    let ours = here.listen(&name);

    soon(there.say_goodbye(name.clone())).await.unwrap();
    assert_eq!(soon(here.heard_of(1)).await, [from_here("goodbye")]);
    ours.post_value("too late").unwrap();
    soon(there.close(name.clone())).await.unwrap();
    soon(there.open(name.clone())).await.unwrap();
    ours.post_value("in time").unwrap();

    assert_eq!(soon(heard_there(&there, 1)).await, [from_here("in time")]);
    ours.close();
    assert_eq!(ours.post_value("closed"), Err(BroadcastError::InvalidState));
}

#[test]
async fn a_port_is_not_broadcast_and_a_buffer_is_copied() {
    let here = Room::new();
    let raw = RawChannel::open("buffers");
    let ours = here.channel::<(String, Buffer)>("buffers");
    let (port, _other) = MessageChannel::new().into_ports();

    let refused = ours.post_value(&("a port", &port));
    assert!(matches!(refused, Err(BroadcastError::DataClone(_))), "{refused:?}");
    let value = ("a picture".to_owned(), Buffer::from(vec![7; 1000]));
    ours.post_value(&value).unwrap();

    assert_eq!(value.1.len(), 1000, "it is still here");
    let data: Array = soon(raw.next()).await.unchecked_into();
    assert_eq!(Uint8Array::new(&data.get(1)).to_vec(), [7; 1000]);
    let came = Rc::new(Cell::new(0));
    let counted = came.clone();
    ours.set_onmessage(move |event| counted.set(event.data.1.len()));
    raw.channel.post_message(&data).unwrap();
    soon(async {
        while came.get() == 0 {
            TimeoutFuture::new(5).await;
        }
    })
    .await;
    assert_eq!(came.get(), 1000);
}

#[test]
async fn what_other_scripts_say_under_the_name_is_left_aside() {
    let here = Room::new();
    let raw = RawChannel::open("shared with others");
    let ours = here.listen("shared with others");

    for value in [JsValue::from_str("hello"), JsValue::NULL, Object::new().into(), Array::of1(&1.into()).into()] {
        raw.channel.post_message(&value).unwrap();
    }
    // No bytes; another version; an entry that does not exist; a port and a buffer that did not come; no message; two.
    let packets: [&[u8]; 8] = [
        &[],
        &[9, 1, 1, 0],
        &[1, 1, 200],
        &[1, 1, 2, 1, 0, 0, 0, 0],
        &[1, 1, 2, 0, 1, 0, 0],
        &[1, 1, 2, 0, 255, 255, 255, 255, 15, 0, 0],
        &[1, 1, 7],
        &[1, 2, 1, 0, 1, 0],
    ];
    for packet in packets {
        raw.channel.post_message(&Uint8Array::from(packet)).unwrap();
    }
    let message = |text: &str| [&[1, 1, 1, text.len() as u8 + 1, text.len() as u8], text.as_bytes()].concat();
    raw.channel.post_message(&Uint8Array::from(&message("ours")[..])).unwrap();

    assert_eq!(soon(here.heard_of(1)).await, [from_here("ours")]);
    ours.post_value("and back").unwrap();
    assert_eq!(soon(raw.next()).await.unchecked_into::<Uint8Array>().to_vec(), message("and back"));
}

#[test]
async fn what_cannot_be_read_as_the_channels_type_is_an_error_event_there() {
    let (there, here) = (newsroom(), Room::new());
    soon(there.open("numbers".to_owned())).await.unwrap();
    let numbers = here.channel::<(u64, u64, u64, u64)>("numbers");
    let failed = Rc::new(RefCell::new(None));
    let noted = failed.clone();
    numbers.set_onmessageerror(move |event| drop(noted.replace(Some(event.origin.clone()))));

    soon(there.post("numbers".to_owned(), "x".to_owned())).await.unwrap();

    soon(async {
        while failed.borrow().is_none() {
            TimeoutFuture::new(5).await;
        }
    })
    .await;
    assert_eq!(failed.take(), Some(browser::origin().to_string()));
}

#[test]
async fn a_channel_for_another_origin_is_heard_in_its_context_only() {
    let here = Room::new();
    let raw = RawChannel::open("abroad");
    let elsewhere: Origin = "https://elsewhere.example".parse().unwrap();
    let open = || BroadcastChannel::<String>::new(&here.event_loop, &browser::broadcast_group(), &elsewhere, "abroad");
    let (one, two) = (open(), open());
    let heard = here.heard.clone();
    two.set_onmessage(move |event| heard.borrow_mut().push(event.data.clone()));

    one.post_value("hush").unwrap();

    assert_eq!(soon(here.heard_of(1)).await, ["hush"]);
    here.channel::<Message>("abroad").post_value("aloud").unwrap();
    let first = soon(raw.next()).await.unchecked_into::<Uint8Array>().to_vec();
    assert!(first.ends_with(b"aloud"), "the other one came out: {first:?}");
}

#[test]
async fn the_browsers_channel_is_closed_when_the_last_of_ours_is() {
    js_sys::eval(
        "globalThis.closedChannels = [];
         const close = BroadcastChannel.prototype.close;
         BroadcastChannel.prototype.close = function () { closedChannels.push(this.name); close.call(this); }",
    )
    .unwrap();
    let closed = || js_sys::eval("closedChannels.filter((name) => name === 'last').length").unwrap();
    let here = Room::new();
    let (one, two) = (here.listen("last"), here.listen("last"));

    one.close();
    assert_eq!(closed(), 0);
    two.close();

    assert_eq!(closed(), 1);
}

/// A broadcast channel, as a script would use it.
struct RawChannel {
    channel: web_sys::BroadcastChannel,
    came: Rc<RefCell<Vec<JsValue>>>,
    _onmessage: Closure<dyn FnMut(web_sys::MessageEvent)>,
}

impl RawChannel {
    fn open(name: &str) -> Self {
        let channel = web_sys::BroadcastChannel::new(name).unwrap();
        let came = Rc::<RefCell<Vec<JsValue>>>::default();
        let events = came.clone();
        let onmessage =
            Closure::<dyn FnMut(_)>::new(move |event: web_sys::MessageEvent| events.borrow_mut().push(event.data()));
        channel.set_onmessage(Some(onmessage.as_ref().unchecked_ref()));
        Self { channel, came, _onmessage: onmessage }
    }

    /// The first thing that comes, as soon as it has.
    async fn next(&self) -> JsValue {
        loop {
            if let Some(data) = self.came.borrow().first() {
                return data.clone();
            }
            TimeoutFuture::new(5).await;
        }
    }
}

impl Drop for RawChannel {
    fn drop(&mut self) {
        self.channel.set_onmessage(None);
        self.channel.close();
    }
}

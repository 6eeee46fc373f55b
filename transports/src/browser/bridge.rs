//! What joins a port of this context to a port of the browser's.
//!
//! The browser's objects never leave their thread: they are in a table of the thread, and in futures that run on its event loop. A
//! bridge's own end of the channel is found by the channel's name, when the other end comes to be handed on.

use std::{
    cell::{Cell, OnceCell, Ref, RefCell},
    pin::Pin,
    rc::{Rc, Weak},
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

use futures::{FutureExt, Stream, future::poll_fn};
use handover_core::{ClosedBy, Message, MessageChannel, MessagePort, message::Foreign, panicking, port::ChannelId};
use rustc_hash::FxHashMap;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{MessageEvent, MessagePort as JsPort};

use super::{
    context::{self, Entered},
    js::{self, TooMuch},
    pack::{Outgoing, Packed, pack},
    packet::{Entry, Packet, PacketError},
    peers::{self, Flight, Holder, Peer},
    turns::{self, Pace, Rouser},
    value::Value,
};
use crate::refusal::Refusal;

/// How many messages are taken before the event loop gets a turn, and how many go into one packet.
const BATCH: usize = 1024;

/// Why a message is refused with something in it that is no value of JavaScript's.
const FOREIGN: &str = "a port of the browser's cannot carry what is neither bytes, a port nor a value of JavaScript's";

/// How many bytes go into one packet, and one message more.
const LARGE: usize = 1 << 20;

thread_local! {
    /// The bridges of this context.
    static BRIDGES: RefCell<FxHashMap<Key, Rc<Bridge>>> = RefCell::default();
}

/// Names a bridge: by the channel that it continues, and, where that is continued at both ends, which of the two came first. That
/// one is found by a port; no port is left that the other could be found by.
type Key = (ChannelId, bool);

/// Makes a port of one of the browser's, at whose other end is handover too: in another context, or in this one.
///
/// It is read from now on, wherever the port that comes back lies; what was read goes along when that is handed on.
///
/// # Examples
/// ```no_run
/// use handover_transports::browser;
///
/// let channel = web_sys::MessageChannel::new().unwrap();
/// let ours = browser::port(channel.port1());
/// // … and `channel.port2()` on the transfer list of some `postMessage`.
/// # drop(ours);
/// ```
pub fn port(port: JsPort) -> MessagePort {
    let (near, ours) = MessageChannel::new().into_ports();
    Bridge::open(near, port, Holder::in_flight(Flight::to(None)));
    ours
}

/// Makes one of the browser's ports of a port, to be handed on by some `postMessage` of the caller's own. Whoever gets it makes it
/// a [`port`] again. What comes meanwhile waits in it.
///
/// A port that came from the browser is given back itself, if nothing was read from it that its owner has not taken: else the
/// context stays in between.
pub fn into_js(port: MessagePort) -> JsPort {
    into_js_for(port, None)
}

/// As [`into_js`], for a context that is known.
pub(crate) fn into_js_for(port: MessagePort, to: Option<Rc<Peer>>) -> JsPort {
    if port.queued().messages == 0
        && let Some(bridge) = found(&port)
        && let Some((far, _nothing)) = bridge.hand_on(&port, to.as_ref())
    {
        // It was read from, so it would drop what comes while nobody listens. What a transfer gives holds that back.
        return js::transferred(&far).map_or(far, JsCast::unchecked_into);
    }
    bridged(port, Holder::in_flight(Flight::to(to)))
}

/// How many ports of this context lead to the browser's at this moment.
pub fn bridges() -> usize {
    BRIDGES.with_borrow(FxHashMap::len)
}

/// This context ends: what waits is sent, and a goodbye.
pub(crate) fn leave() {
    all().iter().for_each(|bridge| bridge.leave());
}

/// All bridges of this context. Asked also in the middle of a panic, so it takes no more for granted than it must.
pub(super) fn all() -> Vec<Rc<Bridge>> {
    BRIDGES
        .try_with(|bridges| bridges.try_borrow().map(|bridges| bridges.values().cloned().collect()))
        .map_or_else(|_| Vec::new(), Result::unwrap_or_default)
}

/// The bridge that continues a port's channel.
fn found(port: &MessagePort) -> Option<Rc<Bridge>> {
    BRIDGES.with_borrow(|bridges| bridges.get(&(port.channel_id(), true)).cloned())
}

/// Turns a port into one of the browser's, with a bridge in between, whose other end is on its way.
fn bridged(port: MessagePort, holder: Holder) -> JsPort {
    let channel = web_sys::MessageChannel::new().expect("whoever runs in a browser can make channels");
    Bridge::open(port, channel.port1(), holder);
    channel.port2()
}

/// One bridge.
pub(super) struct Bridge {
    key: Key,
    /// This context's end of the channel. `None` once the bridge has ended.
    near: RefCell<Option<MessagePort>>,
    far: JsPort,
    listeners: RefCell<Option<Listeners>>,
    /// What was said or posted, and not sent.
    outbox: RefCell<Vec<Outgoing>>,
    outbox_bytes: Cell<usize>,
    /// Wakes what looks for posts.
    task: OnceCell<Arc<Rouser>>,
    /// How much was in the packet that has come just now, if one has.
    unanswered: Cell<usize>,
    holder: RefCell<Holder>,
    /// How many packets have come.
    heard: Cell<u64>,
    /// How often the other end was asked whether it is there, since it was heard last.
    asked: Cell<u32>,
}

/// What the browser calls.
type Listeners = [Closure<dyn FnMut(MessageEvent)>; 2];

/// A listener of a bridge that does not keep it.
fn listener(
    bridge: &Rc<Bridge>,
    act: impl Fn(&Rc<Bridge>, &MessageEvent) + 'static,
) -> Closure<dyn FnMut(MessageEvent)> {
    let bridge: Weak<Bridge> = Rc::downgrade(bridge);
    Closure::new(move |event| {
        let _entered = Entered::new();
        if let Some(bridge) = bridge.upgrade() {
            turns::at_once(|| act(&bridge, &event), || bridge.answer());
        }
    })
}

/// What was found at this context's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Collected {
    /// So many messages.
    Messages(usize),
    /// The end of the channel.
    End(ClosedBy),
}

impl Bridge {
    /// Joins two ports, until either is closed.
    fn open(near: MessagePort, far: JsPort, holder: Holder) -> Rc<Self> {
        near.start();
        let id = near.channel_id();
        let is_first = BRIDGES.with_borrow(|bridges| !bridges.contains_key(&(id, true)));
        let bridge = Rc::new(Self {
            key: (id, is_first),
            near: RefCell::new(Some(near)),
            far,
            listeners: RefCell::default(),
            outbox: RefCell::new(vec![Outgoing::Entry(context::here())]),
            outbox_bytes: Cell::default(),
            task: OnceCell::new(),
            unanswered: Cell::default(),
            holder: RefCell::new(holder),
            heard: Cell::default(),
            asked: Cell::default(),
        });
        BRIDGES.with_borrow_mut(|bridges| bridges.insert(bridge.key, bridge.clone()));
        bridge.listen();
        let task = bridge.clone();
        let rouser = turns::spawn(Pace::Late, poll_fn(move |cx| task.poll(cx)));
        let _is_first = bridge.task.set(rouser);
        bridge
    }

    fn listen(self: &Rc<Self>) {
        let message = listener(self, Bridge::arrived);
        let messageerror = listener(self, |bridge, _| {
            tracing::warn!(
                "a message came that the browser could not read; its port is closed, for calls may have been in it"
            );
            bridge.give_up();
        });
        self.far.set_onmessageerror(Some(messageerror.as_ref().unchecked_ref()));
        self.far.set_onmessage(Some(message.as_ref().unchecked_ref()));
        self.listeners.replace(Some([message, messageerror]));
    }

    /// Takes what this context has posted, and sends it once the turn brings no more: what others post in the same turn goes along.
    /// It comes here some microtasks after the first post; a message that is alone by then waits for nothing else. It comes here at once
    /// with what was posted as a packet came: if that is as much as the packet brought, nothing more is waited for.
    fn poll(self: &Rc<Self>, cx: &mut Context<'_>) -> Poll<()> {
        let is_first_look = self.outbox.borrow().is_empty();
        let collected = match self.collect(cx) {
            None => return Poll::Ready(()),
            Some(Collected::End(closed_by)) => {
                self.say_goodbye(closed_by);
                self.end(None);
                return Poll::Ready(());
            }
            Some(Collected::Messages(collected)) => collected,
        };
        let is_full = self.is_full();
        let is_all = match self.unanswered.take() {
            0 => collected == 0 || (is_first_look && collected == 1),
            unanswered => collected >= unanswered,
        };
        if is_full || is_all {
            self.flush();
        }
        if is_full || !is_all {
            // There may be more, which was not looked at, or is about to be posted.
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Takes what waits at this context's end. `None` if the bridge has ended.
    fn collect(&self, cx: &mut Context<'_>) -> Option<Collected> {
        // Encoding a call runs its user's code, which may do anything but end a bridge: that takes another turn.
        let mut near = self.near.borrow_mut();
        let near = near.as_mut()?;
        let mut collected = 0;
        while !self.is_full() {
            match Pin::new(&mut *near).poll_next(cx) {
                Poll::Ready(Some(message)) => {
                    collected += 1;
                    if message.foreign().iter().all(Foreign::is::<Value>) {
                        self.queue(message);
                    } else if self.refuse(&message, near).is_none() {
                        return Some(Collected::End(ClosedBy::Peer));
                    }
                }
                Poll::Ready(None) => {
                    return Some(Collected::End(near.closed().now_or_never().unwrap_or(ClosedBy::Peer)));
                }
                Poll::Pending => break,
            }
        }
        Some(Collected::Messages(collected))
    }

    fn queue(&self, message: Message) {
        let size = message.data().len();
        self.outbox.borrow_mut().push(Outgoing::Message(message));
        self.outbox_bytes.set(self.outbox_bytes.get().saturating_add(size));
    }

    /// Ends the call that a message belongs to, which does not get through. `None` if it is none of a call: a stream of messages has
    /// no gaps.
    #[cold]
    fn refuse(&self, message: &Message, near: &MessagePort) -> Option<()> {
        tracing::warn!("a message was not sent: {FOREIGN}");
        match Refusal::of(message.data(), FOREIGN) {
            Refusal::Nothing => {}
            Refusal::Answered(answer) => near.post_message(answer).expect("no port is in it"),
            Refusal::Replaced(data) => self.queue(Message::new(data)),
            Refusal::End => return None,
        }
        Some(())
    }

    fn is_full(&self) -> bool {
        self.outbox.borrow().len() >= BATCH || self.outbox_bytes.get() >= LARGE
    }

    /// Sends what was collected, in one `postMessage`.
    fn flush(self: &Rc<Self>) {
        if let Err(error) = self.send() {
            // Whoever waits for what was in it, here or there, would wait for ever.
            tracing::warn!(error = %js::words(&error), "the browser has posted nothing; the port is closed");
            self.give_up();
        }
    }

    fn send(self: &Rc<Self>) -> Result<(), JsValue> {
        let outgoing = self.outbox.take();
        self.outbox_bytes.set(0);
        if outgoing.is_empty() {
            return Ok(());
        }
        let mut ports = Vec::new();
        let packed = pack(outgoing, |port| {
            let (far, earlier) = self.ship(port);
            ports.push(far);
            earlier
        });
        self.post(packed, ports)
    }

    /// Turns a port that travels into one of the browser's, and what was read from that before.
    fn ship(self: &Rc<Self>, port: MessagePort) -> (JsPort, Vec<Message>) {
        let handed_on = found(&port).and_then(|bridge| bridge.hand_on(&port, self.destination().as_ref()));
        handed_on.unwrap_or_else(|| (bridged(port, Holder::in_flight(Flight::by(self))), Vec::new()))
    }

    /// Takes the browser's port out of this bridge, which ends, and what was read from it and lies at the other end of the channel.
    fn hand_on(self: &Rc<Self>, port: &MessagePort, to: Option<&Rc<Peer>>) -> Option<(JsPort, Vec<Message>)> {
        // Not now, if it is just being read, by code that hands it on in the middle of that.
        drop(self.near.try_borrow_mut().ok()?);
        loop {
            match self.collect(&mut Context::from_waker(Waker::noop()))? {
                Collected::Messages(0) => break,
                Collected::Messages(_) => self.flush(),
                Collected::End(closed_by) => {
                    self.say_goodbye(closed_by);
                    self.end(None);
                    return None;
                }
            }
        }
        let context = to.map(|peer| peer.context());
        self.outbox.borrow_mut().push(Outgoing::Entry(Entry::Moving { to: context }));
        self.flush();
        self.detach();
        port.start();
        let earlier = std::iter::from_fn(|| port.recv().now_or_never()?.ok()).collect();
        Some((self.far.clone(), earlier))
    }

    fn post(&self, packed: Packed, ports: Vec<JsPort>) -> Result<(), JsValue> {
        let Packed { bytes, buffers, values } = packed;
        let bytes = js::packet(&bytes);
        let is_all = buffers.is_empty() && values.is_empty();
        if is_all && ports.is_empty() {
            return self.far.post_message(&bytes);
        }
        let transferred: js_sys::Array = ports.into_iter().collect();
        if is_all {
            return self.far.post_message_with_transferable(&bytes, &transferred);
        }
        let data = js_sys::Array::of1(&bytes);
        for buffer in buffers {
            let buffer = js_sys::Uint8Array::from(&buffer[..]).buffer();
            data.push(&buffer);
            transferred.push(&buffer);
        }
        for value in values.into_iter().filter_map(|foreign| foreign.downcast::<Value>().ok()) {
            let (value, is_transferred) = value.take();
            data.push(&value);
            if is_transferred {
                transferred.push(&value);
            }
        }
        self.far.post_message_with_transferable(&data, &transferred)
    }

    /// Tells the other end something, with the messages before it.
    pub(super) fn say(&self, entry: Entry<'static>) {
        self.outbox.borrow_mut().push(Outgoing::Entry(entry));
        self.wake();
    }

    fn say_goodbye(self: &Rc<Self>, closed_by: ClosedBy) {
        let goodbye = match closed_by {
            ClosedBy::PeerPanic => Outgoing::Panicked("the context at the other end panicked".to_owned()),
            _ => Outgoing::Entry(Entry::Bye),
        };
        self.outbox.borrow_mut().push(goodbye);
        if let Err(error) = self.send() {
            tracing::warn!(error = %js::words(&error), "the browser has not posted a goodbye");
        }
    }

    /// The context ends: what waits is sent, and a goodbye.
    fn leave(self: &Rc<Self>) {
        while let Some(Collected::Messages(1..)) = self.collect(&mut Context::from_waker(Waker::noop())) {
            self.flush();
        }
        self.give_up();
    }

    /// Ends the bridge, and tells whoever holds the other end, if anybody does.
    pub(super) fn give_up(self: &Rc<Self>) {
        self.say_goodbye(ClosedBy::Peer);
        self.end(None);
    }

    /// The instance is dead: says so, past everything that it might have left half done.
    pub(super) fn report_panic(&self, said: &str) {
        let words = pack(vec![Outgoing::Panicked(said.to_owned())], |_| Vec::new());
        let _posted = self.post(words, Vec::new());
    }

    /// A packet has come.
    fn arrived(self: &Rc<Self>, event: &MessageEvent) {
        let data = event.data();
        let bytes = match js::bytes_of(&data) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                tracing::warn!("a message that is no packet came by a port; it was dropped");
                return;
            }
            Err(TooMuch) => return self.is_too_much(),
        };
        let packet = match Packet::parse(&bytes) {
            Ok(packet) => packet,
            Err(PacketError::TooMuch) => return self.is_too_much(),
            Err(error) => {
                tracing::warn!(%error, "a message that is no packet came by a port; it was dropped");
                return;
            }
        };
        // Asking for them makes a list of them, also where there are none.
        let ports = if packet.carried.is_empty() { Vec::new() } else { js::ports_of(event) };
        let beside = match js::beside(&data, packet.buffers(), packet.values()) {
            Ok(beside) => beside.filter(|_| packet.carried.len() <= ports.len()),
            Err(TooMuch) => return self.is_too_much(),
        };
        let Some(beside) = beside else {
            tracing::warn!("a packet came without ports, buffers or values that it speaks of; it was dropped");
            return;
        };
        self.was_heard();
        self.unanswered.set(packet.entries.len());
        self.unpack(&packet, ports, beside);
    }

    /// This context has no memory for what has come, in which calls may have been.
    #[cold]
    fn is_too_much(self: &Rc<Self>) {
        tracing::warn!("a packet came that there is no memory for; its port is closed");
        self.give_up();
    }

    fn was_heard(&self) {
        self.heard.set(self.heard.get().wrapping_add(1));
        self.asked.set(0);
        if let Some(peer) = self.holder.borrow().peer() {
            peer.was_heard();
        }
    }

    fn unpack(self: &Rc<Self>, packet: &Packet<'_>, ports: Vec<JsPort>, beside: js::Beside) {
        let js::Beside { buffers, values, are_distinct } = beside;
        let (mut ports, mut buffers, mut values) = (ports.into_iter(), buffers.into_iter(), values.into_iter());
        // In the order of the transfer list: for each, its bridge, to which the messages go that were read earlier.
        let mut carried = Vec::new();
        let mut arrive = |bridge: &Rc<Self>, entry: &Entry<'_>, carried: &mut Vec<Rc<Self>>| {
            let Entry::Message { data, ports: count, buffers: moved, values: held } = entry else {
                return bridge.told(entry);
            };
            let mut message = Message::new(*data);
            for far in ports.by_ref().take(*count) {
                let (near, ours) = MessageChannel::new().into_ports();
                carried.push(Self::open(near, far, Holder::in_flight(Flight::to(None))));
                message = message.with_port(ours);
            }
            let message = buffers.by_ref().take(*moved).fold(message, Message::with_buffer);
            let held = values.by_ref().take(*held).map(|value| Value::arrived(value, are_distinct));
            bridge.deliver(held.fold(message, Message::with_foreign));
        };
        for entry in &packet.entries {
            arrive(self, entry, &mut carried);
        }
        self.learn_holder(&packet.entries);
        for (index, section) in packet.carried.iter().enumerate() {
            let Some(bridge) = carried.get(index).cloned() else { return };
            section.iter().for_each(|entry| arrive(&bridge, entry, &mut carried));
        }
    }

    /// Sends what was posted as a packet came, if everything in it was answered.
    fn answer(&self) {
        if self.unanswered.get() > 0
            && let Some(task) = self.task.get()
        {
            task.run_if_woken();
        }
        self.unanswered.set(0);
    }

    fn deliver(&self, message: Message) {
        let near = self.near.borrow();
        let Some(near) = near.as_ref() else { return };
        if let Err(error) = near.post_message(message) {
            tracing::warn!(%error, "a message could not be delivered");
        }
    }

    /// The other end has said something.
    fn told(self: &Rc<Self>, entry: &Entry<'_>) {
        match entry {
            Entry::Bye => self.end(None),
            Entry::Panicked(said) => self.end(Some(said)),
            Entry::Ping => self.say(Entry::Pong),
            Entry::Message { .. } | Entry::Here { .. } | Entry::Moving { .. } | Entry::Pong => {}
        }
    }

    /// Who holds the other end is who was named last: the others are not looked for. Whoever has got it from somebody else, and says so, is told
    /// who holds this one.
    fn learn_holder(&self, entries: &[Entry<'_>]) {
        let mut is_moving = self.holder.borrow().is_moving();
        let mut is_to_be_told = false;
        let mut last = None;
        for entry in entries {
            match entry {
                Entry::Here { .. } => {
                    is_to_be_told |= is_moving;
                    is_moving = false;
                }
                Entry::Moving { .. } => is_moving = true,
                _ => continue,
            }
            last = Some(entry);
        }
        let holder = match last {
            Some(Entry::Here { context, has_lock }) => Holder::of(*context, *has_lock),
            Some(Entry::Moving { to }) => Holder::moving(to.map(|context| peers::peer(context, true))),
            _ => return,
        };
        drop(self.holder.replace(holder));
        if is_to_be_told {
            self.say(context::here());
        }
    }

    /// Where the other end is, or is on its way to, as far as that is known.
    pub(super) fn destination(&self) -> Option<Rc<Peer>> {
        self.holder.borrow().destination()
    }

    /// Asks the other end whether it is there.
    pub(super) fn ask(&self) {
        self.asked.set(self.asked.get().saturating_add(1));
        self.say(Entry::Ping);
    }

    /// How often the other end was asked, since it was heard last.
    pub(super) fn asked(&self) -> u32 {
        self.asked.get()
    }

    /// How many packets have come.
    pub(super) fn heard(&self) -> u64 {
        self.heard.get()
    }

    /// Who holds the other end.
    pub(super) fn holder(&self) -> Ref<'_, Holder> {
        self.holder.borrow()
    }

    /// Ends the bridge, and closes both ports; this context's end as by a panic, if there was one over there.
    pub(super) fn end(&self, panicked: Option<&str>) {
        let near = self.detach();
        self.far.close();
        match panicked {
            Some(said) => panicking::lose(said, || drop(near)),
            None => drop(near),
        }
    }

    /// Has nothing more to do with either port.
    fn detach(&self) -> Option<MessagePort> {
        self.far.set_onmessage(None);
        self.far.set_onmessageerror(None);
        drop(self.listeners.take());
        let removed = BRIDGES.with_borrow_mut(|bridges| bridges.remove(&self.key));
        drop(removed);
        let unsent = self.outbox.take();
        drop(unsent);
        let near = self.near.take();
        // It ends, too.
        self.wake();
        near
    }

    fn wake(&self) {
        if let Some(task) = self.task.get() {
            task.wake_by_ref();
        }
    }
}

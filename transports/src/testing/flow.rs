//! One direction of a pair of ports: what was read there and has not passed yet.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::Stream;
use handover_core::{Message, MessageChannel, MessagePort, clock::Sleep, message::Parts};

use super::{Direction, Fate, dice::Dice, link::Shared};

/// How many messages are read before the executor gets a turn.
const BATCH: usize = 64;

/// The messages that one port brought, on their way to the other.
pub(super) struct Flow {
    shared: Arc<Shared>,
    direction: Direction,
    /// Thrown in the order of reading.
    fates: Dice,
    /// Thrown in the order of passing.
    order: Dice,
    held: VecDeque<Held>,
    has_ended: bool,
    sleep: Option<Sleep>,
}

/// What was read, and when it may pass.
struct Held {
    what: Passing,
    due: Duration,
    turns: u32,
}

/// What passes.
pub(super) enum Passing {
    /// A message, whose ports are to be joined by dice of this seed.
    Message { message: Message, fate: Fate, seed: u64 },
    /// The port was closed.
    End,
}

impl Flow {
    pub(super) fn new(shared: Arc<Shared>, direction: Direction, seed: u64) -> Self {
        let mut seeds = Dice::new(seed);
        Self {
            shared,
            direction,
            fates: Dice::new(seeds.seed()),
            order: Dice::new(seeds.seed()),
            held: VecDeque::new(),
            has_ended: false,
            sleep: None,
        }
    }

    /// Reads everything that waits at the port.
    pub(super) fn read(&mut self, from: &mut MessagePort, cx: &mut Context<'_>) {
        for _ in 0..BATCH {
            if self.has_ended {
                return;
            }
            match Pin::new(&mut *from).poll_next(cx) {
                Poll::Ready(Some(message)) => self.came(message),
                Poll::Ready(None) => {
                    self.has_ended = true;
                    self.hold(Passing::End);
                }
                Poll::Pending => return,
            }
        }
        cx.waker().wake_by_ref();
    }

    /// Settles the fate of a message. Every die is thrown for every message, so that no fate depends on another.
    fn came(&mut self, message: Message) {
        let seed = self.fates.seed();
        let mut details = Dice::new(self.fates.seed());
        let odds = self.shared.options().odds;
        let mut falls = |n| self.fates.one_in(n);
        let [drop, corrupt, duplicate] = [falls(odds.drop), falls(odds.corrupt), falls(odds.duplicate)];
        let strikes = (drop || corrupt || duplicate) && self.shared.may_strike(self.direction);
        if strikes && drop {
            self.hold(Passing::Message { message, fate: Fate::Dropped, seed });
        } else if strikes && corrupt {
            let message = corrupted(message, &mut details);
            self.hold(Passing::Message { message, fate: Fate::Corrupted, seed });
        } else if strikes {
            let copy = copy_of(&message);
            self.hold(Passing::Message { message, fate: Fate::Passed, seed });
            self.hold(Passing::Message { message: copy, fate: Fate::Copy, seed: details.seed() });
        } else {
            self.hold(Passing::Message { message, fate: Fate::Passed, seed });
        }
    }

    /// Holds something back for as long as the seed says, and until everything that is held already has passed.
    fn hold(&mut self, what: Passing) {
        let options = self.shared.options();
        let turns = self.fates.number(0..=options.turns.into());
        let delay = options.delay.as_ref().map(|delay| self.fates.time(delay)).unwrap_or_default();
        let due = self.shared.now().saturating_add(delay);
        self.held.push_back(Held { what, due, turns: u32::try_from(turns).unwrap_or(u32::MAX) });
    }

    /// What passes next, when it is due.
    pub(super) fn poll_passing(&mut self, cx: &mut Context<'_>) -> Poll<Passing> {
        let Some(first) = self.held.front_mut() else { return Poll::Pending };
        if first.due > self.shared.now() {
            let Some(clock) = self.shared.clock() else { return Poll::Pending };
            let due = first.due;
            ready!(self.sleep.get_or_insert_with(|| clock.sleep_until(due)).as_mut().poll(cx));
        }
        self.sleep = None;
        if first.turns > 0 {
            first.turns -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let next = self.next();
        match self.held.remove(next) {
            Some(held) => Poll::Ready(held.what),
            None => Poll::Pending,
        }
    }

    /// Which of those that are due passes next.
    fn next(&mut self) -> usize {
        if !self.shared.options().out_of_order {
            return 0;
        }
        let now = self.shared.now();
        let is_free = |held: &&Held| held.due <= now && matches!(held.what, Passing::Message { .. });
        let free = self.held.iter().take_while(is_free).count() as u64;
        let next = self.order.number(0..=free.saturating_sub(1));
        usize::try_from(next).unwrap_or(0)
    }
}

fn corrupted(message: Message, dice: &mut Dice) -> Message {
    let Parts { mut data, ports, buffers, .. } = message.into_parts();
    dice.corrupt(&mut data);
    assembled(data, ports, buffers)
}

/// The same bytes, and as many ports, which are closed.
fn copy_of(message: &Message) -> Message {
    let ports = message.ports().iter().map(|_| MessageChannel::new().into_ports().0).collect();
    assembled(message.data().to_vec(), ports, message.buffers().to_vec())
}

/// A message of these parts.
pub(super) fn assembled(data: Vec<u8>, ports: Vec<MessagePort>, buffers: Vec<Vec<u8>>) -> Message {
    let message = Message::new(data);
    let message = if ports.is_empty() { message } else { message.with_ports(ports) };
    buffers.into_iter().fold(message, Message::with_buffer)
}

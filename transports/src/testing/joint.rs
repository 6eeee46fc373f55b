//! Two ports that are joined: what comes by one goes out by the other, and so does every port in it.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::Stream;
use handover_core::{Message, MessageChannel, MessagePort, message::Parts};

use super::{
    Direction, Fate,
    dice::Dice,
    flow::{Flow, Passing, assembled},
    link::Shared,
    recorder::Recorded,
};

/// Two ports, and what is on its way between them. A stream of what it joins itself: ports that travel over it.
pub(super) struct Joint {
    shared: Arc<Shared>,
    /// How a recording calls it.
    number: u32,
    near: MessagePort,
    far: MessagePort,
    there: Flow,
    back: Flow,
    /// Joints that were made and not handed out.
    new: VecDeque<Joint>,
    has_ended: bool,
}

impl Joint {
    pub(super) fn new(shared: Arc<Shared>, near: MessagePort, far: MessagePort, seed: u64) -> Self {
        near.start();
        far.start();
        let mut seeds = Dice::new(seed);
        let mut flow = |direction| Flow::new(shared.clone(), direction, seeds.seed());
        let (there, back) = (flow(Direction::There), flow(Direction::Back));
        let number = shared.recorder().map(|recorder| recorder.next_number()).unwrap_or_default();
        Self { shared, number, near, far, there, back, new: VecDeque::new(), has_ended: false }
    }

    fn pass_all(&mut self, cx: &mut Context<'_>) {
        self.there.read(&mut self.near, cx);
        self.back.read(&mut self.far, cx);
        loop {
            let there = self.there.poll_passing(cx).map(|passing| self.pass(Direction::There, passing));
            let back = self.back.poll_passing(cx).map(|passing| self.pass(Direction::Back, passing));
            if self.has_ended || (there.is_pending() && back.is_pending()) {
                return;
            }
        }
    }

    fn pass(&mut self, direction: Direction, passing: Passing) {
        // What was due when the link was cut, or an end was closed, is lost.
        if self.shared.is_cut() || self.has_ended {
            return;
        }
        match passing {
            Passing::Message { message, fate, seed } => self.pass_message(direction, message, fate, seed),
            Passing::End => {
                if let Some(recorder) = self.shared.recorder() {
                    recorder.closed(self.number, direction);
                }
                self.near.close();
                self.far.close();
                self.has_ended = true;
            }
        }
    }

    fn pass_message(&mut self, direction: Direction, message: Message, fate: Fate, seed: u64) {
        let Parts { data, ports, buffers, .. } = message.into_parts();
        if fate == Fate::Dropped {
            return self.record(direction, &data, &[], &buffers, fate);
        }
        let mut seeds = Dice::new(seed);
        let mut numbers = Vec::new();
        let mut handed_on = Vec::new();
        for port in ports {
            let (number, port) = self.join(direction, port, seeds.seed());
            numbers.push(number);
            handed_on.push(port);
        }
        self.record(direction, &data, &numbers, &buffers, fate);
        let to = match direction {
            Direction::There => &self.far,
            Direction::Back => &self.near,
        };
        to.post_message(assembled(data, handed_on, buffers)).expect("the ports in it are new");
        self.shared.one_passed();
    }

    /// Joins a port that travels, and tells what is handed on in its place.
    fn join(&mut self, direction: Direction, port: MessagePort, seed: u64) -> (u32, MessagePort) {
        let (ours, handed_on) = MessageChannel::new().into_ports();
        let (near, far) = match direction {
            Direction::There => (port, ours),
            Direction::Back => (ours, port),
        };
        let joint = Self::new(self.shared.clone(), near, far, seed);
        let number = joint.number;
        self.new.push_back(joint);
        (number, handed_on)
    }

    fn record(&self, direction: Direction, data: &[u8], ports: &[u32], buffers: &[Vec<u8>], fate: Fate) {
        if let Some(recorder) = self.shared.recorder() {
            recorder.message(Recorded {
                port: self.number,
                direction,
                data: data.to_vec(),
                ports: ports.to_vec(),
                buffers: buffers.iter().map(Vec::len).collect(),
                fate,
            });
        }
    }
}

impl Stream for Joint {
    type Item = Self;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self>> {
        if self.new.is_empty() && !self.has_ended {
            self.pass_all(cx);
        }
        match self.new.pop_front() {
            Some(joint) => Poll::Ready(Some(joint)),
            None if self.has_ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

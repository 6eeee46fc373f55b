//! Contexts that hold real ports, and do everything to the model as well.

use std::{fmt::Debug, mem};

use futures::FutureExt;
use handover_core::{
    Bound, DataCloneError, Message, MessageChannel, MessagePort,
    message::Parts,
    port::{DataCloneReason, TryPostError},
};

use crate::{
    operations::{CONTEXTS, Context, How, Operation, Pick},
    rules::{Handle, Model, Received, Refused},
};

/// A port, and what the model calls it.
#[derive(Debug)]
struct Held {
    handle: Handle,
    port: MessagePort,
}

/// What became of a sequence.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    /// The steps that were compared.
    pub(crate) steps: u64,
    /// See [`Model::rings`].
    pub(crate) rings: usize,
}

/// The contexts, the model, and what has happened.
#[derive(Debug, Default)]
pub(crate) struct World {
    contexts: [Vec<Held>; CONTEXTS],
    model: Model,
    posted: u32,
    story: Vec<String>,
}

impl World {
    /// Does the operations and ends all contexts; compares after each step. An error tells the whole story.
    pub(crate) fn run(mut self, operations: &[Operation]) -> Result<Ran, String> {
        let done = operations.iter().try_for_each(|operation| self.perform(operation));
        let ended = done.and_then(|()| (0..CONTEXTS).try_for_each(|context| self.end(Context(context))));
        match ended {
            Ok(()) => Ok(Ran { steps: self.story.len() as u64, rings: self.model.rings() }),
            Err(difference) => Err(format!("{}\n=> {difference}", self.story.join("\n"))),
        }
    }

    fn perform(&mut self, operation: &Operation) -> Result<(), String> {
        match *operation {
            Operation::MakeChannel(one, other) => {
                let ports = self.make_channel();
                self.ports(one).push(ports.0);
                self.ports(other).push(ports.1);
                self.compare()
            }
            Operation::Post { on, ref with, how: How::AsValue } => self.post_value(on, with),
            Operation::Post { on, ref with, how } => self.post(on, with, how),
            Operation::Start(port) => self.start(port),
            Operation::Close(port) => self.close(port),
            Operation::Receive(port) => self.receive(port).map(|_| ()),
            Operation::Drop(port) => self.drop(port),
            Operation::Give(port, to) => self.give(port, to),
            Operation::Bound(port, messages, bytes) => self.set_bound(port, messages, bytes),
            Operation::Nest(port, depth) => self.nest(port, depth),
            Operation::Dig(port, depth) => self.dig(port, depth),
            Operation::End(context) => self.end(context),
        }
    }

    fn make_channel(&mut self) -> (Held, Held) {
        let (port, peer) = MessageChannel::new().into_ports();
        let (handle, peer_handle) = self.model.make_channel();
        self.story.push(format!("{handle} and {peer_handle} are made"));
        (Held { handle, port }, Held { handle: peer_handle, port: peer })
    }

    fn post(&mut self, on: Pick, with: &[usize], how: How) -> Result<(), String> {
        let Some(port) = self.take(on) else { return Ok(()) };
        let attached = with.iter().filter_map(|&nth| self.take(Pick { nth, ..on })).collect();
        self.post_message(&port, attached, how, on.context)?;
        self.ports(on.context).push(port);
        self.compare()
    }

    /// Posts a message that owns its ports. If it is refused, the context has them again.
    fn post_message(&mut self, on: &Held, with: Vec<Held>, how: How, context: Context) -> Result<(), String> {
        let data = self.next_data();
        let (handles, ports): (Vec<_>, Vec<_>) = with.into_iter().map(|held| (held.handle, held.port)).unzip();
        self.story.push(format!("{} posts {} with {} ({how:?})", on.handle, data.escape_ascii(), names(&handles)));
        let message = Message::new(data.clone()).with_ports(ports);

        let (outcome, expected) = match how {
            How::Always => (
                on.port.post_message(message).map_err(refused_message),
                self.model.post(on.handle, data.clone(), &handles),
            ),
            How::IfThereIsRoom | How::AsValue => (
                on.port.try_post_message(message).map_err(refused_for_room),
                self.model.try_post(on.handle, data.clone(), &handles),
            ),
        };

        let outcome = outcome.map_err(|(refused, Parts { data, ports, .. })| {
            let back = handles.into_iter().zip(ports).map(|(handle, port)| Held { handle, port });
            self.ports(context).extend(back);
            (refused, data)
        });
        same("the outcome", outcome, expected.map_err(|refused| (refused, data)))
    }

    /// Posts a value that borrows its ports, so that the context is left with their handles.
    fn post_value(&mut self, on: Pick, with: &[usize]) -> Result<(), String> {
        let number = self.next_number().to_le_bytes();
        let Some(Held { handle, port }) = self.look_at(on) else { return Ok(()) };
        let attached: Vec<&Held> = with.iter().filter_map(|&nth| self.look_at(Pick { nth, ..on })).collect();
        let (handles, ports): (Vec<_>, Vec<_>) = attached.iter().map(|held| (held.handle, &held.port)).unzip();
        let step = format!("{handle} posts {} with {} (AsValue)", number.escape_ascii(), names(&handles));
        // As postcard writes it: the bytes, how many ports there are, and the index of each.
        let count = u8::try_from(ports.len()).expect("there are few");
        let data = [number.to_vec(), vec![count], (0..count).collect()].concat();

        let outcome = port.post_value((number, ports)).map_err(|error| refused(error.reason()));

        let expected = self.model.post_value(*handle, data, &handles);
        self.story.push(step);
        same("the outcome", outcome, expected)?;
        self.compare()
    }

    fn start(&mut self, port: Pick) -> Result<(), String> {
        self.with(port, |model, Held { handle, port }| {
            port.start();
            model.start(*handle);
            format!("{handle} starts")
        })
    }

    fn close(&mut self, port: Pick) -> Result<(), String> {
        self.with(port, |model, Held { handle, port }| {
            port.close();
            model.close(*handle);
            format!("{handle} closes")
        })
    }

    fn set_bound(&mut self, port: Pick, messages: u8, bytes: u8) -> Result<(), String> {
        let bound = Bound { messages: messages.into(), bytes: bytes.into() };
        self.with(port, |model, Held { handle, port }| {
            port.set_bound(bound);
            model.set_bound(*handle, bound);
            format!("{handle} lets {messages} messages and {bytes} bytes wait")
        })
    }

    /// Does something to a port and to the model, which is told in the story, and compares.
    fn with(&mut self, port: Pick, work: impl FnOnce(&mut Model, &Held) -> String) -> Result<(), String> {
        let Some(index) = self.index(port) else { return Ok(()) };
        let step = work(&mut self.model, &self.contexts[port.context.0][index]);
        self.story.push(step);
        self.compare()
    }

    /// Tells where the first port that came is in the context's list.
    fn receive(&mut self, port: Pick) -> Result<Option<usize>, String> {
        let Some(Held { handle, port: real }) = self.look_at(port) else { return Ok(None) };
        let (handle, outcome) = (*handle, real.recv().now_or_never());
        let expected = self.model.receive(handle);
        self.story.push(format!("{handle} receives {expected}"));

        let arrived = match (outcome, expected) {
            (Some(Ok(message)), Received::Message(data, handles)) => {
                let parts = message.into_parts();
                same("the bytes", parts.data, data)?;
                // Which ports they are will show in what is done to them.
                same("the number of ports", parts.ports.len(), handles.len())?;
                handles.into_iter().zip(parts.ports).map(|(handle, port)| Held { handle, port }).collect()
            }
            (None, Received::Nothing) | (Some(Err(_)), Received::Closed) => Vec::new(),
            (outcome, expected) => return Err(format!("{outcome:?} was received instead of {expected}")),
        };
        let first = (!arrived.is_empty()).then(|| self.ports(port.context).len());
        self.ports(port.context).extend(arrived);
        self.compare()?;
        Ok(first)
    }

    fn drop(&mut self, port: Pick) -> Result<(), String> {
        let Some(Held { handle, port }) = self.take(port) else { return Ok(()) };
        drop(port);
        self.model.drop(handle);
        self.story.push(format!("{handle} is dropped"));
        self.compare()
    }

    fn give(&mut self, port: Pick, to: Context) -> Result<(), String> {
        let Some(held) = self.take(port) else { return Ok(()) };
        self.story.push(format!("{} goes to another context", held.handle));
        self.ports(to).push(held);
        self.compare()
    }

    fn nest(&mut self, port: Pick, depth: u8) -> Result<(), String> {
        let Some(mut inner) = self.take(port) else { return Ok(()) };
        for level in 0..depth {
            let (near, far) = self.make_channel();
            self.post_message(&near, vec![inner], How::Always, port.context)?;
            // Half of the queues go on filling, the others have lost their senders.
            if level % 2 == 0 {
                self.ports(port.context).push(near);
            } else {
                self.story.push(format!("{} is dropped", near.handle));
                self.model.drop(near.handle);
                drop(near);
            }
            inner = far;
            self.compare()?;
        }
        self.ports(port.context).push(inner);
        self.compare()
    }

    fn dig(&mut self, mut port: Pick, depth: u8) -> Result<(), String> {
        for _ in 0..depth {
            self.start(port)?;
            let Some(nth) = self.receive(port)? else { break };
            port.nth = nth;
        }
        Ok(())
    }

    fn end(&mut self, context: Context) -> Result<(), String> {
        for Held { handle, port } in mem::take(self.ports(context)) {
            drop(port);
            self.model.drop(handle);
            self.story.push(format!("{handle} is dropped, as its context ends"));
        }
        self.compare()
    }

    /// Everything that a port tells, of every port that anybody holds.
    fn compare(&self) -> Result<(), String> {
        self.contexts.iter().flatten().try_for_each(|Held { handle, port }| {
            let model = &self.model;
            same_at(*handle, "is_closed()", port.is_closed(), model.is_closed(*handle))?;
            same_at(*handle, "closed()", port.closed().now_or_never(), model.closed_by(*handle))?;
            same_at(*handle, "queued()", port.queued(), model.queued(*handle))?;
            same_at(*handle, "ready()", port.ready().now_or_never().is_some(), model.has_room(*handle))
        })
    }

    fn ports(&mut self, context: Context) -> &mut Vec<Held> {
        &mut self.contexts[context.0]
    }

    fn index(&self, port: Pick) -> Option<usize> {
        port.nth.checked_rem(self.contexts[port.context.0].len())
    }

    fn look_at(&self, port: Pick) -> Option<&Held> {
        self.contexts[port.context.0].get(self.index(port)?)
    }

    fn take(&mut self, port: Pick) -> Option<Held> {
        let index = self.index(port)?;
        Some(self.ports(port.context).remove(index))
    }

    fn next_number(&mut self) -> u32 {
        self.posted += 1;
        self.posted
    }

    /// A number, in messages of different lengths.
    fn next_data(&mut self) -> Vec<u8> {
        let number = self.next_number();
        let dots = usize::try_from(number % 5).unwrap_or(0);
        format!("{number}{}", ".".repeat(dots)).into_bytes()
    }
}

/// What a port said and what the model says.
fn same<T: PartialEq + Debug>(what: &str, real: T, model: T) -> Result<(), String> {
    if real == model { Ok(()) } else { Err(format!("{what} is {real:?} instead of {model:?}")) }
}

fn same_at<T: PartialEq + Debug>(handle: Handle, what: &str, real: T, model: T) -> Result<(), String> {
    same(what, real, model).map_err(|difference| format!("at {handle}, {difference}"))
}

fn names(handles: &[Handle]) -> String {
    let names: Vec<String> = handles.iter().map(Handle::to_string).collect();
    if names.is_empty() { "no port".to_owned() } else { names.join(", ") }
}

fn refused(reason: &DataCloneReason) -> Refused {
    match reason {
        DataCloneReason::DetachedPort(index) => Refused::Detached(*index),
        DataCloneReason::SourcePort => Refused::SourcePort,
        _ => Refused::Unserializable,
    }
}

fn refused_message(error: DataCloneError) -> (Refused, Parts) {
    (refused(error.reason()), error.into_rejected().into_parts())
}

fn refused_for_room(error: TryPostError) -> (Refused, Parts) {
    match error {
        TryPostError::Full(message) => (Refused::Full, message.into_parts()),
        TryPostError::DataClone(error) => refused_message(error),
    }
}

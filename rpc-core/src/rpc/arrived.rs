//! What comes to a service's port, as far as finding out whose it is.

use super::{
    Incoming, MethodId,
    call_info::Arrival,
    desk::{At, Desk},
    frame::{CallId, Frame, Limits, plain_call},
    from_bytes::FromBytes,
    oneway::IS_ONEWAY,
};
use crate::{
    Message, MessagePort,
    port::{Carried, Parcel},
};

/// What came to a service's port.
#[derive(Debug)]
pub(super) enum Arrived {
    Call(Unopened),
    Cancel(CallId),
    /// A port that is to be served too, with the sender's right, limited to that.
    Attach(MessagePort, Box<Limits>),
    /// Nothing that a service can do anything with. It was reported.
    Nothing,
}

/// A call that came, without where it came in: so it may wait.
#[derive(Debug)]
pub(super) struct Unopened {
    /// Which method is wanted.
    method: MethodId,
    pub(super) body: Body,
    /// Only where somebody watches.
    pub(super) arrival: Option<Box<Arrival>>,
}

/// In what form a call came.
#[derive(Debug)]
pub(super) enum Body {
    /// From a caller in this process.
    Value(Carried),
    /// As bytes. Boxed, so that a call that is a value is small to move.
    Frame(Box<FromBytes>),
}

/// What a call wants, as far as it matters to those who do not open it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    pub(super) method: MethodId,
    /// By what a frame knows it, if it came as bytes and wants an answer.
    pub(super) id: Option<CallId>,
    is_oneway: bool,
}

/// How a call came, for those who watch.
#[derive(Debug, Default)]
pub(super) struct Came {
    pub(super) arrival: Option<Box<Arrival>>,
    /// That it came as so many bytes.
    pub(super) bytes: usize,
}

impl Arrived {
    /// Looks at what came, as far as finding out whose it is.
    #[inline(always)]
    pub(super) fn read(parcel: Parcel, desk: &Desk) -> Self {
        match parcel {
            Parcel::Value(value) => {
                let want = Want::of_value(&value);
                Self::Call(Unopened::of_value(value, want))
            }
            Parcel::Message(message) => Self::read_call(message, desk).map_or_else(
                |other| other,
                |call| Self::Call(Unopened { method: call.method, body: Body::Frame(Box::new(call)), arrival: None }),
            ),
        }
    }

    /// A message that is a call, as far as finding out whose it is.
    ///
    /// # Errors
    /// What it is instead.
    #[inline]
    pub(super) fn read_call(message: Message, desk: &Desk) -> Result<FromBytes, Self> {
        match plain_call(message.data()) {
            Some(call) => Ok(FromBytes::plain(message, call, desk)),
            None => Self::read_other(message, desk),
        }
    }

    /// As [`read_call`](Self::read_call), of what is not a call that says nothing beside its arguments.
    fn read_other(mut message: Message, desk: &Desk) -> Result<FromBytes, Self> {
        let size = message.data().len();
        let mut is_pipelined = false;
        let (id, method, mut options, args) = match Frame::parse(message.data()) {
            Ok(Frame::Call { id, method, options, args }) => (Some(id), method, options, args),
            Ok(Frame::Tell { method, options, args }) => (None, method, options, args),
            Ok(Frame::Pipelined { method, options, args }) => {
                is_pipelined = true;
                (None, method, options, args)
            }
            Ok(Frame::Cancel { id }) => return Err(Self::Cancel(id)),
            Ok(Frame::Attach { limits }) => return Err(Self::attach(message, limits)),
            Ok(_) => {
                tracing::warn!("a reply came to a service's port, which calls nothing; it was dropped");
                return Err(Self::Nothing);
            }
            Err(error) => {
                tracing::warn!(%error, "a message that is no call came to a service's port; it was dropped");
                return Err(Self::Nothing);
            }
        };
        let args_at = size - args.len();
        let pipe = if is_pipelined { message.pop_port() } else { None };
        if is_pipelined && pipe.is_none() {
            tracing::warn!("a pipelined call came without a port for what it returns; it was dropped");
            return Err(Self::Nothing);
        }
        if let Some(shape) = options.shape.take() {
            desk.versions_to_be().introduce(method, shape);
        }
        let version = desk.version_of(method);
        let (options, pipe) = (options.boxed(), pipe.map(Box::new));
        Ok(FromBytes { message, id, method, args_at, version, options, pipe })
    }

    fn attach(message: Message, limits: Box<Limits>) -> Self {
        match <[MessagePort; 1]>::try_from(message.into_parts().ports) {
            Ok([port]) => Self::Attach(port, limits),
            Err(ports) => {
                tracing::warn!(
                    ports = ports.len(),
                    "a message to attach a port brought another number of them; it was dropped"
                );
                Self::Nothing
            }
        }
    }
}

/// Which method a parcel calls, if it is a call.
pub(super) fn method_of(parcel: &Parcel) -> Option<MethodId> {
    let message = match parcel {
        Parcel::Value(value) => return Some(Want::of_value(value).method),
        Parcel::Message(message) => message,
    };
    match Frame::parse(message.data()) {
        Ok(Frame::Call { method, .. } | Frame::Tell { method, .. } | Frame::Pipelined { method, .. }) => Some(method),
        Ok(_) | Err(_) => None,
    }
}

impl Want {
    /// What a call wants that stayed a value.
    #[inline]
    pub(super) fn of_value(value: &Carried) -> Self {
        let selector = value.selector();
        // Truncated on purpose: the id is the lower half.
        Self { method: MethodId(selector as u32), id: None, is_oneway: selector & IS_ONEWAY != 0 }
    }

    /// The call was taken out of the caller's window.
    #[inline(always)]
    pub(super) fn was_taken_at(self, desk: &Desk) {
        if desk.has_window && self.is_oneway {
            desk.took_tell();
        }
    }
}

impl Unopened {
    /// A call that stayed a value.
    #[inline]
    pub(super) fn of_value(value: Carried, want: Want) -> Self {
        Self { method: want.method, body: Body::Value(value), arrival: None }
    }

    /// The call, at the port where it came in.
    #[inline]
    pub(super) fn at(self, desk: At<'_>) -> Incoming<'_> {
        Incoming::new(self, desk)
    }

    /// Notes what is before it, for those who watch.
    #[inline]
    pub(super) fn note(&mut self, desk: &Desk, running: usize, waiting: usize) {
        if desk.is_intercepted {
            self.arrival = Some(Arrival::now(running, waiting));
        }
    }

    /// What it wants.
    #[inline]
    pub(super) fn want(&self) -> Want {
        match &self.body {
            Body::Value(value) => Want::of_value(value),
            Body::Frame(frame) => Want { method: self.method, id: frame.id, is_oneway: frame.id.is_none() },
        }
    }

    /// Which method is wanted.
    #[inline]
    pub(super) fn method(&self) -> MethodId {
        self.method
    }

    /// The id of a call that came as bytes and wants an answer.
    pub(super) fn id(&self) -> Option<CallId> {
        match &self.body {
            Body::Value(_) => None,
            Body::Frame(frame) => frame.id,
        }
    }

    /// How many bytes it keeps while it waits.
    pub(super) fn size(&self) -> usize {
        match &self.body {
            Body::Value(_) => 0,
            Body::Frame(frame) => frame.message.size(),
        }
    }
}

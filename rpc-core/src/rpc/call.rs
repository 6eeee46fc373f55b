//! The caller's future.

use std::{
    fmt,
    ops::Deref,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::{CallError, ClientStub, Failure, NotSent, cell::PendingCall, frame::Frame};
use crate::{
    port::{Carried, Parcel},
    sync::Arc,
};

/// A call that was made: a future of what the method returns.
///
/// The call is sent when the future is first polled; calls of one client are served in the order in which they were sent.
/// Many may be outstanding. Nothing is spawned: the reply is put into the call by whoever posts it, on any executor.
///
/// # Errors
/// `E` is [`CallError`], or [`RpcError`](super::RpcError) where the method has an error of its own. Every call ends: with a
/// value, with the service's error, or with a [`CallError`] that says whether the method may have run.
///
/// # Cancel safety
/// Dropping the call cancels it: the method ends at its next `.await`, or is not begun.
#[must_use = "a call is sent when it is awaited"]
pub struct Call<'c, T, E: Failure> {
    stub: Via<'c>,
    cell: Arc<dyn PendingCall<T, E::Service>>,
    stage: Stage,
}

/// The client that the call goes through: a single-use call owns it.
pub(super) enum Via<'c> {
    Shared(&'c ClientStub),
    Owned(ClientStub),
}

impl Deref for Via<'_> {
    type Target = ClientStub;

    fn deref(&self) -> &ClientStub {
        match self {
            Self::Shared(stub) => stub,
            Self::Owned(stub) => stub,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Made,
    Sent,
    Ended,
}

impl<'c, T, E: Failure> Call<'c, T, E> {
    pub(super) fn new(stub: Via<'c>, cell: Arc<dyn PendingCall<T, E::Service>>) -> Self {
        Self { stub, cell, stage: Stage::Made }
    }

    fn send(&mut self) -> Result<(), CallError> {
        let parcel = Parcel::Value(Carried::new(self.cell.clone().to_value()));
        if self.stub.port().post(parcel).is_err() {
            self.stage = Stage::Ended;
            return Err(CallError::NotSent(NotSent::Closed));
        }
        self.stage = Stage::Sent;
        Ok(())
    }
}

impl<T, E: Failure> Future for Call<'_, T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.stage == Stage::Made {
            self.send()?;
        }
        let outcome = ready!(self.cell.poll_ending(cx));
        self.stage = Stage::Ended;
        Poll::Ready(outcome?.map_err(E::of_service))
    }
}

impl<T, E: Failure> Drop for Call<'_, T, E> {
    fn drop(&mut self) {
        if self.stage != Stage::Sent {
            return;
        }
        if let Some(id) = self.cell.abandon() {
            drop(self.stub.replies().forget(id));
            // If the port is closed, so is the call.
            let _closed = self.stub.port().post(Parcel::Message(Frame::Cancel { id }.to_bytes().into()));
        }
    }
}

impl<T, E: Failure> fmt::Debug for Call<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("stage", &self.stage).finish_non_exhaustive()
    }
}

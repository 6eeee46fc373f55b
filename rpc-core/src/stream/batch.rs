//! The batch cell: items on their way within the process.

use std::{any::TypeId, collections::VecDeque, mem};

use serde::Serialize;

use super::frame::{Fault, StreamFrame, items_head};
use crate::{
    Interruption, Message, MessagePort,
    message::{EncodeError, Encoder},
    port::Value,
    rpc::Wire,
    sync::{Arc, Mutex},
};

/// The items that the producer has sent and nobody has taken yet. Producer and queue share it; the producer uses it again and again.
#[derive(Debug)]
pub(super) struct Batch<T, X>(Mutex<State<T, X>>);

#[derive(Debug)]
struct State<T, X> {
    place: Place,
    items: VecDeque<Result<T, X>>,
    /// How many bytes of credit they have cost.
    cost: u64,
    /// Whether a reader of bytes has ever taken it.
    is_encoded: bool,
}

/// Where a batch is.
#[derive(Debug)]
enum Place {
    /// With its producer, and empty.
    Home,
    /// In the consumer's queue, where it still may be added to.
    Queued,
    /// In nobody's reach: it takes no more items.
    Lost(Loss),
}

/// Why a batch takes no more items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// Nobody will ever receive it.
    Discarded,
    /// An item could not be turned into bytes.
    Unencodable(String),
}

/// Items were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a batch may be to be posted"]
pub(super) struct Added {
    /// Whether they are the first, so that the batch is to be posted now.
    pub(super) is_to_post: bool,
    /// Whether items are turned into bytes where they arrive.
    pub(super) is_encoded: bool,
}

impl<T, X> Batch<T, X> {
    /// An empty batch.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { place: Place::Home, items: VecDeque::new(), cost: 0, is_encoded: false })))
    }

    /// Adds an item, or drops it.
    #[inline]
    pub(super) fn add(&self, item: Result<T, X>, cost: u64) -> Result<Added, Loss> {
        let mut state = self.0.lock();
        match state.admit(cost) {
            Ok(added) => {
                state.items.push_back(item);
                Ok(added)
            }
            Err(loss) => {
                drop(state);
                drop(item);
                Err(loss)
            }
        }
    }

    /// Adds items, or drops them, and leaves an empty buffer in their place.
    pub(super) fn add_all(&self, items: &mut VecDeque<Result<T, X>>, cost: u64) -> Result<Added, Loss> {
        let mut state = self.0.lock();
        match state.admit(cost) {
            Ok(added) => {
                if state.items.is_empty() {
                    mem::swap(&mut state.items, items);
                } else {
                    state.items.append(items);
                }
                Ok(added)
            }
            Err(loss) => {
                drop(state);
                items.clear();
                Err(loss)
            }
        }
    }

    /// Takes all items, and leaves an empty buffer in their place; tells what they have cost.
    pub(super) fn take(&self, into: &mut VecDeque<Result<T, X>>) -> u64 {
        debug_assert!(into.is_empty(), "what is left from before would be taken for newer");
        let mut state = self.0.lock();
        mem::swap(&mut state.items, into);
        if let Place::Queued = state.place {
            state.place = Place::Home;
        }
        mem::take(&mut state.cost)
    }

    /// Takes no more items, and drops those it has.
    fn lose(&self, loss: Loss) {
        let mut state = self.0.lock();
        state.place = Place::Lost(loss);
        let items = mem::take(&mut state.items);
        drop(state);
        // They may hold ports.
        drop(items);
    }
}

impl<T, X> State<T, X> {
    #[inline]
    fn admit(&mut self, cost: u64) -> Result<Added, Loss> {
        let is_to_post = match &self.place {
            Place::Queued => false,
            Place::Home => true,
            Place::Lost(loss) => return Err(loss.clone()),
        };
        self.place = Place::Queued;
        self.cost = self.cost.saturating_add(cost);
        Ok(Added { is_to_post, is_encoded: self.is_encoded })
    }
}

impl<T: Wire + Send + 'static, X: Wire + Send + 'static> Value for Batch<T, X> {
    fn selector(&self) -> u64 {
        0
    }

    fn is_for(&self, kind: &TypeId) -> bool {
        *kind == TypeId::of::<Self>()
    }

    /// Makes one frame of all items; if one cannot be encoded, a frame that says so: the stream is broken from there.
    fn encode(self: Arc<Self>, _: &MessagePort) -> Option<Message> {
        let mut items = VecDeque::new();
        let cost = self.take(&mut items);
        self.0.lock().is_encoded = true;
        if items.is_empty() {
            return None;
        }
        match encode(&items, cost) {
            Ok(encoder) => {
                let message = encoder.finish();
                // The values are dropped after their ports have moved out of them.
                drop(items);
                message.transfer_receiving_steps();
                Some(message)
            }
            Err(error) => {
                self.lose(Loss::Unencodable(error.to_string()));
                let fault = Fault::Interrupted(Interruption::UnreadableReply(error.to_string()));
                Some(StreamFrame::Failed { fault }.to_bytes().into())
            }
        }
    }

    fn discarded(&self) {
        self.lose(Loss::Discarded);
    }
}

fn encode<T: Serialize + 'static, X: Serialize>(
    items: &VecDeque<Result<T, X>>,
    cost: u64,
) -> Result<Encoder, EncodeError> {
    let mut encoder = Encoder::after(items_head(cost));
    encoder.put_all(|encoder| items.iter().try_for_each(|item| encoder.put_result(item)))?;
    Ok(encoder)
}

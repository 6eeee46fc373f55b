//! What seals, and opens what it has sealed.

use std::{collections::VecDeque, fmt, time::Duration};

use rustc_hash::FxHashSet;

use super::{Sealed, lead::Lead, question::Asked};
use crate::{
    MessageChannel, MessagePort,
    rpc::{
        CallError,
        host::{Key, Slots},
    },
    sync::{Arc, Mutex},
};

/// Seals values, and opens those that it has sealed, and no others.
///
/// It takes both to get at a value, the sealer and what was sealed; so whoever has the one gains rights by being given the other. Clones
/// are the same sealer. What was sealed is gone with the last of them.
///
/// # Examples
/// ```
/// use handover_core::rpc::Sealer;
///
/// let (mint, other) = (Sealer::new(), Sealer::new());
/// let purse = mint.seal(10);
/// // `purse` may travel through any hands, and comes back.
/// assert_eq!(mint.open(&purse).as_deref(), Some(&10));
/// assert_eq!(other.open(&purse), None);
/// assert_eq!(format!("{purse:?}"), "Sealed");
/// ```
pub struct Sealer<T>(Arc<Brand<T>>);

/// What the clones of one sealer share.
pub(super) struct Brand<T>(Mutex<State<T>>);

struct State<T> {
    seals: Slots<Seal<T>>,
    /// The questions that wait for an answer.
    questions: FxHashSet<u64>,
    last_question: u64,
}

/// A value that was sealed.
struct Seal<T> {
    value: Arc<T>,
    /// The other end of what was handed out.
    port: Arc<MessagePort>,
    /// What was asked by it and is not settled: the newest last.
    asked: VecDeque<u64>,
}

/// How long one who says nothing is waited for.
const LIMIT: Duration = Duration::from_secs(30);

/// How many questions are remembered of one sealed value: only whoever holds it asks by it.
const MOST_ASKED: usize = 16;

impl<T: Send + Sync + 'static> Sealer<T> {
    /// Makes a sealer that has sealed nothing.
    pub fn new() -> Self {
        let state = State { seals: Slots::default(), questions: FxHashSet::default(), last_question: 0 };
        Self(Arc::new(Brand(Mutex::new(state))))
    }

    /// Seals a value. It stays here, until what is handed out was dropped.
    pub fn seal(&self, value: T) -> Sealed<T> {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let port = Arc::new(ours);
        let seal = Seal { value: Arc::new(value), port: port.clone(), asked: VecDeque::new() };
        // Where there is no place left, it is closed: nobody opens it.
        let key = self.0.0.lock().seals.insert(seal);
        if let Some(key) = key {
            port.set_target(Arc::new(Lead::new(&self.0, key)));
        }
        Sealed::new(theirs)
    }

    /// Opens what this sealer has sealed and what came home without leaving the process, however many hands it went through: the channel says
    /// so, and nobody is asked (C25). `None` of anything else.
    pub fn open(&self, sealed: &Sealed<T>) -> Option<Arc<T>> {
        let lead = Lead::<T>::at(sealed.stub().port())?;
        let key = lead.key_of(&self.0)?;
        self.0.0.lock().seals.get(key).map(|seal| seal.value.clone())
    }

    /// As [`open`](Self::open), also of what came home over a link, behind which no channel can be seen. It asks by what it is to open, and
    /// takes the answer only if the question came home by a value that this sealer has sealed, and the answer, by the way that the
    /// question went, names that one. So whoever answers either has it or can use it, which he could have handed on.
    ///
    /// Whoever has the other end and says nothing is waited for no longer than half a minute, or as long as the method has that runs here; then
    /// it is as anything else. That is by the clock of the [context](crate::clock): where there is none, nobody is asked.
    /// [`open_remote_within`](Self::open_remote_within) says how long.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn open_remote(&self, sealed: &Sealed<T>) -> Option<Arc<T>> {
        self.open_remote_within(sealed, LIMIT).await
    }

    /// As [`open_remote`](Self::open_remote), waiting no longer than that.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn open_remote_within(&self, sealed: &Sealed<T>, limit: Duration) -> Option<Arc<T>> {
        if let Some(value) = self.open(sealed) {
            return Some(value);
        }
        let question = Question::new(&self.0);
        let answer = sealed.stub().call::<Asked, CallError>(question.number).deadline(limit).await;
        if let Err(CallError::NotSent(why)) = &answer {
            tracing::warn!(%why, "a sealed value could not be asked which one it is");
        }
        question.settle(answer.ok()??)
    }
}

impl<T: Send + Sync + 'static> Default for Sealer<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Sealer<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for Sealer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

/// A question that waits for its answer.
struct Question<'b, T> {
    brand: &'b Brand<T>,
    number: u64,
}

impl<'b, T> Question<'b, T> {
    fn new(brand: &'b Brand<T>) -> Self {
        let mut state = brand.0.lock();
        state.last_question = state.last_question.wrapping_add(1);
        let number = state.last_question;
        state.questions.insert(number);
        drop(state);
        Self { brand, number }
    }

    /// What the answer names, if the question came by it.
    fn settle(&self, answer: u64) -> Option<Arc<T>> {
        let mut state = self.brand.0.lock();
        let seal = state.seals.get_mut(Key::from_bits(answer))?;
        let at = seal.asked.iter().position(|asked| *asked == self.number)?;
        seal.asked.remove(at);
        Some(seal.value.clone())
    }
}

impl<T> Drop for Question<'_, T> {
    fn drop(&mut self) {
        self.brand.0.lock().questions.remove(&self.number);
    }
}

impl<T> Brand<T> {
    /// Our end of what was sealed under a key.
    pub(super) fn port(&self, key: Key) -> Option<Arc<MessagePort>> {
        self.0.lock().seals.get(key).map(|seal| seal.port.clone())
    }

    /// A question came by what was sealed under a key. The answer, if it is one of this sealer's.
    pub(super) fn was_asked(&self, key: Key, question: u64) -> Option<u64> {
        let mut state = self.0.lock();
        if !state.questions.contains(&question) {
            return None;
        }
        let seal = state.seals.get_mut(key)?;
        if seal.asked.len() >= MOST_ASKED {
            seal.asked.pop_front();
        }
        seal.asked.push_back(question);
        Some(key.to_bits())
    }

    /// What was sealed under a key is gone.
    pub(super) fn forget(&self, key: Key) {
        let gone = self.0.lock().seals.remove(key);
        drop(gone);
    }
}

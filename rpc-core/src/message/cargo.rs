//! What travels beside the bytes of a value: ports, buffers, and what is foreign, by index (SER-01).
//!
//! serde has no place for such lists, so they are a local of the thread for as long as one value is encoded or decoded.

use std::{
    cell::{Cell, RefCell},
    fmt,
};

use serde::{Deserialize, Deserializer, de::Visitor};

use super::{Foreign, buffer::BufferRef};
use crate::{Message, MessageChannel, MessagePort, port::Shipment};

/// What was found in values that are being encoded. The values still own it.
#[derive(Debug, Default)]
pub(super) struct Cargo {
    ports: Shipment,
    buffers: Vec<BufferRef>,
    foreign: Vec<Foreign>,
    /// For a message that many receive: nothing is moved.
    copies: bool,
}

impl Cargo {
    /// Refuses ports, and copies buffers (BC-05).
    #[cfg(feature = "windows")]
    pub(super) fn copying() -> Self {
        Self { copies: true, ..Self::default() }
    }

    /// Takes it out of the values, and makes a message of it (SER-04).
    pub(super) fn ship(self, data: Vec<u8>) -> Message {
        let buffers = self.buffers.into_iter().map(BufferRef::take).collect();
        Message::with_all(data, self.ports.ship(), buffers, self.foreign)
    }

    /// The bytes in the buffers.
    pub(super) fn buffer_bytes(&self) -> u64 {
        self.buffers.iter().fold(0, |bytes, buffer| bytes.saturating_add(buffer.len() as u64))
    }

    /// Whether a port is in it.
    pub(super) fn contains(&self, port: &MessagePort) -> bool {
        self.ports.contains(port)
    }

    fn add_port(&mut self, port: &MessagePort) -> Result<u32, &'static str> {
        if self.copies {
            return Err("a port cannot be broadcast");
        }
        self.ports.add(port)
    }

    fn add_buffer(&mut self, buffer: BufferRef) -> Result<u32, &'static str> {
        if buffer.is_detached() {
            return Err(DETACHED_BUFFER);
        }
        if self.buffers.iter().any(|found| found.is_same(&buffer)) {
            return Err("a buffer is in the value twice");
        }
        #[cfg(feature = "windows")]
        let buffer = if self.copies { buffer.copied().ok_or(DETACHED_BUFFER)? } else { buffer };
        let index = u32::try_from(self.buffers.len()).map_err(|_| "too many buffers in one value")?;
        self.buffers.push(buffer);
        Ok(index)
    }

    fn admits_foreign(&self) -> Result<(), &'static str> {
        if self.copies { Err("what is not bytes cannot be broadcast") } else { Ok(()) }
    }

    fn add_foreign(&mut self, foreign: Foreign) -> Result<u32, &'static str> {
        if self.foreign.iter().any(|found| found.is_same(&foreign)) {
            return Err("a thing that is not bytes is in the value twice");
        }
        let index = u32::try_from(self.foreign.len()).map_err(|_| "too many things in one value")?;
        self.foreign.push(foreign);
        Ok(index)
    }
}

/// SER-11
const DETACHED_BUFFER: &str = "a buffer in the value was transferred before";

/// What came beside the bytes, and no value has taken yet.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    ports: Vec<Option<MessagePort>>,
    buffers: Vec<Option<Vec<u8>>>,
    foreign: Vec<Option<Foreign>>,
}

impl Arrivals {
    pub(super) fn new(ports: Vec<MessagePort>, buffers: Vec<Vec<u8>>, foreign: Vec<Foreign>) -> Self {
        Self {
            ports: ports.into_iter().map(Some).collect(),
            buffers: buffers.into_iter().map(Some).collect(),
            foreign: foreign.into_iter().map(Some).collect(),
        }
    }

    /// The ports that no value took, in list order.
    pub(super) fn into_ports(self) -> Vec<MessagePort> {
        self.ports.into_iter().flatten().collect()
    }
}

fn take<T>(list: &mut [Option<T>], index: u32, twice: &'static str, missing: &'static str) -> Result<T, &'static str> {
    match usize::try_from(index).ok().and_then(|index| list.get_mut(index)) {
        Some(entry) => entry.take().ok_or(twice),
        None => Err(missing),
    }
}

/// What a value that is being encoded or decoded on this thread finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beside {
    /// No value is being encoded or decoded.
    Nothing,
    /// What the value holds is noted.
    Out,
    /// The value takes what came.
    In,
    /// A type is being asked for its shape: there is whatever it could want.
    Anything,
}

/// That, and whether more is known of it. One byte, for every value that is encoded or decoded begins one and ends it; nearly all have
/// nothing beside them, and then nobody looks further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Scope(u8);

impl Scope {
    /// There is a load, in [`LOAD`].
    const LADEN: u8 = 4;
    /// Something went wrong, and [`PROBLEM`] says what: codecs drop the text of an error.
    const FAILED: u8 = 8;

    const fn new(beside: Beside) -> Self {
        Self(match beside {
            Beside::Nothing => 0,
            Beside::Out => 1,
            Beside::In => 2,
            Beside::Anything => 3,
        })
    }

    fn beside(self) -> Beside {
        match self.0 & 3 {
            0 => Beside::Nothing,
            1 => Beside::Out,
            2 => Beside::In,
            _ => Beside::Anything,
        }
    }

    #[inline]
    fn is_laden(self) -> bool {
        self.0 & Self::LADEN != 0
    }

    fn has_failed(self) -> bool {
        self.0 & Self::FAILED != 0
    }

    /// Whether there is something that another scope would be in the way of.
    #[inline]
    fn has_any(self) -> bool {
        self.0 & (Self::LADEN | Self::FAILED) != 0
    }

    fn with(self, bit: u8) -> Self {
        Self(self.0 | bit)
    }

    fn without(self, bit: u8) -> Self {
        Self(self.0 & !bit)
    }
}

/// What went wrong.
#[derive(Clone, Copy, Debug)]
enum Problem {
    Known(&'static str),
    /// What is foreign has words of its own, which are in [`WORDS`].
    Told,
}

/// What is beside a value.
#[derive(Debug)]
enum Load {
    Out(Cargo),
    In(Arrivals),
}

thread_local! {
    static SCOPE: Cell<Scope> = const { Cell::new(Scope::new(Beside::Nothing)) };
    static PROBLEM: Cell<Option<Problem>> = const { Cell::new(None) };
    static LOAD: RefCell<Option<Load>> = const { RefCell::new(None) };
    static SET_ASIDE: RefCell<Vec<SetAside>> = const { RefCell::new(Vec::new()) };
    static WORDS: Cell<String> = const { Cell::new(String::new()) };
}

/// Values that are being encoded or decoded. Dropped, it puts the former scope back, also after a panic in a user's `Serialize`; what became
/// of the load goes with it.
#[must_use = "values have nothing beside them once it is dropped"]
pub(super) struct Scoped {
    outer: Scope,
}

/// What is beside a value whose `Serialize` posts a value of its own.
struct SetAside {
    load: Option<Load>,
    problem: Option<Problem>,
}

impl Scoped {
    /// Values are encoded after those that have left this cargo, if they have left any.
    #[inline(always)]
    pub(super) fn collecting(cargo: &mut Option<Cargo>) -> Self {
        let scoped = Self::enter(Beside::Out);
        if cargo.is_some() {
            load_cargo(cargo);
        }
        scoped
    }

    /// Takes out all that the values have left by then.
    #[inline(always)]
    pub(super) fn unload_cargo(&self, cargo: &mut Option<Cargo>) {
        if SCOPE.get().is_laden() {
            unload_cargo(cargo);
        }
    }

    /// Values are decoded that take their ports and buffers from what came, if anything did.
    #[inline(always)]
    pub(super) fn handing_out(arrivals: &mut Option<Arrivals>) -> Self {
        let scoped = Self::enter(Beside::In);
        if arrivals.is_some() {
            load_arrivals(arrivals);
        }
        scoped
    }

    /// Takes out what the values have not taken.
    #[inline(always)]
    pub(super) fn unload_arrivals(&self, arrivals: &mut Option<Arrivals>) {
        if SCOPE.get().is_laden() {
            unload_arrivals(arrivals);
        }
    }

    #[inline(always)]
    fn enter(beside: Beside) -> Self {
        let outer = SCOPE.replace(Scope::new(beside));
        if outer.has_any() {
            set_aside();
        }
        Self { outer }
    }
}

impl Drop for Scoped {
    #[inline(always)]
    fn drop(&mut self) {
        let inner = SCOPE.replace(self.outer);
        if inner.is_laden() || self.outer.has_any() {
            put_back(self.outer);
        }
    }
}

#[cold]
fn load_cargo(cargo: &mut Option<Cargo>) {
    SCOPE.set(SCOPE.get().with(Scope::LADEN));
    LOAD.set(cargo.take().map(Load::Out));
}

#[cold]
fn load_arrivals(arrivals: &mut Option<Arrivals>) {
    SCOPE.set(SCOPE.get().with(Scope::LADEN));
    LOAD.set(arrivals.take().map(Load::In));
}

#[cold]
fn unload_cargo(cargo: &mut Option<Cargo>) {
    if let Some(Load::Out(collected)) = LOAD.take() {
        *cargo = Some(collected);
    }
}

#[cold]
fn unload_arrivals(arrivals: &mut Option<Arrivals>) {
    if let Some(Load::In(left)) = LOAD.take() {
        *arrivals = Some(left);
    }
}

#[cold]
fn set_aside() {
    let beside = SetAside { load: LOAD.take(), problem: PROBLEM.take() };
    SET_ASIDE.with_borrow_mut(|set_aside| set_aside.push(beside));
}

/// Leaves a scope for the one around it, which may have something set aside.
#[cold]
fn put_back(outer: Scope) {
    let beside = if outer.has_any() { SET_ASIDE.with_borrow_mut(Vec::pop) } else { None };
    let SetAside { load, problem } = beside.unwrap_or(SetAside { load: None, problem: None });
    PROBLEM.set(problem);
    drop(LOAD.replace(load));
}

/// What was wrong with something beside the value that just failed, if that was the reason. Asked before the scope is left.
pub(super) fn problem() -> Option<String> {
    let scope = SCOPE.get();
    if !scope.has_failed() {
        return None;
    }
    SCOPE.set(scope.without(Scope::FAILED));
    PROBLEM.take().map(|problem| match problem {
        Problem::Known(words) => words.to_owned(),
        Problem::Told => WORDS.take(),
    })
}

/// Deserialises types that are asked for their shape: they get ports that lead nowhere, empty buffers, and nothing foreign.
pub(crate) fn handing_out_anything<R>(run: impl FnOnce() -> R) -> R {
    let _scoped = Scoped::enter(Beside::Anything);
    run()
}

fn note<T>(result: Result<T, &'static str>) -> Result<T, &'static str> {
    result.inspect_err(|problem| has_failed(Problem::Known(problem)))
}

fn has_failed(problem: Problem) {
    SCOPE.set(SCOPE.get().with(Scope::FAILED));
    PROBLEM.set(Some(problem));
}

/// As [`note`], of words that are not known beforehand.
fn note_words<T>(result: Result<T, String>) -> Result<T, &'static str> {
    result.map_err(|words| {
        WORDS.set(words);
        has_failed(Problem::Told);
        "what is not bytes was refused"
    })
}

/// The cargo of the value that is being encoded.
fn with_cargo<R>(add: impl FnOnce(&mut Cargo) -> Result<R, &'static str>) -> Result<R, &'static str> {
    SCOPE.set(SCOPE.get().with(Scope::LADEN));
    LOAD.with_borrow_mut(|load| match load.get_or_insert_with(|| Load::Out(Cargo::default())) {
        Load::Out(cargo) => add(cargo),
        Load::In(_) => Err(PORT_ON_ITS_OWN),
    })
}

/// What came with the value that is being decoded, and was not taken.
fn with_arrivals<R>(take: impl FnOnce(&mut Arrivals) -> Result<R, &'static str>) -> Result<R, &'static str> {
    if !SCOPE.get().is_laden() {
        return take(&mut Arrivals::default());
    }
    LOAD.with_borrow_mut(|load| match load {
        Some(Load::In(arrivals)) => take(arrivals),
        Some(Load::Out(_)) | None => take(&mut Arrivals::default()),
    })
}

/// Reads the index that stands for what is beside the value.
#[derive(Debug)]
pub(super) struct IndexVisitor(pub(super) &'static str);

impl<'de> Visitor<'de> for IndexVisitor {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<u32, D::Error> {
        u32::deserialize(deserializer)
    }
}

const PORT_ON_ITS_OWN: &str = "a port can only be serialised into a message";
const FOREIGN_ON_ITS_OWN: &str = "what is not bytes can only be serialised into a message";
const BUFFER_ON_ITS_OWN: &str = "a buffer can only be serialised into a message";

/// Notes a port in the value that is being encoded. Anywhere else it cannot be serialised (PORT-25, C30).
pub(super) fn note_port(port: &MessagePort) -> Result<u32, &'static str> {
    note(match SCOPE.get().beside() {
        Beside::Out => with_cargo(|cargo| cargo.add_port(port)),
        Beside::Nothing | Beside::In | Beside::Anything => Err(PORT_ON_ITS_OWN),
    })
}

/// Takes a port for the value that is being decoded.
pub(super) fn take_port(index: u32) -> Result<MessagePort, &'static str> {
    let (twice, missing) = ("the value takes one port twice", "the value speaks of a port that is not in the message");
    note(match SCOPE.get().beside() {
        Beside::In => with_arrivals(|arrivals| take(&mut arrivals.ports, index, twice, missing)),
        Beside::Anything => Ok(MessageChannel::new().into_ports().0),
        Beside::Nothing | Beside::Out => Err(PORT_ON_ITS_OWN),
    })
}

/// Notes a buffer in the value that is being encoded.
pub(super) fn note_buffer(buffer: BufferRef) -> Result<u32, &'static str> {
    note(match SCOPE.get().beside() {
        Beside::Out => with_cargo(|cargo| cargo.add_buffer(buffer)),
        Beside::Nothing | Beside::In | Beside::Anything => Err(BUFFER_ON_ITS_OWN),
    })
}

/// Takes a buffer for the value that is being decoded.
pub(super) fn take_buffer(index: u32) -> Result<Vec<u8>, &'static str> {
    let (twice, missing) =
        ("the value takes one buffer twice", "the value speaks of a buffer that is not in the message");
    note(match SCOPE.get().beside() {
        Beside::In => with_arrivals(|arrivals| take(&mut arrivals.buffers, index, twice, missing)),
        Beside::Anything => Ok(Vec::new()),
        Beside::Nothing | Beside::Out => Err(BUFFER_ON_ITS_OWN),
    })
}

/// Notes something foreign in the value that is being encoded, once it is clear that it may be there.
pub(super) fn note_foreign(make: impl FnOnce() -> Result<Foreign, String>) -> Result<u32, &'static str> {
    note(match SCOPE.get().beside() {
        Beside::Out => with_cargo(|cargo| cargo.admits_foreign()),
        Beside::Nothing | Beside::In | Beside::Anything => Err(FOREIGN_ON_ITS_OWN),
    })?;
    let foreign = note_words(make())?;
    note(with_cargo(|cargo| cargo.add_foreign(foreign)))
}

/// Takes something foreign for the value that is being decoded, and makes of it what the value wants. `None` stands for it where a
/// type is asked for its shape.
pub(super) fn take_foreign<T>(
    index: u32,
    make: impl FnOnce(Option<Foreign>) -> Result<T, String>,
) -> Result<T, &'static str> {
    let (twice, missing) =
        ("the value takes one thing twice", "the value speaks of a thing that is not in the message");
    let foreign = note(match SCOPE.get().beside() {
        Beside::In => with_arrivals(|arrivals| take(&mut arrivals.foreign, index, twice, missing)).map(Some),
        Beside::Anything => Ok(None),
        Beside::Nothing | Beside::Out => Err(FOREIGN_ON_ITS_OWN),
    })?;
    note_words(make(foreign))
}

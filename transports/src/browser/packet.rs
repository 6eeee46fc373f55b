//! What goes through a browser's port in one `postMessage`, byte by byte: everything that was posted to the port within a turn.
//!
//! `WIRE.md` describes it in full. Ports, buffers and values of JavaScript's do not lie in the bytes: they are beside them, in the order
//! in which the packet comes to them. A port may have been read from before it was handed on; what was read travels in front of what is still
//! in it, as a section of the packet.
//!
//! Nothing here knows of a browser, so it is tested without one.

use std::{collections::VecDeque, error::Error, fmt};

/// The version of the packets: the first byte of each.
pub const VERSION: u8 = 1;

/// How long a packet is at most that goes as a string, and is no longer than what is in it, in bytes.
pub(super) const SHORT: usize = 128;

/// As [`SHORT`], for those that are too long to be made longer.
pub(super) const LONG: usize = 1 << 16;

/// As much is written before the data of a plain message, and in front of all, if there is not very much of it, in bytes.
const HEAD: usize = 4;

/// How long a number is at most, in bytes.
const LONGEST_NUMBER: usize = 10;

const MESSAGE: u8 = 1;
const MESSAGE_WITH_CARGO: u8 = 2;
const HERE: u8 = 3;
const MOVING: u8 = 4;
const BYE: u8 = 5;
const PANICKED: u8 = 6;
const PING: u8 = 7;
const PONG: u8 = 8;

/// Names a context among all that there are: a page, a frame, or a worker, from its start to its end. Chosen at random.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContextId(pub [u8; 16]);

impl ContextId {
    /// Reads what it is displayed as.
    pub fn read(text: &str) -> Option<Self> {
        let number = u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32)?;
        Some(Self(number.to_be_bytes()))
    }
}

impl fmt::Display for ContextId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContextId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContextId({self})")
    }
}

/// One `postMessage`: what goes to the port that it is posted to, and what goes to the ports that it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet<'b> {
    /// For the port that the packet comes by.
    pub entries: Vec<Entry<'b>>,
    /// For each port that the packet carries, in the order of the transfer list: the messages that were read from it before it
    /// was handed on.
    pub carried: Vec<Vec<Entry<'b>>>,
}

/// One thing in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entry<'b> {
    /// A message, with the next so many ports, buffers and values of what came beside the bytes.
    Message {
        /// Its bytes.
        data: &'b [u8],
        /// How many ports are in it.
        ports: usize,
        /// How many buffers are in it.
        buffers: usize,
        /// How many values of JavaScript's are in it.
        values: usize,
    },
    /// Who holds the sender's end from now on.
    Here {
        /// The context.
        context: ContextId,
        /// Whether it holds the Web Lock of its name, which lives as long as it does.
        has_lock: bool,
    },
    /// The sender's end leaves its context.
    Moving {
        /// For this one, if that is known.
        to: Option<ContextId>,
    },
    /// The sender's end was closed.
    Bye,
    /// The context of the sender's end panicked, and with what message.
    Panicked(&'b str),
    /// Asks for a [`Pong`](Self::Pong).
    Ping,
    /// The context of the sender's end is alive.
    Pong,
}

impl<'b> Packet<'b> {
    /// Reads a packet.
    ///
    /// # Errors
    /// [`PacketError`] if the bytes are none.
    pub fn parse(bytes: &'b [u8]) -> Result<Self, PacketError> {
        let mut reader = Reader { rest: bytes };
        match reader.byte()? {
            VERSION => {}
            version => return Err(PacketError::Version(version)),
        }
        // Those of the sections that are yet to come.
        let mut counts = VecDeque::new();
        let count = reader.number()?;
        let entries = reader.section(count, &mut counts)?;
        let mut carried = Vec::new();
        while let Some(count) = counts.pop_front() {
            let section = reader.section(count, &mut counts)?;
            if !section.iter().all(|entry| matches!(entry, Entry::Message { .. })) {
                return Err(PacketError::Malformed);
            }
            carried.push(section);
        }
        let is_all = reader.rest.iter().all(|byte| *byte == 0);
        if is_all { Ok(Self { entries, carried }) } else { Err(PacketError::Malformed) }
    }

    /// Writes the packet.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut earlier = self.carried.iter().map(Vec::len);
        let mut writer = Writer::new(self.entries.len(), 0);
        for entry in self.entries.iter().chain(self.carried.iter().flatten()) {
            let ports = if let Entry::Message { ports, .. } = entry { *ports } else { 0 };
            let earlier: Vec<_> = earlier.by_ref().take(ports).collect();
            writer.entry(entry, &earlier);
        }
        writer.finish()
    }

    /// How many buffers are in all its messages.
    pub fn buffers(&self) -> usize {
        self.sum(|entry| if let Entry::Message { buffers, .. } = entry { *buffers } else { 0 })
    }

    /// How many values of JavaScript's are in all its messages.
    pub fn values(&self) -> usize {
        self.sum(|entry| if let Entry::Message { values, .. } = entry { *values } else { 0 })
    }

    fn sum(&self, count: impl Fn(&Entry<'_>) -> usize) -> usize {
        let entries = self.entries.iter().chain(self.carried.iter().flatten());
        entries.map(count).fold(0, usize::saturating_add)
    }
}

/// Why bytes are no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PacketError {
    /// They are of another version.
    Version(u8),
    /// There is no such kind of entry.
    Kind(u8),
    /// They end too early or too late, or say what cannot be.
    Malformed,
    /// There is no memory for all that is in them.
    TooMuch,
}

impl fmt::Display for PacketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(f, "packets of version {version} are not known here"),
            Self::Kind(kind) => write!(f, "there is no entry of kind {kind}"),
            Self::Malformed => f.write_str("the bytes are no packet"),
            Self::TooMuch => f.write_str("there is no memory for all that is in the packet"),
        }
    }
}

impl Error for PacketError {}

/// What is left to read.
struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    /// Reads so many entries, and adds the counts of the ports in them.
    fn section(&mut self, count: usize, counts: &mut VecDeque<usize>) -> Result<Vec<Entry<'b>>, PacketError> {
        let mut entries = Vec::new();
        for _ in 0..count {
            let entry = self.entry(counts)?;
            entries.try_reserve(1).map_err(|_| PacketError::TooMuch)?;
            entries.push(entry);
        }
        Ok(entries)
    }

    fn entry(&mut self, counts: &mut VecDeque<usize>) -> Result<Entry<'b>, PacketError> {
        Ok(match self.byte()? {
            MESSAGE => Entry::Message { data: self.run()?, ports: 0, buffers: 0, values: 0 },
            MESSAGE_WITH_CARGO => {
                let ports = self.number()?;
                for _ in 0..ports {
                    let count = self.number()?;
                    counts.try_reserve(1).map_err(|_| PacketError::TooMuch)?;
                    counts.push_back(count);
                }
                let (buffers, values) = (self.number()?, self.number()?);
                Entry::Message { data: self.run()?, ports, buffers, values }
            }
            HERE => Entry::Here { context: self.context()?, has_lock: self.flag()? },
            MOVING => Entry::Moving { to: if self.flag()? { Some(self.context()?) } else { None } },
            BYE => Entry::Bye,
            PANICKED => Entry::Panicked(std::str::from_utf8(self.run()?).map_err(|_| PacketError::Malformed)?),
            PING => Entry::Ping,
            PONG => Entry::Pong,
            kind => return Err(PacketError::Kind(kind)),
        })
    }

    fn byte(&mut self) -> Result<u8, PacketError> {
        let (byte, rest) = self.rest.split_first().ok_or(PacketError::Malformed)?;
        self.rest = rest;
        Ok(*byte)
    }

    fn flag(&mut self) -> Result<bool, PacketError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(PacketError::Malformed),
        }
    }

    fn context(&mut self) -> Result<ContextId, PacketError> {
        let (context, rest) = self.rest.split_first_chunk().ok_or(PacketError::Malformed)?;
        self.rest = rest;
        Ok(ContextId(*context))
    }

    fn number(&mut self) -> Result<usize, PacketError> {
        let (number, rest) = postcard::take_from_bytes::<u64>(self.rest).map_err(|_| PacketError::Malformed)?;
        self.rest = rest;
        usize::try_from(number).map_err(|_| PacketError::Malformed)
    }

    /// Bytes, with their number in front.
    fn run(&mut self) -> Result<&'b [u8], PacketError> {
        let length = self.number()?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(PacketError::Malformed)?;
        self.rest = rest;
        Ok(bytes)
    }
}

/// How long a packet becomes that has so many bytes: many lengths become one of few, so that what such a packet is posted from can be used again.
fn room_for(length: usize) -> usize {
    if length <= SHORT || length > LONG { length } else { length.next_multiple_of(length.next_power_of_two() / 8) }
}

/// Writes a packet bit by bit.
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Of so many entries, with so many bytes of data in all.
    pub(super) fn new(entries: usize, data: usize) -> Self {
        let most = data.saturating_add(entries.saturating_mul(HEAD)).saturating_add(HEAD);
        let mut writer = Self { bytes: Vec::with_capacity(room_for(most)) };
        writer.bytes.push(VERSION);
        writer.number(entries);
        writer
    }

    /// The packet.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.resize(room_for(self.bytes.len()), 0);
        self.bytes
    }

    /// Writes an entry; a message with as many ports as there are numbers of messages that were read from them earlier.
    pub(super) fn entry(&mut self, entry: &Entry<'_>, earlier: &[usize]) {
        match entry {
            Entry::Message { data, buffers: 0, values: 0, .. } if earlier.is_empty() => {
                self.bytes.push(MESSAGE);
                self.run(data);
            }
            Entry::Message { data, buffers, values, .. } => {
                self.bytes.push(MESSAGE_WITH_CARGO);
                self.number(earlier.len());
                earlier.iter().for_each(|earlier| self.number(*earlier));
                self.number(*buffers);
                self.number(*values);
                self.run(data);
            }
            Entry::Here { context, has_lock } => {
                self.bytes.push(HERE);
                self.bytes.extend_from_slice(&context.0);
                self.bytes.push((*has_lock).into());
            }
            Entry::Moving { to } => {
                self.bytes.extend([MOVING, to.is_some().into()]);
                self.bytes.extend(to.iter().flat_map(|context| context.0));
            }
            Entry::Bye => self.bytes.push(BYE),
            Entry::Panicked(said) => {
                self.bytes.push(PANICKED);
                self.run(said.as_bytes());
            }
            Entry::Ping => self.bytes.push(PING),
            Entry::Pong => self.bytes.push(PONG),
        }
    }

    /// As postcard writes one.
    fn number(&mut self, number: usize) {
        let mut room = [0; LONGEST_NUMBER];
        let written = postcard::to_slice(&(number as u64), &mut room).expect("no number is longer");
        self.bytes.extend_from_slice(written);
    }

    fn run(&mut self, bytes: &[u8]) {
        self.number(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(data: &[u8]) -> Entry<'_> {
        Entry::Message { data, ports: 0, buffers: 0, values: 0 }
    }

    fn packet() -> Packet<'static> {
        Packet {
            entries: vec![
                Entry::Here { context: ContextId(*b"sixteen letters."), has_lock: true },
                plain(b"one"),
                Entry::Message { data: b"two", ports: 2, buffers: 1, values: 2 },
                Entry::Panicked("ow"),
                Entry::Ping,
                Entry::Pong,
                Entry::Moving { to: None },
                Entry::Moving { to: Some(ContextId([7; 16])) },
                Entry::Bye,
            ],
            carried: vec![
                vec![plain(b"a")],
                vec![Entry::Message { data: b"b", ports: 1, buffers: 0, values: 0 }],
                vec![plain(b"c"); 2],
            ],
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let packet = packet();

        assert_eq!(Packet::parse(&packet.to_bytes()), Ok(packet));
    }

    #[test]
    fn the_name_of_a_context_is_read_as_it_is_displayed() {
        let context = ContextId(*b"sixteen letters.");

        assert_eq!(ContextId::read(&context.to_string()), Some(context));
        for none in ["", "12", &"g".repeat(32), &"1".repeat(33), &"ä".repeat(16)] {
            assert_eq!(ContextId::read(none), None, "{none}");
        }
    }

    #[test]
    fn a_packet_that_is_cut_short_or_goes_on_is_none() {
        let mut bytes = packet().to_bytes();
        for end in 0..bytes.len() {
            assert_eq!(Packet::parse(&bytes[..end]), Err(PacketError::Malformed), "up to {end}");
        }
        bytes.push(1);
        assert_eq!(Packet::parse(&bytes), Err(PacketError::Malformed));
    }

    #[test]
    fn zeros_at_the_end_of_a_packet_mean_nothing() {
        let mut bytes = packet().to_bytes();
        bytes.extend([0; 3]);

        assert_eq!(Packet::parse(&bytes), Ok(packet()));
    }

    #[test]
    fn long_packets_have_few_lengths_and_are_at_most_a_quarter_longer_than_what_is_in_them() {
        let mut lengths = Vec::new();
        for length in 0..2 * LONG {
            let room = room_for(length);
            assert!((length..=length + length / 4).contains(&room), "{length}: {room}");
            if length > SHORT && length <= LONG && !lengths.contains(&room) {
                lengths.push(room);
            }
        }

        assert_eq!(lengths.len(), 36);
        assert_eq!(room_for(SHORT), SHORT);
        assert_eq!(room_for(LONG + 1), LONG + 1);
        let data = vec![7; 1000];
        let packet = Packet { entries: vec![plain(&data)], carried: Vec::new() };
        assert_eq!(packet.to_bytes().len(), 1024);
        assert_eq!(Packet::parse(&packet.to_bytes()), Ok(packet));
    }

    #[test]
    fn every_byte_may_be_anything() {
        let bytes = packet().to_bytes();
        for at in 0..bytes.len() {
            for byte in 0..=u8::MAX {
                let mut bytes = bytes.clone();
                bytes[at] = byte;
                if let Ok(packet) = Packet::parse(&bytes) {
                    assert!(packet.carried.len() <= bytes.len());
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_said_is_an_error() {
        assert_eq!(Packet::parse(&[2, 0]), Err(PacketError::Version(2)));
        assert_eq!(Packet::parse(&[1, 1, 9]), Err(PacketError::Kind(9)));
        let huge = [255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
        for head in [&[1][..], &[1, 1, MESSAGE], &[1, 1, MESSAGE_WITH_CARGO], &[1, 1, MESSAGE_WITH_CARGO, 1]] {
            assert_eq!(Packet::parse(&[head, &huge].concat()), Err(PacketError::Malformed));
        }
        assert_eq!(Packet::parse(&[1, 1, PANICKED, 1, 0xff]), Err(PacketError::Malformed));
        assert_eq!(Packet::parse(&[&[1, 1, HERE][..], &[0; 16], &[2]].concat()), Err(PacketError::Malformed));
        let bye_was_read_earlier = [1, 1, MESSAGE_WITH_CARGO, 1, 1, 0, 0, 0, BYE];
        assert_eq!(Packet::parse(&bye_was_read_earlier), Err(PacketError::Malformed));
    }
}

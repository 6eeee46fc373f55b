//! Making a packet of messages: their ports become the browser's on the way.

use std::collections::VecDeque;

use handover_core::{
    Message, MessagePort,
    message::{Foreign, Parts},
};

use super::packet::{Entry, Writer};

/// What is to be sent.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// A message of the port's.
    Message(Message),
    /// What the two ends tell each other.
    Entry(Entry<'static>),
    /// [`Entry::Panicked`].
    Panicked(String),
}

/// A packet, and what travels beside its bytes.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) buffers: Vec<Vec<u8>>,
    pub(crate) values: Vec<Foreign>,
}

/// Writes a packet. Each port in it is handed to `ship`, in the order of the transfer list, which tells what was read from
/// it before.
pub(crate) fn pack(outgoing: Vec<Outgoing>, mut ship: impl FnMut(MessagePort) -> Vec<Message>) -> Packed {
    let data =
        outgoing.iter().map(|next| if let Outgoing::Message(message) = next { message.data().len() } else { 0 }).sum();
    let mut writer = Writer::new(outgoing.len(), data);
    let (mut buffers, mut values) = (Vec::new(), Vec::new());
    // Those of a port come after all that were met before that port: no nesting is too deep.
    let mut left = VecDeque::from(outgoing);
    while let Some(next) = left.pop_front() {
        match next {
            Outgoing::Message(message) => {
                let Parts { data, ports, buffers: moved, foreign, .. } = message.into_parts();
                let mut earlier = Vec::with_capacity(ports.len());
                for port in ports {
                    let read = ship(port);
                    earlier.push(read.len());
                    left.extend(read.into_iter().map(Outgoing::Message));
                }
                let (data, ports) = (&data[..], earlier.len());
                let entry = Entry::Message { data, ports, buffers: moved.len(), values: foreign.len() };
                writer.entry(&entry, &earlier);
                buffers.extend(moved);
                values.extend(foreign);
            }
            Outgoing::Entry(entry) => writer.entry(&entry, &[]),
            Outgoing::Panicked(said) => writer.entry(&Entry::Panicked(&said), &[]),
        }
    }
    Packed { bytes: writer.finish(), buffers, values }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use handover_core::MessageChannel;

    use super::{super::packet::Packet, *};

    #[test]
    fn what_the_two_ends_tell_each_other_keeps_its_place_among_the_messages() {
        let outgoing = vec![
            Outgoing::Entry(Entry::Ping),
            Outgoing::Message(Message::new("one")),
            Outgoing::Panicked("ow".to_owned()),
        ];

        let packed = pack(outgoing, |_| unreachable!("there are no ports"));

        let message = Entry::Message { data: b"one", ports: 0, buffers: 0, values: 0 };
        let expected = Packet { entries: vec![Entry::Ping, message, Entry::Panicked("ow")], carried: Vec::new() };
        assert_eq!(Packet::parse(&packed.bytes), Ok(expected));
    }

    #[test]
    fn what_was_read_from_a_port_earlier_goes_along_however_deep_ports_nest_in_it() {
        const DEPTH: usize = 100_000;
        let (port, _) = MessageChannel::new().into_ports();
        let mut left = DEPTH;

        let packed = pack(vec![Outgoing::Message(Message::new("outermost").with_port(port))], |_| {
            left -= 1;
            if left == 0 {
                return Vec::new();
            }
            let (port, _) = MessageChannel::new().into_ports();
            let thing = Foreign::new(Arc::new(left));
            vec![Message::new([1]).with_port(port).with_buffer(vec![7]).with_foreign(thing)]
        });

        let packet = Packet::parse(&packed.bytes).unwrap();
        assert_eq!(packet.entries, [Entry::Message { data: b"outermost", ports: 1, buffers: 0, values: 0 }]);
        assert_eq!(packet.carried.len(), DEPTH);
        assert_eq!(packet.buffers(), packed.buffers.len());
        assert_eq!(packet.values(), packed.values.len());
    }
}

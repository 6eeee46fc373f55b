//! How the two sides name a channel.

/// Names a port that travelled over a connection, and the two ends of it there.
///
/// The first port is 0. Each side numbers the ports that it sends, from 1, in the order in which it sends them, and never uses a
/// number again. On the wire, and here, the number of a port that was sent by whoever names it is doubled, and that of one that was
/// sent by the other is doubled and has one more. So both can send ports at the same time, and nobody has to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelId(pub u64);

impl ChannelId {
    /// The port that each side gets when it connects.
    pub const FIRST: Self = Self(0);

    /// The port with this number among those that were sent by whoever names it.
    pub(super) fn ours(number: u64) -> Self {
        Self(number << 1)
    }

    /// The port with this number among those that were sent by the other.
    pub(super) fn theirs(number: u64) -> Self {
        Self(number << 1 | 1)
    }

    /// Whether whoever names it has sent it.
    pub(super) fn is_ours(self) -> bool {
        self != Self::FIRST && self.0 & 1 == 0
    }

    /// Whether the other has sent it.
    pub(super) fn is_theirs(self) -> bool {
        self.0 & 1 == 1
    }

    /// The same channel, as the other side names it.
    #[inline]
    pub(super) fn mirrored(self) -> Self {
        match self.0 {
            // 1 would be a first port of the other's own; there is none, and it stays a name of nothing.
            0 | 1 => self,
            number => Self(number ^ 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_sides_mean_the_same_channel_by_their_names() {
        assert_eq!(ChannelId::FIRST.mirrored(), ChannelId::FIRST);
        assert_eq!(ChannelId::ours(7).mirrored(), ChannelId::theirs(7));
        assert_eq!(ChannelId::theirs(7).mirrored(), ChannelId::ours(7));
    }

    #[test]
    fn a_name_of_nothing_never_becomes_the_name_of_something() {
        assert_eq!(ChannelId(1).mirrored(), ChannelId(1));
    }
}

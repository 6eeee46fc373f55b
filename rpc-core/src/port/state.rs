//! Where a side of a channel is in its life, as a pure state machine.

/// Whether what waits at a port that closes itself is still delivered, as the text says (DEC-03, PORT-43). Browsers differ, and
/// the text may change: this is the one place to follow.
const DELIVERS_AFTER_OWN_CLOSE: bool = true;

/// Where one side of a channel is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PortState {
    /// Messages queue up; none is delivered before [`start`](Self::start) (PORT-37).
    #[default]
    Disabled,
    /// Messages are delivered in the order they were posted (PORT-55).
    Enabled,
    /// Inside a message, on the way to a new owner; the queue keeps filling (PORT-52).
    InFlight,
    /// Takes nothing more (PORT-45); what already waits is still delivered (PORT-43).
    Closed {
        /// Whether the queue was, or has been, enabled.
        enabled: bool,
    },
}

impl PortState {
    /// [Enables](https://html.spec.whatwg.org/multipage/web-messaging.html#dom-messageport-start) the queue; never fails
    /// (PORT-35, PORT-38). Nothing disables it again but a transfer (PORT-03).
    pub(crate) fn start(&mut self) {
        match self {
            Self::Disabled => *self = Self::Enabled,
            Self::Closed { enabled } => *enabled = true,
            Self::Enabled | Self::InFlight => {}
        }
    }

    /// [Detaches](https://html.spec.whatwg.org/multipage/web-messaging.html#dom-messageport-close) the side (PORT-40);
    /// false if it was closed already (PORT-41).
    pub(crate) fn close(&mut self) -> bool {
        let enabled = match self {
            Self::Closed { .. } => return false,
            Self::Enabled => true,
            Self::Disabled | Self::InFlight => false,
        };
        *self = Self::Closed { enabled };
        true
    }

    /// [Transfer steps](https://html.spec.whatwg.org/multipage/web-messaging.html#message-ports:transfer-steps): from here
    /// on nothing is delivered (PORT-53); false for a closed side, which cannot travel (PORT-44).
    pub(crate) fn transfer_steps(&mut self) -> bool {
        match self {
            Self::Closed { .. } => false,
            Self::Disabled | Self::Enabled | Self::InFlight => {
                *self = Self::InFlight;
                true
            }
        }
    }

    /// [Transfer-receiving steps](https://html.spec.whatwg.org/multipage/web-messaging.html#message-ports:transfer-receiving-steps):
    /// the queue arrives disabled, whatever it was before (PORT-54).
    pub(crate) fn transfer_receiving_steps(&mut self) {
        match self {
            Self::InFlight => *self = Self::Disabled,
            Self::Disabled | Self::Enabled | Self::Closed { .. } => {}
        }
    }

    /// Whether messages may be queued.
    pub(crate) fn takes_messages(self) -> bool {
        !self.is_closed()
    }

    /// Whether what is queued may be delivered.
    pub(crate) fn delivers(self) -> bool {
        match self {
            Self::Enabled => true,
            Self::Closed { enabled } => enabled && DELIVERS_AFTER_OWN_CLOSE,
            Self::Disabled | Self::InFlight => false,
        }
    }

    /// Whether nothing will be delivered any more, whatever waits and whoever starts it.
    pub(crate) fn is_silent(self) -> bool {
        self.is_closed() && !DELIVERS_AFTER_OWN_CLOSE
    }

    /// Whether this side was closed.
    pub(crate) fn is_closed(self) -> bool {
        matches!(self, Self::Closed { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [PortState; 5] = [
        PortState::Disabled,
        PortState::Enabled,
        PortState::InFlight,
        PortState::Closed { enabled: false },
        PortState::Closed { enabled: true },
    ];

    /// PORT-01
    #[test]
    fn a_new_side_is_not_enabled_and_not_detached() {
        let state = PortState::default();

        assert!(!state.delivers());
        assert!(!state.is_closed());
    }

    /// PORT-35
    #[test]
    fn starting_twice_is_starting_once() {
        for mut state in ALL {
            state.start();
            let once = state;

            state.start();

            assert_eq!(state, once);
        }
    }

    /// PORT-03
    #[test]
    fn closing_does_not_disable_an_enabled_queue() {
        let mut state = PortState::Enabled;

        state.close();

        assert!(state.delivers());
    }

    /// PORT-54
    #[test]
    fn a_side_arrives_disabled_whatever_it_was_before() {
        for mut state in [PortState::Disabled, PortState::Enabled] {
            assert!(state.transfer_steps());
            assert!(!state.delivers(), "delivered in flight");

            state.transfer_receiving_steps();

            assert_eq!(state, PortState::Disabled);
        }
    }

    /// PORT-44
    #[test]
    fn a_closed_side_does_not_travel_and_stays_closed() {
        let mut state = PortState::Closed { enabled: true };

        assert!(!state.transfer_steps());

        assert_eq!(state, PortState::Closed { enabled: true });
    }
}

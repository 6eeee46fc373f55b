//! A port, as the rules see it.

use std::{cell::RefCell, future::Future, rc::Rc};

/// A port in a context that runs one task after the other. Clones are the same port.
pub(crate) trait Port: Clone + 'static {
    /// The two ends of a new channel.
    fn channel() -> (Self, Self);

    /// Posts a text, with these ports on the list.
    fn post_with(&self, text: &str, ports: &[&Self]) -> Result<(), DataCloneError>;

    fn start(&self);

    fn close(&self);

    fn set_onmessage(&self, handler: impl FnMut(&Event<Self>) + 'static);

    fn clear_onmessage(&self);

    fn set_onmessageerror(&self, handler: impl FnMut() + 'static);

    fn set_onclose(&self, handler: impl FnMut() + 'static);

    fn add_listener(&self, listener: impl FnMut(&Event<Self>) + 'static);

    /// Runs a future in this context, in between its tasks.
    fn spawn(future: impl Future<Output = ()> + 'static);

    /// Lets the context run for a while: all that was posted has arrived then, unless something is very slow.
    async fn settle();

    /// Whether ports of this kind are known for this. Then a test expects just that, so that a change is noticed; or no more than
    /// what holds in any case, where what they do may differ from time to time.
    fn is_known_for(departure: Departure) -> bool;

    /// Posts a text.
    fn post(&self, text: &str) {
        self.post_with(text, &[]).expect("a text can be posted");
    }

    /// Posts a text for each of these.
    fn post_all(&self, texts: &[&str]) {
        texts.iter().for_each(|text| self.post(text));
    }

    /// Assigns a handler that writes every text into a log.
    fn listen(&self) -> Log {
        let log = Log::default();
        self.log_to(&log, "");
        log
    }

    /// Assigns a handler that writes every text into this log, with a name before it.
    fn log_to(&self, log: &Log, name: &'static str) {
        let log = log.clone();
        self.set_onmessage(move |event| log.push(format!("{name}{}", event.text)));
    }

    /// Posts this port through a channel of its own, and returns what arrives; not started, and nobody listens.
    async fn transferred(&self) -> Self {
        let (near, far) = Self::channel();
        near.post_with("", &[self]).expect("the port can be transferred");
        far.first_port().await
    }

    /// The first port of the first message. The handler that waits for it is left behind.
    async fn first_port(&self) -> Self {
        let arrived = Rc::new(RefCell::new(None));
        let place = arrived.clone();
        self.set_onmessage(move |event| {
            place.borrow_mut().get_or_insert_with(|| event.ports.first().expect("a port came along").clone());
        });
        for _ in 0..MOST_WAITS {
            Self::settle().await;
            if let Some(port) = arrived.take() {
                return port;
            }
        }
        panic!("no message arrived");
    }
}

/// A port, or something else, cannot be posted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DataCloneError;

/// A message that has arrived.
#[derive(Debug)]
pub(crate) struct Event<P> {
    pub(crate) text: String,
    pub(crate) ports: Vec<P>,
    pub(crate) origin: String,
    pub(crate) last_event_id: String,
    pub(crate) has_source: bool,
}

/// What some kinds of ports do otherwise than the rules say. `SPEC.md` has it in the notes of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Departure {
    /// LOOP-05: each port has an order of its own, and there is none between two.
    OneOrderPerPort,
    /// PORT-24: a list that holds the destination is refused.
    DestinationIsRefused,
    /// PORT-36: assigning a handler for messages that cannot be read starts the port.
    ErrorHandlerStarts,
    /// PORT-36: assigning no handler does not start the port.
    NoHandlerStartsNothing,
    /// PORT-42: what waits at a port whose peer has closed is lost when the port travels.
    WaitingIsLostOnTheWay,
    /// PORT-43: a port that closes itself drops what waits there.
    OwnCloseDrops,
    /// PORT-44: a closed port can be transferred.
    ClosedPortTravels,
    /// PORT-53: the page crashes if a handler, or what it wakes, transfers the handler's port while more messages wait.
    TransferInAHandlerCrashes,
    /// DEC-05: a list that is refused has cost what stands before the bad object, as SER-05 reads.
    RefusalCostsTheFirst,
    /// CLOSE-01: nobody is told of a close.
    CloseIsUntold,
}

/// How often to wait for the next of the messages that must come, before it counts as lost.
const MOST_WAITS: usize = 20;

/// What was heard, in order. Clones are the same log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    pub(crate) fn push(&self, text: impl Into<String>) {
        self.0.borrow_mut().push(text.into());
    }

    /// Asserts that exactly this was heard, after waiting for it, and for more.
    pub(crate) async fn assert<P: Port>(&self, expected: &[&str]) {
        self.wait_for::<P>(expected.len()).await;
        P::settle().await;
        assert_eq!(self.heard(), expected);
    }

    /// Asserts that of what was heard this has the same first letter as the first of these, after waiting for so many in all.
    pub(crate) async fn assert_some<P: Port>(&self, number: usize, expected: &[&str]) {
        self.wait_for::<P>(number).await;
        let has_letter = |text: &String| text.chars().next() == expected[0].chars().next();
        let heard: Vec<_> = self.heard().into_iter().filter(has_letter).collect();
        assert_eq!(heard, expected);
    }

    /// Waits for so many texts, as long as more come.
    async fn wait_for<P: Port>(&self, number: usize) {
        let (mut before, mut waits) = (0, 0);
        while before < number && waits < MOST_WAITS {
            P::settle().await;
            let heard = self.heard().len();
            waits = if heard > before { 0 } else { waits + 1 };
            before = heard;
        }
    }

    /// A copy: an assertion that fails must not keep from hearing on.
    fn heard(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

//! Values that others carry and cannot look into. The forgers write their frames by hand.

mod common;

use std::{collections::HashMap, sync::Mutex, task::Poll, time::Duration};

use common::{over_every_way, settle, turn};
use futures::{FutureExt, future::join, poll};
use handover::{
    Message, Sealed, Sealer,
    clock::{self, ManualClock},
    context,
    prelude::*,
    testing::{LeakCheck, LinkOptions, connect_over},
    wire::{CallId, Fault, Frame, MethodId},
};
use serde::{Deserialize, Serialize};

/// What a mint knows of a purse. It travels nowhere, so it is no serde value.
#[derive(Debug)]
struct Purse {
    money: Mutex<u32>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Bounced {
    NotOurs,
    NotEnough,
}

/// A mint as in the literature: whoever holds two purses may move money between them, and only the mint knows what is in them.
#[service]
trait Mint {
    async fn purse(&self, money: u32) -> Sealed<Purse>;
    /// Gives back both.
    async fn transfer(
        &self,
        from: Sealed<Purse>,
        to: Sealed<Purse>,
        money: u32,
    ) -> Result<(Sealed<Purse>, Sealed<Purse>), Bounced>;
    async fn balance(&self, purse: Sealed<Purse>) -> Option<u32>;
}

struct Bank(Sealer<Purse>);

impl Mint for Bank {
    async fn purse(&self, money: u32) -> Sealed<Purse> {
        self.0.seal(Purse { money: money.into() })
    }

    async fn transfer(
        &self,
        from: Sealed<Purse>,
        to: Sealed<Purse>,
        money: u32,
    ) -> Result<(Sealed<Purse>, Sealed<Purse>), Bounced> {
        let (source, target) = join(self.0.open_remote(&from), self.0.open_remote(&to)).await;
        let (Some(source), Some(target)) = (source, target) else { return Err(Bounced::NotOurs) };
        let left = source.money.lock().unwrap().checked_sub(money).ok_or(Bounced::NotEnough)?;
        *source.money.lock().unwrap() = left;
        *target.money.lock().unwrap() += money;
        Ok((from, to))
    }

    async fn balance(&self, purse: Sealed<Purse>) -> Option<u32> {
        self.0.open_remote(&purse).await.map(|purse| *purse.money.lock().unwrap())
    }
}

/// Somebody who only carries.
#[service]
trait Carrier {
    async fn carry(&self, baggage: HashMap<String, Sealed<Purse>>) -> HashMap<String, Sealed<Purse>>;
}

struct Porter;

impl Carrier for Porter {
    async fn carry(&self, baggage: HashMap<String, Sealed<Purse>>) -> HashMap<String, Sealed<Purse>> {
        for purse in baggage.values() {
            assert_eq!(format!("{purse:?}"), "Sealed");
            assert!(Sealer::new().open(purse).is_none(), "another sealer opens nothing");
        }
        baggage
    }
}

/// C25
#[test]
fn what_was_sealed_is_opened_by_its_sealer_after_any_number_of_hands() {
    over_every_way(async |way| {
        let mint: MintClient = way.spawn(|port| MintServer::new(Bank(Sealer::new())).serve(port));
        let carrier: CarrierClient = way.spawn(|port| CarrierServer::new(Porter).serve(port));
        let (full, empty) = (mint.purse(10).await.unwrap(), mint.purse(0).await.unwrap());

        let baggage = HashMap::from([("full".to_owned(), full), ("empty".to_owned(), empty)]);
        let mut baggage = carrier.carry(baggage).await.unwrap();
        let (full, empty) = (baggage.remove("full").unwrap(), baggage.remove("empty").unwrap());
        let (full, empty) = mint.transfer(full, empty, 3).await.unwrap();

        assert_eq!(mint.balance(full).await, Ok(Some(7)));
        assert_eq!(mint.balance(empty).await, Ok(Some(3)));
    });
}

/// C25
#[test]
fn what_another_sealer_has_sealed_is_not_opened_and_nothing_happens() {
    over_every_way(async |way| {
        let open = |port| MintServer::new(Bank(Sealer::new())).serve(port);
        let (mint, forger): (MintClient, MintClient) = (way.spawn(open), way.spawn(open));
        let (forged, good) = (forger.purse(1000).await.unwrap(), mint.purse(5).await.unwrap());

        let bounced = mint.transfer(forged, good, 100).await.map(drop);

        assert_eq!(bounced, Err(RpcError::Service(Bounced::NotOurs)));
        let forged = forger.purse(1000).await.unwrap();
        assert_eq!(mint.balance(forged).await, Ok(None));
    });
}

/// C25
#[test]
fn both_the_sealer_and_what_was_sealed_are_needed() {
    context::block_on(async {
        let (one, other) = (Sealer::new(), Sealer::new());
        let (of_one, of_other) = (one.seal("one's"), other.seal("other's"));

        assert_eq!(one.open(&of_one).as_deref(), Some(&"one's"));
        assert_eq!(one.clone().open(&of_one).as_deref(), Some(&"one's"));
        assert_eq!(one.open(&of_other), None);
        assert_eq!(one.open_remote(&of_other).await, None, "the other sealer says that it is not asked for its own");
        drop(other);
        assert_eq!(one.open_remote(&of_other).await, None);
    });
}

#[derive(Serialize, Deserialize)]
struct Taken(Sealed<String>);

/// C25
#[test]
fn what_is_taken_for_a_sealed_value_of_another_type_is_not_opened() {
    context::block_on(async {
        let (numbers, texts) = (Sealer::<u32>::new(), Sealer::<String>::new());
        let number = numbers.seal(7);

        let (ours, theirs) = MessageChannel::new().into_ports();
        ours.post_value(number).unwrap();
        theirs.start();
        let Taken(text) = theirs.recv_value::<Taken>().await.unwrap().data;

        assert_eq!(texts.open(&text), None);
        assert_eq!(texts.open_remote(&text).await, None);
    });
}

/// What a forger gets who has made a port that he calls a sealed value: the question by which he is asked whose it is.
async fn question(forger: &MessagePort) -> (Vec<u8>, CallId, u64) {
    let message = forger.recv().await.unwrap();
    let bytes = message.data().to_vec();
    let Ok(Frame::Call { id, args, .. }) = Frame::parse(&bytes) else { panic!("{bytes:?}") };
    let number = postcard::from_bytes(args).unwrap();
    (bytes.clone(), id, number)
}

fn reply(id: CallId, key: Option<u64>) -> Vec<u8> {
    let result = postcard::to_allocvec(&Ok::<_, ()>(key)).unwrap();
    Frame::Reply { id, result: &result }.to_bytes()
}

/// The question of that number, as one who has never seen one makes it up.
fn guessed(number: u64) -> Vec<u8> {
    let args = postcard::to_allocvec(&number).unwrap();
    Frame::call(CallId(77), MethodId::of_name("handover.sealed"), &args).to_bytes()
}

async fn said_by(port: &MessagePort) -> Option<u64> {
    let message = port.recv().await.unwrap();
    let Ok(Frame::Reply { result, .. }) = Frame::parse(message.data()) else { panic!("{:?}", message.data()) };
    postcard::from_bytes::<Result<Option<u64>, ()>>(result).unwrap().unwrap()
}

/// C25
#[test]
fn a_port_of_the_forgers_own_is_not_opened_whatever_it_says() {
    context::block_on(async {
        let mint = Sealer::new();
        let genuine = mint.seal(5_u32);
        for key in [None, Some(0), Some(1), Some(1 << 32), Some(u64::MAX)] {
            let (forger, port) = MessageChannel::new().into_ports();
            forger.start();
            let forged: Sealed<u32> = sealed_of(port).await;

            assert_eq!(mint.open(&forged), None);
            let mut asked = Box::pin(mint.open_remote(&forged));
            assert!(poll!(&mut asked).is_pending());
            let (_, id, _) = question(&forger).await;
            // Zero is the key of the first value that was sealed, and easily guessed.
            forger.post_message(reply(id, key)).unwrap();

            assert_eq!(asked.await, None);
        }
        assert_eq!(mint.open(&genuine).as_deref(), Some(&5), "nothing else is touched");
    });
}

/// C25
#[test]
fn a_forger_who_says_nothing_that_can_be_read_or_goes_opens_nothing() {
    context::block_on(async {
        let mint = Sealer::<u32>::new();
        let words: [&[u8]; 4] = [b"", b"yours", &[1], &[1, 3]];
        for said in words {
            let (forger, port) = MessageChannel::new().into_ports();
            forger.start();
            let forged: Sealed<u32> = sealed_of(port).await;
            let mut asked = Box::pin(mint.open_remote(&forged));
            assert!(poll!(&mut asked).is_pending());

            forger.post_message(said).unwrap();
            assert!(poll!(&mut asked).is_pending());
            drop(forger);

            assert_eq!(asked.await, None);
        }
    });
}

/// C25
#[test]
fn a_question_that_is_altered_or_asked_again_opens_nothing() {
    context::block_on(async {
        let mint = Sealer::new();
        let (rich, poor) = (mint.seal(1000_u32), mint.seal(1_u32));
        let rich = port_of(rich).await;
        rich.start();
        let (forger, port) = MessageChannel::new().into_ports();
        forger.start();
        let forged: Sealed<u32> = sealed_of(port).await;
        let mut asked = Box::pin(mint.open_remote(&forged));
        assert!(poll!(&mut asked).is_pending());
        let (asking, id, number) = question(&forger).await;

        // Every other number is nobody's question, whatever else is flipped or cut short.
        for bit in 0..64 {
            rich.post_message(guessed(number ^ 1 << bit)).unwrap();
            assert_eq!(said_by(&rich).await, None);
        }
        for end in 0..asking.len() {
            rich.post_message(&asking[..end]).unwrap();
        }
        rich.post_message([&asking[..], &[0]].concat()).unwrap();
        while let Some(Ok(answer)) = rich.recv().now_or_never() {
            let refused = Frame::parse(answer.data());
            assert!(matches!(refused, Ok(Frame::Fault { fault: Fault::Refused(_), .. })), "{refused:?}");
        }
        assert!(poll!(&mut asked).is_pending());

        // One who has what was sealed may stand in between, as he could have handed it on; once.
        rich.post_message(&asking[..]).unwrap();
        let key = said_by(&rich).await;
        assert!(key.is_some());
        forger.post_message(reply(id, key)).unwrap();
        assert_eq!(asked.await.as_deref(), Some(&1000));

        rich.post_message(&asking[..]).unwrap();
        assert_eq!(said_by(&rich).await, None, "it is nobody's question any more");
        let mut asked = Box::pin(mint.open_remote(&forged));
        assert!(poll!(&mut asked).is_pending());
        let (_, id, _) = question(&forger).await;
        forger.post_message(reply(id, key)).unwrap();
        assert_eq!(asked.await, None, "what was said before is no answer to another question");
        assert_eq!(mint.open(&poor).as_deref(), Some(&1));
    });
}

/// C25
#[test]
fn whoever_guesses_a_question_and_has_it_asked_by_his_own_opens_no_more_than_that() {
    context::block_on(async {
        let mint = Sealer::new();
        let (rich, poor) = (mint.seal(1000_u32), port_of(mint.seal(1_u32)).await);
        poor.start();
        // The victim's value comes home over something that passes it on.
        let rich = port_of(rich).await;
        rich.start();
        let (far, port) = MessageChannel::new().into_ports();
        far.start();
        let victims: Sealed<u32> = sealed_of(port).await;
        let mut asked = Box::pin(mint.open_remote(&victims));
        assert!(poll!(&mut asked).is_pending());
        let (asking, id, number) = question(&far).await;

        // The guesser is faster.
        poor.post_message(guessed(number)).unwrap();
        let of_poor = said_by(&poor).await;
        rich.post_message(asking).unwrap();
        let of_rich = said_by(&rich).await;

        assert_ne!(of_poor, of_rich);
        far.post_message(reply(id, of_rich)).unwrap();
        assert_eq!(asked.await.as_deref(), Some(&1000));
    });
}

/// The port that a sealed value is.
async fn port_of<T>(sealed: Sealed<T>) -> MessagePort {
    let (ours, theirs) = MessageChannel::new().into_ports();
    ours.post_value(sealed).unwrap();
    theirs.start();
    theirs.recv().await.unwrap().into_parts().ports.remove(0)
}

/// What takes a port for a sealed value.
async fn sealed_of<T>(port: MessagePort) -> Sealed<T> {
    let (ours, theirs) = MessageChannel::new().into_ports();
    ours.post_message(Message::new([0]).with_port(port)).unwrap();
    theirs.start();
    theirs.recv_value().await.unwrap().data
}

#[test]
fn what_was_sealed_goes_when_it_is_dropped_and_with_its_sealer() {
    let check = LeakCheck::begin();
    context::block_on(async {
        let sealer = Sealer::new();
        let value = std::sync::Arc::new(());

        drop(sealer.seal(value.clone()));
        assert_eq!(std::sync::Arc::strong_count(&value), 1);

        let kept = sealer.seal(value.clone());
        drop(sealer);
        assert_eq!(std::sync::Arc::strong_count(&value), 1);
        drop(kept);
    });
    check.end();
}

#[test]
fn whoever_asks_in_vain_and_gives_up_leaves_nothing() {
    let check = LeakCheck::begin();
    context::block_on(async {
        let sealer = Sealer::<u32>::new();
        let (_silent, port) = MessageChannel::new().into_ports();
        let forged: Sealed<u32> = sealed_of(port).await;

        assert!(sealer.open_remote(&forged).now_or_never().is_none());

        turn().await;
    });
    check.end();
}

#[test]
fn a_stranger_who_says_nothing_is_waited_for_as_long_as_was_said_and_no_longer_than_half_a_minute() {
    let clock = std::sync::Arc::new(ManualClock::default());
    let _entered = clock::enter(clock.clone());
    context::block_on(async {
        let sealer = Sealer::<u32>::new();
        let (_silent, port) = MessageChannel::new().into_ports();
        let forged: Sealed<u32> = sealed_of(port).await;

        for limit in [Duration::from_secs(30), Duration::from_secs(2)] {
            let mut asked = match limit.as_secs() {
                30 => sealer.open_remote(&forged).boxed_local(),
                _ => sealer.open_remote_within(&forged, limit).boxed_local(),
            };
            assert!(poll!(&mut asked).is_pending());
            clock.advance(limit - Duration::from_nanos(1));
            assert!(poll!(&mut asked).is_pending());

            clock.advance(Duration::from_nanos(1));

            assert_eq!(poll!(&mut asked), Poll::Ready(None));
        }
    });
}

#[test]
fn what_comes_home_over_a_link_is_opened_though_it_is_no_port_of_ours_any_more() {
    context::block_on(async {
        let sealer = Sealer::new();
        let sealed = sealer.seal("seat 7");
        let (carrier, _link) =
            connect_over::<CarrierOfTickets, _, _>(LinkOptions::default(), async |port: MessagePort| {
                port.start();
                let message = port.recv().await.unwrap();
                port.post_message(message).unwrap();
                port.closed().await;
            });
        carrier.0.start();
        carrier.0.post_value(sealed).unwrap();

        let home = carrier.0.recv_value::<Sealed<&'static str>>().await.unwrap().data;

        assert_eq!(sealer.open(&home), None, "the link stands between");
        assert_eq!(sealer.open_remote(&home).await.as_deref(), Some(&"seat 7"));
        settle().await;
    });
}

struct CarrierOfTickets(MessagePort);

impl From<MessagePort> for CarrierOfTickets {
    fn from(port: MessagePort) -> Self {
        Self(port)
    }
}

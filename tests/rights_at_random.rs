//! Rights that are granted, narrowed, cloned, passed on, used, taken back and dropped at random, in several contexts that come and go,
//! beside a model which is slow and obvious: no call succeeds that it forbids, none is refused that it allows, and nothing is left at
//! the end.
//!
//! Each step is printed; the seed is the first line. All of a story follows from its seed.

mod common;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

use common::{Way, settle, turn};
use fastrand::Rng;
use handover::{Host, Refusal, Revoker, context, prelude::*, worker_thread::Worker};
use serde::{Deserialize, Serialize};

/// The service, the rights on which this is about.
#[service]
trait Lamp {
    async fn dim(&self) -> u32;
    async fn light(&self) -> u32;
    async fn blink(&self) -> u32;
}

const METHODS: [LampMethod; 3] = [LampMethod::Dim, LampMethod::Light, LampMethod::Blink];

#[derive(Clone, Default)]
struct Bulb(Rc<Cell<u32>>);

impl Bulb {
    fn used(&self) -> u32 {
        self.0.set(self.0.get() + 1);
        self.0.get()
    }
}

impl Lamp for Bulb {
    async fn dim(&self) -> u32 {
        self.used()
    }

    async fn light(&self) -> u32 {
        self.used()
    }

    async fn blink(&self) -> u32 {
        self.used()
    }
}

/// What a right is narrowed to.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Less {
    methods: Option<Vec<usize>>,
    calls: Option<u64>,
}

impl Less {
    fn any(rng: &mut Rng) -> Self {
        let some = (0..METHODS.len()).filter(|_| rng.u8(..4) > 0).collect();
        Self { methods: rng.bool().then_some(some), calls: rng.bool().then(|| rng.u64(0..5)) }
    }

    fn named(&self) -> impl Iterator<Item = LampMethod> {
        let all = (0..METHODS.len()).collect();
        self.methods.clone().unwrap_or(all).into_iter().map(|method| METHODS[method])
    }
}

/// How a call has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Used {
    Ran,
    Refused(Refusal),
    Otherwise(String),
}

/// Somebody in a context of their own, who holds rights.
#[service]
trait Holder {
    async fn keep(&self, client: LampClient, number: u32);
    async fn give(&self, number: u32) -> LampClient;
    async fn let_go(&self, number: u32);
    async fn clone_it(&self, number: u32, clone: u32);
    async fn narrow(&self, number: u32, narrow: u32, less: Less);
    async fn use_it(&self, number: u32, method: usize) -> Used;
}

#[derive(Default)]
struct Hands(RefCell<BTreeMap<u32, LampClient>>);

impl Holder for Hands {
    async fn keep(&self, client: LampClient, number: u32) {
        self.0.borrow_mut().insert(number, client);
    }

    async fn give(&self, number: u32) -> LampClient {
        self.0.borrow_mut().remove(&number).expect("it is here")
    }

    async fn let_go(&self, number: u32) {
        self.0.borrow_mut().remove(&number);
    }

    async fn clone_it(&self, number: u32, clone: u32) {
        let client = self.0.borrow()[&number].clone();
        self.0.borrow_mut().insert(clone, client);
    }

    async fn narrow(&self, number: u32, narrow: u32, less: Less) {
        let client = {
            let hands = self.0.borrow();
            let narrowing = hands[&number].narrow();
            let narrowing = if less.methods.is_some() { narrowing.only(less.named()) } else { narrowing };
            less.calls.into_iter().fold(narrowing, |narrowing, calls| narrowing.calls(calls)).client()
        };
        self.0.borrow_mut().insert(narrow, client);
    }

    async fn use_it(&self, number: u32, method: usize) -> Used {
        let client = self.0.borrow_mut().remove(&number).expect("it is here");
        let ended = match METHODS[method] {
            LampMethod::Dim => client.dim().await,
            LampMethod::Light => client.light().await,
            LampMethod::Blink => client.blink().await,
        };
        self.0.borrow_mut().insert(number, client);
        match ended {
            Ok(_) => Used::Ran,
            Err(CallError::Refused(refusal)) => Used::Refused(refusal),
            Err(error) => Used::Otherwise(error.to_string()),
        }
    }
}

/// Where somebody is.
enum Place {
    Thread(Worker<HolderClient>),
    /// Behind a link of bytes.
    Linked(HolderClient),
}

impl Place {
    fn open(at: usize) -> Self {
        if at.is_multiple_of(2) {
            let serve = async |_, port| HolderServer::new(Hands::default()).serve(port).await;
            Self::Thread(Worker::spawn("holder", serve).unwrap())
        } else {
            Self::Linked(Way::Bytes.spawn_here(|port| HolderServer::new(Hands::default()).serve(port)))
        }
    }

    fn holder(&self) -> &HolderClient {
        match self {
            Self::Thread(worker) => worker,
            Self::Linked(client) => client,
        }
    }
}

// The model.

/// A right: each client has one of its own.
struct Right {
    parent: Option<usize>,
    methods: Option<Vec<usize>>,
    calls: Option<u64>,
    is_revoked: bool,
}

#[derive(Default)]
struct Model {
    rights: Vec<Right>,
    /// Where the client of each right is, if there is one.
    clients: BTreeMap<usize, usize>,
}

impl Model {
    fn add(&mut self, parent: Option<usize>, less: Less, place: usize) -> usize {
        let Less { methods, calls } = less;
        self.rights.push(Right { parent, methods, calls, is_revoked: false });
        self.clients.insert(self.rights.len() - 1, place);
        self.rights.len() - 1
    }

    /// A right, and those that it was made from.
    fn way_up(&self, right: usize) -> Vec<usize> {
        std::iter::successors(Some(right), |right| self.rights[*right].parent).collect()
    }

    fn is_over(&self, right: usize) -> bool {
        self.way_up(right).into_iter().any(|right| self.rights[right].is_revoked)
    }

    fn use_it(&mut self, right: usize, method: usize) -> Used {
        let way = self.way_up(right);
        if self.is_over(right) {
            return Used::Refused(Refusal::Revoked);
        }
        let lacks = |right: &usize| self.rights[*right].methods.as_ref().is_some_and(|some| !some.contains(&method));
        if way.iter().any(lacks) {
            return Used::Refused(Refusal::UnknownMethod(METHODS[method].into()));
        }
        if way.iter().any(|right| self.rights[*right].calls == Some(0)) {
            return Used::Refused(Refusal::NoCallsLeft);
        }
        for right in way {
            self.rights[right].calls = self.rights[right].calls.map(|calls| calls - 1);
        }
        Used::Ran
    }

    /// How many holders the service has to know.
    fn live(&self) -> usize {
        self.clients.keys().filter(|right| !self.is_over(**right)).count()
    }

    fn any_client(&self, rng: &mut Rng) -> Option<(usize, usize)> {
        let all: Vec<_> = self.clients.iter().map(|(right, place)| (*right, *place)).collect();
        rng.choice(all)
    }
}

// The story.

struct Story {
    rng: Rng,
    host: Host<LampClient>,
    bulb: Bulb,
    places: Vec<Place>,
    revokers: Vec<(usize, Revoker)>,
    model: Model,
    ran: u32,
}

fn number(right: usize) -> u32 {
    u32::try_from(right).unwrap()
}

impl Story {
    async fn step(&mut self) {
        match self.rng.u8(..20) {
            0..3 => self.grant().await,
            3..5 => self.make_another(true).await,
            5..7 => self.make_another(false).await,
            7..10 => self.pass_on().await,
            10..16 => self.call().await,
            16 => self.revoke(),
            17 => self.let_go().await,
            18 => self.kill().await,
            _ => {
                println!("the service is moved");
                self.host.halt();
            }
        }
        self.is_as_the_model_says().await;
    }

    async fn grant(&mut self) {
        let (less, place) = (Less::any(&mut self.rng), self.rng.usize(..self.places.len()));
        let granting = self.host.grant();
        let granting = if less.methods.is_some() { granting.only(less.named()) } else { granting };
        let granting = less.calls.into_iter().fold(granting, |granting, calls| granting.calls(calls));
        let (client, revoker) = granting.revocable();
        println!("right {} to {place}: {less:?}", self.model.rights.len());
        let right = self.model.add(None, less, place);
        self.revokers.push((right, revoker));
        self.places[place].holder().keep(client, number(right)).await.unwrap();
    }

    async fn make_another(&mut self, is_narrow: bool) {
        let Some((from, place)) = self.model.any_client(&mut self.rng) else { return };
        let holder = self.places[place].holder();
        let none = Less { methods: None, calls: None };
        let less = if is_narrow { Less::any(&mut self.rng) } else { none };
        println!("right {} at {place} from {from}: {less:?}", self.model.rights.len());
        let right = self.model.add(Some(from), less.clone(), place);
        if is_narrow {
            holder.narrow(number(from), number(right), less).await.unwrap();
        } else {
            holder.clone_it(number(from), number(right)).await.unwrap();
        }
    }

    async fn pass_on(&mut self) {
        let Some((right, place)) = self.model.any_client(&mut self.rng) else { return };
        let to = self.rng.usize(..self.places.len());
        println!("right {right} from {place} to {to}");
        let client = self.places[place].holder().give(number(right)).await.unwrap();
        self.places[to].holder().keep(client, number(right)).await.unwrap();
        self.model.clients.insert(right, to);
    }

    async fn call(&mut self) {
        let Some((right, place)) = self.model.any_client(&mut self.rng) else { return };
        let method = self.rng.usize(..METHODS.len());
        let expected = self.model.use_it(right, method);
        println!("{:?} by right {right} at {place}: {expected:?}", METHODS[method]);

        let ended = self.places[place].holder().use_it(number(right), method).await;

        assert_eq!(ended, Ok(expected.clone()));
        self.ran += u32::from(expected == Used::Ran);
    }

    fn revoke(&mut self) {
        if self.revokers.is_empty() {
            return;
        }
        let (right, revoker) = self.revokers.swap_remove(self.rng.usize(..self.revokers.len()));
        println!("right {right} is taken back");
        self.model.rights[right].is_revoked = true;
        revoker.revoke();
    }

    async fn let_go(&mut self) {
        let Some((right, place)) = self.model.any_client(&mut self.rng) else { return };
        println!("right {right} is let go at {place}");
        self.model.clients.remove(&right);
        self.places[place].holder().let_go(number(right)).await.unwrap();
    }

    async fn kill(&mut self) {
        let place = self.rng.usize(..self.places.len());
        println!("{place} is killed, with all that it has");
        self.model.clients.retain(|_, at| *at != place);
        let dead = std::mem::replace(&mut self.places[place], Place::open(place));
        if let Place::Thread(worker) = &dead {
            worker.terminate();
        }
        drop(dead);
    }

    /// Who has gone is noticed in its turn, and then all is as the model says: nobody who has a right is missing, and nobody else is there.
    async fn is_as_the_model_says(&self) {
        settle().await;
        let mut turns = 0;
        while self.host.clients() != self.model.live() {
            turns += 1;
            assert!(turns < 1_000_000, "{} holders, and the model knows {}", self.host.clients(), self.model.live());
            turn().await;
        }
        assert_eq!(self.bulb.0.get(), self.ran, "something ran that nobody was told of");
    }
}

async fn tell(seed: u64) -> u32 {
    println!("seed {seed}");
    let bulb = Bulb::default();
    let (host, hosting) = LampServer::new(bulb.clone()).host();
    let ended = Rc::<Cell<bool>>::default();
    let has_ended = ended.clone();
    context::spawn_local(async move {
        let mut hosting = Some(hosting);
        while let Some(served) = hosting {
            hosting = served.serve().await;
        }
        has_ended.set(true);
    });
    let places = (0..4).map(Place::open).collect();
    let (rng, revokers, model) = (Rng::with_seed(seed), Vec::new(), Model::default());
    let mut story = Story { rng, host, bulb, places, revokers, model, ran: 0 };

    for _ in 0..60 {
        story.step().await;
    }

    println!("everybody goes");
    story.model.clients.clear();
    story.places.clear();
    story.is_as_the_model_says().await;
    story.host.idle().await;
    assert_eq!(story.host.exports().len(), 0, "a right is left that nobody has");
    let Story { host, bulb, ran, .. } = story;
    drop(host);
    settle().await;
    assert!(ended.get(), "the service goes on for nobody");
    assert_eq!(Rc::strong_count(&bulb.0), 1);
    ran
}

#[test]
fn no_call_succeeds_that_the_model_forbids_and_none_is_refused_that_it_allows_and_nothing_is_left() {
    let ran: u32 = (0..40).map(|seed| context::block_on(tell(seed))).sum();

    assert!(ran > 100, "{ran}: the stories are about something");
}

//! The tree against a slow, obvious model, on random stories.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::rpc::{Rate, host::Slots};

const SECOND: Duration = Duration::from_secs(1);

/// What happens in a story. Numbers name grants by the order in which they were made, and wrap.
#[derive(Clone, Debug)]
enum Step {
    Grant {
        from: usize,
        limits: Limits,
        is_asked_for: bool,
    },
    Call {
        by: usize,
        bytes: u64,
    },
    /// Ends the eldest call that runs.
    Return,
    /// The eldest call that runs did not begin after all.
    GiveBack,
    Revoke(usize),
    Leave(usize),
    Wait(Duration),
}

fn limits() -> impl Strategy<Value = Limits> {
    let time = || prop::option::weighted(0.2, (0_u64..4000).prop_map(Duration::from_millis));
    let rate = (1_u32..4, 1_u64..3000).prop_map(|(calls, per)| Rate { calls, per: Duration::from_millis(per) });
    (
        prop::option::weighted(0.4, 0_u64..6),
        prop::option::weighted(0.2, rate),
        prop::option::weighted(0.2, 0_u64..30),
        time(),
        time(),
        prop::option::weighted(0.2, 0_u32..4),
    )
        .prop_map(|(calls, rate, bytes, expires, idle, clones)| Limits {
            methods: None,
            calls,
            rate,
            bytes,
            expires,
            idle,
            clones,
        })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (any::<usize>(), limits(), any::<bool>())
            .prop_map(|(from, limits, is_asked_for)| Step::Grant { from, limits, is_asked_for }),
        6 => (any::<usize>(), 0_u64..12).prop_map(|(by, bytes)| Step::Call { by, bytes }),
        2 => Just(Step::Return),
        1 => Just(Step::GiveBack),
        1 => any::<usize>().prop_map(Step::Revoke),
        1 => any::<usize>().prop_map(Step::Leave),
        2 => (0_u64..1500).prop_map(|millis| Step::Wait(Duration::from_millis(millis))),
    ]
}

/// A grant as the model has it: nothing is ever forgotten, and everything is asked of all on the way up.
#[derive(Clone, Debug)]
struct Known {
    parent: Option<usize>,
    limits: Limits,
    made: Duration,
    /// When each call was made that counts.
    calls: Vec<Duration>,
    /// When the end of a call was noticed last.
    touched: Duration,
    /// Bytes of the calls that run.
    running: Vec<u64>,
    /// How many calls run by itself.
    runs: usize,
    has_holder: bool,
    ended: Option<Ended>,
    most_clients: u32,
}

#[derive(Default)]
struct Model(Vec<Known>);

impl Model {
    fn way(&self, from: usize) -> Vec<usize> {
        std::iter::successors(Some(from), |at| self.0[*at].parent).collect()
    }

    fn clients_of(&self, of: usize) -> usize {
        (0..self.0.len()).filter(|at| *at != of && self.0[*at].has_holder && self.way(*at).contains(&of)).count()
    }

    /// The moment up to which a rate has been used, reckoned from all calls anew.
    fn moment(known: &Known, rate: Rate) -> Duration {
        let each = rate.per / rate.calls;
        known.calls.iter().fold(Duration::ZERO, |moment, at| moment.max(*at) + each)
    }

    fn is_over(known: &Known, now: Duration) -> bool {
        let has_expired = known.limits.expires.is_some_and(|after| known.made + after <= now);
        let idle = known.limits.idle.map(|idle| idle.max(Duration::from_nanos(1)));
        has_expired || (known.running.is_empty() && idle.is_some_and(|idle| known.touched + idle <= now))
    }

    fn may_call(&self, by: usize, bytes: u64, now: Duration) -> Result<(), Refusal> {
        if let Some(ended) = self.0[by].ended {
            return Err(ended.refusal());
        }
        for at in self.way(by) {
            let known = &self.0[at];
            if Self::is_over(known, now) {
                return Err(Refusal::Expired);
            }
            if known.limits.calls.is_some_and(|calls| known.calls.len() as u64 >= calls) {
                return Err(Refusal::NoCallsLeft);
            }
            if let Some(rate) = known.limits.rate
                && Self::moment(known, rate) > now + (rate.per / rate.calls) * (rate.calls - 1)
            {
                return Err(Refusal::TooFast);
            }
            if known.limits.bytes.is_some_and(|most| known.running.iter().sum::<u64>() + bytes > most) {
                return Err(Refusal::TooManyBytes);
            }
        }
        Ok(())
    }

    fn may_grant(&self, from: usize, is_asked_for: bool) -> Result<(), Refusal> {
        if let Some(ended) = self.0[from].ended {
            return Err(ended.refusal());
        }
        let is_full = |at: usize| self.clients_of(at) >= self.0[at].most_clients as usize;
        if is_asked_for && self.way(from).into_iter().any(is_full) { Err(Refusal::TooManyClients) } else { Ok(()) }
    }

    fn end(&mut self, which: usize, why: Ended) {
        for at in 0..self.0.len() {
            if self.way(at).contains(&which) {
                self.0[at].ended.get_or_insert(why);
            }
        }
    }

    /// Whether the tree may have forgotten it: nobody has it, or anything that was made from it, and no call runs by those whose end
    /// counts.
    fn is_gone(&self, which: usize) -> bool {
        let counts = |at: &usize| self.0[*at].limits.bytes.is_some() || self.0[*at].limits.idle.is_some();
        let runs = |at: usize| self.0[at].runs > 0 && self.way(at).iter().any(counts);
        let below = (0..self.0.len()).filter(|at| self.way(*at).contains(&which));
        which != 0 && !self.0[which].has_holder && self.clients_of(which) == 0 && !below.into_iter().any(runs)
    }
}

fn known(parent: Option<usize>, limits: Limits, now: Duration) -> Known {
    let most_clients = limits.clones.unwrap_or(6);
    Known {
        parent,
        limits,
        made: now,
        calls: vec![],
        touched: now,
        running: vec![],
        runs: 0,
        has_holder: parent.is_some(),
        ended: None,
        most_clients,
    }
}

/// Plays a story on both, and compares after each step.
fn play(story: Vec<Step>) {
    let mut tree = Grants::new((), 6);
    let mut model = Model(vec![known(None, Limits::default(), SECOND)]);
    let mut seats = Slots::<()>::default();
    let mut keys = vec![ROOT];
    let mut by_seat = BTreeMap::new();
    let mut running: Vec<(usize, u64, Duration)> = Vec::new();
    let mut now = SECOND;
    for step in story {
        match step {
            Step::Grant { from, limits, is_asked_for } => {
                let from = from % keys.len();
                if model.is_gone(from) {
                    continue;
                }
                let seat = seats.insert(()).unwrap();
                let wanted = Wanted { beside: (), seat, is_asked_for, most_clients: 6 };
                let granted = tree.grant(keys[from], &limits, wanted, Some(now));
                assert_eq!(granted.clone().map(drop), model.may_grant(from, is_asked_for));
                if let Ok(key) = granted {
                    by_seat.insert(seat, keys.len());
                    keys.push(key);
                    model.0.push(known(Some(from), limits, now));
                }
            }
            Step::Call { by, bytes } => {
                let by = by % keys.len();
                if by == 0 || model.is_gone(by) || !model.0[by].has_holder {
                    continue;
                }
                let expected = model.may_call(by, bytes, now);
                assert_eq!(tree.claim(keys[by], Cost { bytes }, Some(now)), expected, "a call by {by}");
                if expected.is_ok() {
                    for at in model.way(by) {
                        let known = &mut model.0[at];
                        known.calls.push(now);
                        known.running.push(bytes);
                        known.touched = now;
                    }
                    model.0[by].runs += 1;
                    running.push((by, bytes, now));
                }
            }
            Step::Return | Step::GiveBack => {
                if running.is_empty() {
                    continue;
                }
                let (by, bytes, at) = running.remove(0);
                // What did not begin is given back at once, or the moment of a rate would have gone by.
                // Of a grant that is gone, what it took from others stays taken.
                let is_back = matches!(step, Step::GiveBack) && at == now && !model.is_gone(by);
                if is_back {
                    tree.give_back(keys[by]);
                }
                tree.release(keys[by], Cost { bytes }, Some(now));
                model.0[by].runs -= 1;
                for way in model.way(by) {
                    let known = &mut model.0[way];
                    let place = known.running.iter().position(|size| *size == bytes).unwrap();
                    known.running.remove(place);
                    known.touched = now;
                    if is_back {
                        let place = known.calls.iter().rposition(|made| *made == at).unwrap();
                        known.calls.remove(place);
                    }
                }
            }
            Step::Revoke(which) => {
                let which = which % keys.len();
                if which == 0 || model.is_gone(which) {
                    continue;
                }
                let told = tree.end(keys[which], Ended::Revoked);
                let before: Vec<_> = (0..keys.len()).filter(|at| model.0[*at].ended.is_none()).collect();
                model.end(which, Ended::Revoked);
                let mut told: Vec<_> = told.iter().filter_map(|(_, seat)| seat.map(|seat| by_seat[&seat])).collect();
                told.sort_unstable();
                let ended = before.into_iter().filter(|at| model.0[*at].ended.is_some() && model.0[*at].has_holder);
                assert_eq!(told, ended.collect::<Vec<_>>(), "each holder is told once");
            }
            Step::Leave(which) => {
                let which = which % keys.len();
                if which != 0 {
                    tree.leave(keys[which]);
                    model.0[which].has_holder = false;
                }
            }
            Step::Wait(time) => {
                now += time;
                let told = tree.expire(now);
                for at in 0..keys.len() {
                    if !model.is_gone(at) && Model::is_over(&model.0[at], now) {
                        model.end(at, Ended::Expired);
                    }
                }
                for seat in told.into_iter().filter_map(|(_, seat)| seat) {
                    assert_eq!(model.0[by_seat[&seat]].ended, Some(Ended::Expired));
                }
                assert!(tree.next_due().is_none_or(|due| due > now), "somebody would look for ever");
            }
        }
        for (at, key) in keys.iter().enumerate() {
            if model.is_gone(at) {
                assert!(tree.beside(*key).is_none(), "{at} is kept for nobody");
            } else {
                assert_eq!(tree.ended(*key), model.0[at].ended, "{at}");
                let holders = model.clients_of(at) + usize::from(model.0[at].has_holder);
                assert_eq!(tree.holders(*key) as usize, holders, "{at}");
            }
        }
    }
    for key in &keys[1..] {
        tree.leave(*key);
    }
    for (by, bytes, _) in running {
        tree.release(keys[by], Cost { bytes }, Some(now));
    }
    assert_eq!((tree.iter().count(), tree.next_due()), (0, None), "something is left");
}

proptest! {
    /// C9, C11, C14
    #[test]
    fn no_story_of_grants_ends_otherwise_than_the_obvious_model_says(story in prop::collection::vec(step(), 0..60)) {
        play(story);
    }
}

fn wanted(seats: &mut Slots<()>) -> Wanted<()> {
    Wanted { beside: (), seat: seats.insert(()).unwrap(), is_asked_for: false, most_clients: 9 }
}

/// C9
#[test]
fn revoking_one_of_many_touches_none_of_its_siblings() {
    let (mut tree, mut seats) = (Grants::new((), 9), Slots::default());
    let root = ROOT;
    let siblings: Vec<_> =
        (0..100).map(|_| tree.grant(root, &Limits::default(), wanted(&mut seats), None).unwrap()).collect();

    assert_eq!(tree.end(siblings[50], Ended::Revoked).len(), 1);

    let open = siblings.iter().filter(|key| tree.claim(**key, Cost::default(), None).is_ok());
    assert_eq!(open.count(), 99);
}

/// C11
#[test]
fn what_was_made_from_a_grant_takes_from_what_that_has_left_and_ends_with_it() {
    let (mut tree, mut seats) = (Grants::new((), 9), Slots::default());
    let three = Limits { calls: Some(3), ..Limits::default() };
    let many = Limits { calls: Some(100), ..Limits::default() };
    let parent = tree.grant(ROOT, &three, wanted(&mut seats), None).unwrap();
    let child = tree.grant(parent, &many, wanted(&mut seats), None).unwrap();
    assert_eq!(tree.claim(child, Cost::default(), None), Ok(()));
    assert_eq!(tree.claim(parent, Cost::default(), None), Ok(()));
    assert_eq!(tree.left(child).calls, Some(1));

    assert_eq!(tree.claim(child, Cost::default(), None), Ok(()));

    assert_eq!(tree.claim(child, Cost::default(), None), Err(Refusal::NoCallsLeft));
    assert_eq!(tree.claim(parent, Cost::default(), None), Err(Refusal::NoCallsLeft));
    let _seats = tree.end(parent, Ended::Revoked);
    assert_eq!(tree.claim(child, Cost::default(), None), Err(Refusal::Revoked));
}

#[test]
fn a_call_that_an_ancestor_refuses_takes_nothing_of_anybody() {
    let (mut tree, mut seats) = (Grants::new((), 9), Slots::default());
    let none = Limits { calls: Some(0), ..Limits::default() };
    let some = Limits { calls: Some(5), ..Limits::default() };
    let parent = tree.grant(ROOT, &none, wanted(&mut seats), None).unwrap();
    let child = tree.grant(parent, &some, wanted(&mut seats), None).unwrap();

    assert_eq!(tree.claim(child, Cost::default(), None), Err(Refusal::NoCallsLeft));

    let account = tree.grants.get(child).unwrap().budget.as_ref().unwrap();
    assert_eq!(account.budget.calls(), Some(5));
}

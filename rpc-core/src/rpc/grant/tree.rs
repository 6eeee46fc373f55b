//! The grants of one service: a tree. Pure: it neither locks nor wakes, and the time is an argument.

use std::time::Duration;

use super::{
    Limits,
    budget::{Budget, Cost},
};
use crate::rpc::{
    Interruption, Refusal,
    host::{Key, SeatKey, Slots},
    sorted::Sorted,
};

/// Names a grant.
pub(in crate::rpc) type GrantKey = Key;

/// The service itself.
pub(in crate::rpc) const ROOT: GrantKey = Key::FIRST;

/// The grants of one service. Each was made from another, and takes from what that has left (C11); the root is the service itself. Those
/// that were made from the same one know nothing of each other (C9).
///
/// A grant has one holder, at the port of its own; it is gone when its holder is, and nothing is left that was made from it. `T` is what
/// is kept beside it.
#[derive(Debug)]
pub(in crate::rpc) struct Grants<T> {
    grants: Slots<Grant<T>>,
    /// When the time of a grant may be up, the earliest first.
    due: Sorted<(Duration, GrantKey), ()>,
}

#[derive(Debug)]
struct Grant<T> {
    beside: T,
    parent: Option<GrantKey>,
    /// The newest of those that were made from it; each of those names the next elder and the next younger one.
    newest: Option<GrantKey>,
    elder: Option<GrantKey>,
    younger: Option<GrantKey>,
    /// The port of its holder, as long as there is one.
    seat: Option<SeatKey>,
    ended: Option<Ended>,
    /// How many holders there are of what was made from it.
    clients: u32,
    most_clients: u32,
    /// How many calls run whose ends have to be counted, and how many answers are on their way whose bytes are. It stays until then, although its holder may have gone.
    running: u32,
    /// The next grant on the way to the root that has a budget; this one, if it has.
    payer: Option<GrantKey>,
    budget: Option<Box<Account>>,
}

#[derive(Debug)]
struct Account {
    budget: Budget,
    /// Where it stands among those that may be due.
    due: Option<Duration>,
    /// The next grant on the way to the root that has a budget.
    next: Option<GrantKey>,
}

/// Why nothing can be called by a grant any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::rpc) enum Ended {
    /// Its issuer has taken it back.
    Revoked,
    /// Its time is up, or it was left unused for too long.
    Expired,
    /// Its holder does not read the answers. What was made from it goes on (C21).
    Unread,
}

impl Ended {
    /// How a call ends that has not begun.
    pub(in crate::rpc) fn refusal(self) -> Refusal {
        match self {
            Self::Revoked => Refusal::Revoked,
            Self::Expired => Refusal::Expired,
            Self::Unread => Refusal::TooManyBytes,
        }
    }

    /// How a call ends that runs.
    pub(in crate::rpc) fn interruption(self) -> Interruption {
        match self {
            Self::Revoked => Interruption::Revoked,
            Self::Expired => Interruption::Expired,
            Self::Unread => Interruption::Cancelled("its caller reads no answers".to_owned()),
        }
    }
}

/// What a grant is to be.
#[derive(Debug)]
pub(in crate::rpc) struct Wanted<T> {
    pub(in crate::rpc) beside: T,
    /// The port of its holder.
    pub(in crate::rpc) seat: SeatKey,
    /// Whether a client has asked for it, who may only have so many.
    pub(in crate::rpc) is_asked_for: bool,
    /// How many clients may be made from it, if its limits say nothing.
    pub(in crate::rpc) most_clients: u32,
}

/// What is left of a grant: the least on the way to the root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::rpc) struct Left {
    pub(in crate::rpc) calls: Option<u64>,
    pub(in crate::rpc) bytes: Option<u64>,
    /// When it ends.
    pub(in crate::rpc) expires: Option<Duration>,
}

/// How a call of a grant is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::rpc) struct Counting {
    /// Whether it takes from anything.
    pub(in crate::rpc) counts: bool,
    /// Whether the time has to be known when it is claimed, and released.
    pub(in crate::rpc) is_timed: bool,
    /// Whether it has to be known before a call is too fast.
    pub(in crate::rpc) has_rate: bool,
    /// Whether its end has to be told.
    pub(in crate::rpc) counts_ends: bool,
    /// Whether the bytes of its answer count until that is delivered.
    pub(in crate::rpc) counts_bytes: bool,
}

impl<T> Grants<T> {
    /// The grants of a service from which clients may get so many.
    pub(in crate::rpc) fn new(beside: T, most_clients: u32) -> Self {
        let grants = Slots::with(Grant {
            beside,
            parent: None,
            newest: None,
            elder: None,
            younger: None,
            seat: None,
            ended: None,
            clients: 0,
            most_clients,
            running: 0,
            payer: None,
            budget: None,
        });
        Self { grants, due: Sorted::new() }
    }

    /// Makes a grant from another.
    ///
    /// # Errors
    /// Why there is none. Then nothing has changed.
    pub(in crate::rpc) fn grant(
        &mut self,
        parent: GrantKey,
        limits: &Limits,
        wanted: Wanted<T>,
        now: Option<Duration>,
    ) -> Result<GrantKey, Refusal> {
        let from = self.grants.get(parent).ok_or(Refusal::Revoked)?;
        if let Some(ended) = from.ended {
            return Err(ended.refusal());
        }
        if wanted.is_asked_for && self.ways_up(parent).any(|grant| grant.clients >= grant.most_clients) {
            return Err(Refusal::TooManyClients);
        }
        let (payer, elder) = (from.payer, from.newest);
        let budget = Budget::new(limits, now).map(|budget| Box::new(Account { budget, due: None, next: payer }));
        let has_budget = budget.is_some();
        let most_clients = limits.clones.unwrap_or(wanted.most_clients);
        let grant = Grant {
            beside: wanted.beside,
            parent: Some(parent),
            newest: None,
            elder,
            younger: None,
            seat: Some(wanted.seat),
            ended: None,
            clients: 0,
            most_clients,
            running: 0,
            payer,
            budget,
        };
        let key = self.grants.insert(grant).ok_or(Refusal::TooManyClients)?;
        if let Some(grant) = self.grants.get_mut(key).filter(|_| has_budget) {
            grant.payer = Some(key);
        }
        self.link(parent, elder, key);
        self.schedule(key, now.unwrap_or_default());
        Ok(key)
    }

    fn link(&mut self, parent: GrantKey, elder: Option<GrantKey>, key: GrantKey) {
        if let Some(parent) = self.grants.get_mut(parent) {
            parent.newest = Some(key);
        }
        if let Some(elder) = elder.and_then(|elder| self.grants.get_mut(elder)) {
            elder.younger = Some(key);
        }
        self.count_clients(Some(parent), |clients| clients.saturating_add(1));
    }

    fn count_clients(&mut self, mut at: Option<GrantKey>, change: impl Fn(u32) -> u32) {
        while let Some(grant) = at.and_then(|key| self.grants.get_mut(key)) {
            grant.clients = change(grant.clients);
            at = grant.parent;
        }
    }

    /// A grant, and those that it was made from, up to the root.
    fn ways_up(&self, key: GrantKey) -> impl Iterator<Item = &Grant<T>> {
        let parent = |grant: &&Grant<T>| grant.parent.and_then(|parent| self.grants.get(parent));
        std::iter::successors(self.grants.get(key), parent)
    }

    /// Those on the way to the root that have a budget.
    fn accounts(&self, key: GrantKey) -> impl Iterator<Item = &Account> {
        let account = |key: GrantKey| self.grants.get(key)?.budget.as_deref();
        let first = self.grants.get(key).and_then(|grant| grant.payer).and_then(account);
        std::iter::successors(first, move |here| here.next.and_then(account))
    }

    /// The same, to be changed. Whether one of them counts the ends of calls.
    fn for_each_budget(&mut self, key: GrantKey, mut change: impl FnMut(&mut Budget)) -> bool {
        let mut payer = self.grants.get(key).and_then(|grant| grant.payer);
        let mut counts_ends = false;
        while let Some(account) = payer.and_then(|key| self.grants.get_mut(key)?.budget.as_deref_mut()) {
            change(&mut account.budget);
            counts_ends |= account.budget.counts_ends();
            payer = account.next;
        }
        counts_ends
    }

    /// How calls of a grant are counted. It does not change.
    pub(in crate::rpc) fn counting(&self, key: GrantKey) -> Counting {
        self.accounts(key).fold(Counting::default(), |counting, account| Counting {
            counts: true,
            is_timed: counting.is_timed || account.budget.is_timed(),
            has_rate: counting.has_rate || account.budget.has_rate(),
            counts_ends: counting.counts_ends || account.budget.counts_ends(),
            counts_bytes: counting.counts_bytes || account.budget.counts_bytes(),
        })
    }

    /// Takes one call out of a grant, and out of all that it was made from.
    ///
    /// # Errors
    /// What has run out, of the next one of those. Then nothing was taken.
    #[inline]
    pub(in crate::rpc) fn claim(&mut self, key: GrantKey, cost: Cost, now: Option<Duration>) -> Result<(), Refusal> {
        let grant = self.grants.get_mut(key).ok_or(Refusal::Revoked)?;
        if let Some(ended) = grant.ended {
            return Err(ended.refusal());
        }
        // Nearly always nobody else pays, or nobody at all.
        match &mut grant.budget {
            None if grant.payer.is_none() => Ok(()),
            Some(account) if account.next.is_none() => {
                account.budget.claim(cost, now)?;
                if account.budget.counts_ends() {
                    grant.running = grant.running.saturating_add(1);
                }
                Ok(())
            }
            _ => self.claim_of_all(key, cost, now),
        }
    }

    fn claim_of_all(&mut self, key: GrantKey, cost: Cost, now: Option<Duration>) -> Result<(), Refusal> {
        self.accounts(key).try_for_each(|account| account.budget.check(cost, now))?;
        if self.for_each_budget(key, |budget| budget.take(cost, now))
            && let Some(grant) = self.grants.get_mut(key)
        {
            grant.running = grant.running.saturating_add(1);
        }
        Ok(())
    }

    /// A call that was claimed has ended, and its answer was delivered.
    pub(in crate::rpc) fn release(&mut self, key: GrantKey, cost: Cost, now: Option<Duration>) {
        if self.for_each_budget(key, |budget| budget.release(cost, now))
            && let Some(grant) = self.grants.get_mut(key)
        {
            grant.running = grant.running.saturating_sub(1);
            self.prune(key);
        }
    }

    /// An answer is on its way: its bytes count until it is delivered, whatever they are more than is left.
    pub(in crate::rpc) fn hold(&mut self, key: GrantKey, bytes: u64) {
        let _counts_ends = self.for_each_budget(key, |budget| budget.hold(bytes));
        if let Some(grant) = self.grants.get_mut(key) {
            grant.running = grant.running.saturating_add(1);
        }
    }

    /// An answer whose bytes are held was delivered, or never will be.
    pub(in crate::rpc) fn let_go(&mut self, key: GrantKey, bytes: u64) {
        let _counts_ends = self.for_each_budget(key, |budget| budget.let_go(bytes));
        if let Some(grant) = self.grants.get_mut(key) {
            grant.running = grant.running.saturating_sub(1);
            self.prune(key);
        }
    }

    /// A call that was claimed did not run. To be released beside.
    ///
    /// A grant whose holder has gone meanwhile may be gone too: then what it took from others stays taken.
    pub(in crate::rpc) fn give_back(&mut self, key: GrantKey) {
        let _counts_ends = self.for_each_budget(key, Budget::give_back);
    }

    /// Ends a grant, and all that was made from it: nothing is claimed any more. Tells which, with the ports of their holders.
    #[must_use = "the holders are to be told"]
    pub(in crate::rpc) fn end(&mut self, key: GrantKey, why: Ended) -> Vec<(GrantKey, Option<SeatKey>)> {
        let mut seats = Vec::new();
        let mut left = vec![key];
        while let Some(key) = left.pop() {
            let Some(grant) = self.grants.get_mut(key) else { continue };
            if grant.ended.is_none() {
                grant.ended = Some(why);
                seats.push((key, grant.seat));
            }
            let mut child = grant.newest;
            while let Some((key, grant)) = child.and_then(|key| Some((key, self.grants.get(key)?))) {
                left.push(key);
                child = grant.elder;
            }
        }
        seats
    }

    /// Why nothing can be called by a grant any more, if so; a grant that is gone was revoked, to whoever asks.
    pub(in crate::rpc) fn ended(&self, key: GrantKey) -> Option<Ended> {
        self.grants.get(key).map_or(Some(Ended::Revoked), |grant| grant.ended)
    }

    /// The holder of a grant has gone. Whether there was one.
    pub(in crate::rpc) fn leave(&mut self, key: GrantKey) -> bool {
        let Some(grant) = self.grants.get_mut(key) else { return false };
        let had_holder = grant.seat.take().is_some();
        if had_holder {
            let parent = grant.parent;
            self.count_clients(parent, |clients| clients.saturating_sub(1));
        }
        self.prune(key);
        had_holder
    }

    /// The holders of all grants have gone. Tells the grants.
    pub(in crate::rpc) fn leave_all(&mut self) -> Vec<GrantKey> {
        let all: Vec<_> = self.grants.iter().filter(|(_, grant)| grant.seat.is_some()).map(|(key, _)| key).collect();
        for key in &all {
            let _had_holder = self.leave(*key);
        }
        all
    }

    /// Removes what has no holder, nothing made from it, and no call that counts.
    fn prune(&mut self, mut key: GrantKey) {
        while let Some(grant) = self.grants.get(key) {
            let Some(parent) = grant.parent else { return };
            if grant.seat.is_some() || grant.newest.is_some() || grant.running > 0 {
                return;
            }
            self.unlink(key);
            key = parent;
        }
    }

    fn unlink(&mut self, key: GrantKey) {
        let Some(Grant { parent, elder, younger, budget, .. }) = self.grants.remove(key) else { return };
        if let Some(elder) = elder.and_then(|elder| self.grants.get_mut(elder)) {
            elder.younger = younger;
        }
        match younger.and_then(|younger| self.grants.get_mut(younger)) {
            Some(younger) => younger.elder = elder,
            None => {
                if let Some(parent) = parent.and_then(|parent| self.grants.get_mut(parent)) {
                    parent.newest = elder;
                }
            }
        }
        if let Some(at) = budget.and_then(|account| account.due) {
            self.due.remove(&(at, key));
        }
    }

    /// Notes when the time of a grant may be up.
    fn schedule(&mut self, key: GrantKey, now: Duration) {
        let Some(account) = self.grants.get_mut(key).and_then(|grant| grant.budget.as_deref_mut()) else { return };
        if let Some(at) = account.due.take() {
            self.due.remove(&(at, key));
        }
        account.due = account.budget.due(now);
        if let Some(at) = account.due {
            self.due.insert((at, key), ());
        }
    }

    /// When somebody is to look whose time is up.
    pub(in crate::rpc) fn next_due(&self) -> Option<Duration> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Ends the grants whose time is up. Tells the ports of their holders.
    #[must_use = "the holders are to be told"]
    pub(in crate::rpc) fn expire(&mut self, now: Duration) -> Vec<(GrantKey, Option<SeatKey>)> {
        let mut seats = Vec::new();
        while let Some((at, key)) = self.due.first().copied()
            && at <= now
        {
            let budget = self.grants.get(key).and_then(|grant| grant.budget.as_deref());
            if budget.is_some_and(|account| account.budget.is_over(now)) {
                self.due.remove(&(at, key));
                if let Some(account) = self.grants.get_mut(key).and_then(|grant| grant.budget.as_deref_mut()) {
                    account.due = None;
                }
                seats.extend(self.end(key, Ended::Expired));
            } else {
                // It was used since.
                self.schedule(key, now);
            }
        }
        seats
    }

    /// What is left of a grant.
    pub(in crate::rpc) fn left(&self, key: GrantKey) -> Left {
        self.accounts(key).fold(Left::default(), |left, Account { budget, .. }| Left {
            calls: least(left.calls, budget.calls()),
            bytes: least(left.bytes, budget.bytes()),
            expires: least(left.expires, budget.expires()),
        })
    }

    /// How many holders there are: its own, and those of what was made from it.
    pub(in crate::rpc) fn holders(&self, key: GrantKey) -> u32 {
        self.grants.get(key).map_or(0, |grant| grant.clients.saturating_add(u32::from(grant.seat.is_some())))
    }

    /// What is kept beside a grant.
    pub(in crate::rpc) fn beside(&self, key: GrantKey) -> Option<&T> {
        self.grants.get(key).map(|grant| &grant.beside)
    }

    /// Every grant but the root.
    pub(in crate::rpc) fn iter(&self) -> impl Iterator<Item = (GrantKey, &T)> {
        let all = self.grants.iter().filter(|(key, _)| *key != ROOT);
        all.map(|(key, grant)| (key, &grant.beside))
    }
}

/// The lesser one, where there are two.
fn least<N: Ord>(one: Option<N>, other: Option<N>) -> Option<N> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
#[path = "tree/tests.rs"]
mod tests;

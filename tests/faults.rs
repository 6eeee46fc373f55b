//! Calls over links on which things go wrong: each ends once, with a value or with an error that is true, and nothing is left.

use std::{cell::RefCell, collections::BTreeMap, ops::RangeInclusive, rc::Rc, sync::Arc, time::Duration};

use futures::FutureExt;
use handover::{
    Interruption, NotSent, Refusal, RpcError, clock, context,
    prelude::*,
    testing::{
        Direction, LeakCheck, LinkOptions, ManualClock, advance, check_seeds, connect, connect_over, settle, settled,
        turn,
    },
};

const MILLISECOND: Duration = Duration::from_millis(1);
const DEADLINE: Duration = Duration::from_secs(1);

/// Every method that ends is told the number of its call, and notes that it ran.
#[service]
trait Desk {
    /// Twice the number, at once.
    async fn double(&self, number: u32) -> u32;
    /// Twice the number, after some turns.
    async fn slowly(&self, number: u32) -> u32;
    /// An error, if the number is odd.
    async fn only_even(&self, number: u32) -> Result<u32, String>;
    /// Asks its caller.
    async fn ask(&self, number: u32, whom: DeskClient) -> Result<u32, String>;
    /// Hands out a desk, which is asked by the caller.
    async fn desk(&self, number: u32) -> DeskClient;
    /// For ever.
    async fn wait(&self);
    #[rpc(oneway)]
    async fn tell(&self, number: u32);
}

/// How often the method of each call ran.
#[derive(Clone, Default)]
struct Runs(Rc<RefCell<BTreeMap<u32, u32>>>);

impl Runs {
    fn note(&self, number: u32) {
        *self.0.borrow_mut().entry(number).or_default() += 1;
    }

    fn of(&self, number: u32) -> u32 {
        self.0.borrow().get(&number).copied().unwrap_or_default()
    }
}

#[derive(Clone)]
struct Clerk(Runs);

impl Clerk {
    fn serve(self) -> impl FnOnce(MessagePort) -> std::pin::Pin<Box<dyn Future<Output = ()>>> {
        |port| Box::pin(DeskServer::new(self).serve(port))
    }
}

impl Desk for Clerk {
    async fn double(&self, number: u32) -> u32 {
        self.0.note(number);
        number.wrapping_mul(2)
    }

    async fn slowly(&self, number: u32) -> u32 {
        self.0.note(number);
        for _ in 0..5 {
            turn().await;
        }
        number.wrapping_mul(2)
    }

    async fn only_even(&self, number: u32) -> Result<u32, String> {
        self.0.note(number);
        if number.is_multiple_of(2) { Ok(number.wrapping_mul(2)) } else { Err("odd".to_owned()) }
    }

    async fn ask(&self, number: u32, whom: DeskClient) -> Result<u32, String> {
        self.0.note(number);
        whom.double(number).await.map_err(|error| error.to_string())
    }

    async fn desk(&self, number: u32) -> DeskClient {
        self.0.note(number);
        connect(Clerk(Runs::default()).serve())
    }

    async fn wait(&self) {
        std::future::pending().await
    }

    async fn tell(&self, number: u32) {
        self.0.note(number);
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
enum Ending {
    /// With what the method returns.
    Right,
    /// With another value. Only a corrupted message makes one.
    Wrong,
    /// With an error of the service's own that the method does not have: the call that it made itself went wrong.
    Inside,
    Failed(CallError),
}

impl Ending {
    fn of_value(number: u32, result: Result<u32, CallError>) -> Self {
        match result {
            Ok(value) if value == number.wrapping_mul(2) => Self::Right,
            Ok(_) => Self::Wrong,
            Err(error) => Self::Failed(error),
        }
    }

    fn of_result(number: u32, result: Result<u32, RpcError<String>>, own: impl Fn(&str) -> bool) -> Self {
        match result {
            Err(RpcError::Service(error)) if own(&error) => Self::Right,
            Err(RpcError::Service(_)) => Self::Inside,
            Err(RpcError::Call(error)) => Self::Failed(error),
            Ok(value) => Self::of_value(number, Ok(value)),
        }
    }
}

/// Makes the call of that number, as one of the five kinds that have an answer.
async fn call(desk: &DeskClient, number: u32, deadline: Duration) -> Ending {
    match number % 5 {
        0 => Ending::of_value(number, desk.double(number).deadline(deadline).await),
        1 => Ending::of_value(number, desk.slowly(number).deadline(deadline).await),
        2 => Ending::of_result(number, desk.only_even(number).deadline(deadline).await, |error| {
            error == "odd" && !number.is_multiple_of(2)
        }),
        3 => {
            let me = connect(Clerk(Runs::default()).serve());
            Ending::of_result(number, desk.ask(number, me).deadline(deadline).await, |_| false)
        }
        _ => match desk.desk(number).deadline(deadline).await {
            // The desk is on its own from here on.
            Ok(desk) => {
                let ending = Ending::of_value(number, desk.double(number).deadline(deadline).await);
                if ending == Ending::Right { ending } else { Ending::Inside }
            }
            Err(error) => Ending::Failed(error),
        },
    }
}

const CALLS: RangeInclusive<u32> = 1..=25;
const TELLS: RangeInclusive<u32> = 101..=110;

/// What became of all calls over one link.
struct Story {
    endings: BTreeMap<u32, Vec<Ending>>,
    runs: Runs,
}

impl Story {
    /// Makes all calls over a link, and lets so much time go by. Nothing is left at the end.
    fn of(options: LinkOptions) -> Self {
        let check = LeakCheck::begin();
        let clock = Arc::new(ManualClock::default());
        let _entered = clock::enter(clock.clone());
        let (endings, runs) = (Rc::new(RefCell::new(BTreeMap::<u32, Vec<Ending>>::new())), Runs::default());
        context::block_on(async {
            let (desk, _link): (DeskClient, _) = connect_over(options, Clerk(runs.clone()).serve());
            let desk = Rc::new(desk);
            for number in CALLS {
                let (desk, endings) = (desk.clone(), endings.clone());
                context::spawn_local(async move {
                    let ending = call(&desk, number, DEADLINE).await;
                    endings.borrow_mut().entry(number).or_default().push(ending);
                });
            }
            for number in TELLS {
                // A one-way call has no deadline: one whose turn does not come is given up.
                let _posted = desk.tell(number).now_or_never();
            }
            // A call, and then one more of the desk that it handed out.
            advance(&clock, 2 * DEADLINE).await;
            settle().await;
            assert_eq!(endings.borrow().len(), CALLS.count(), "every call has ended");
            drop(desk);
            advance(&clock, DEADLINE).await;
            settle().await;
            assert_eq!(check.alive(), [""; 0], "alive after the client was dropped");
        });
        check.end();
        Self { endings: Rc::unwrap_or_clone(endings).into_inner(), runs }
    }

    /// Looks at the one ending of each call, and how often its method ran.
    fn check(&self, fits: impl Fn(&Ending, u32) -> bool) {
        for (number, endings) in &self.endings {
            let [ending] = &endings[..] else { panic!("call {number} ended as {endings:?}") };
            let runs = self.runs.of(*number);
            assert!(fits(ending, runs), "call {number} ended as {ending:?}, and its method ran {runs} times");
        }
    }

    /// Looks at how often each one-way method ran.
    fn check_tells(&self, fits: impl Fn(u32) -> bool) {
        for number in TELLS {
            let runs = self.runs.of(number);
            assert!(fits(runs), "one-way call {number} ran {runs} times");
        }
    }

    fn count(&self, of: impl Fn(&Ending) -> bool) -> usize {
        self.endings.values().flatten().filter(|ending| of(ending)).count()
    }
}

fn is_deadline(ending: &Ending) -> bool {
    matches!(ending, Ending::Failed(error) if error.is_deadline())
}

/// Whether the error is true, where each message arrives at most once, as it is: what did not run did not, and what may have run ran
/// once at most.
fn is_true(ending: &Ending, runs: u32) -> bool {
    match ending {
        Ending::Right | Ending::Inside => runs == 1,
        Ending::Wrong => false,
        Ending::Failed(error) if error.may_have_run() => runs <= 1,
        Ending::Failed(_) => runs == 0,
    }
}

#[test]
fn without_faults_every_call_ends_with_its_value_and_runs_once() {
    let story = Story::of(LinkOptions::default());

    story.check(|ending, runs| *ending == Ending::Right && runs == 1);
    story.check_tells(|runs| runs == 1);
}

#[test]
fn over_a_link_that_is_late_calls_end_with_their_value_or_at_their_deadline() {
    let late = std::cell::Cell::new(0);
    check_seeds(0..20, |options| {
        let story = Story::of(options.delay(Duration::ZERO..=600 * MILLISECOND));

        story.check(|ending, runs| {
            let fits = matches!(ending, Ending::Right | Ending::Inside) || is_deadline(ending);
            fits && is_true(ending, runs)
        });
        story.check_tells(|runs| runs == 1);
        late.set(late.get() + story.count(is_deadline));
    });
    assert!(late.get() > 0, "nothing was too late, in no story");
}

#[test]
fn over_a_link_that_lets_ports_overtake_each_other_every_call_ends_with_its_value() {
    check_seeds(0..50, |options| {
        let story = Story::of(options.reorder_ports(7));

        story.check(|ending, runs| *ending == Ending::Right && runs == 1);
        story.check_tells(|runs| runs == 1);
    });
}

#[test]
fn over_a_link_that_is_cut_calls_end_as_not_sent_or_unknown_and_that_is_true() {
    let cut = std::cell::Cell::new(0);
    check_seeds(0..100, |options| {
        let story = Story::of(options.cut_after(1..=60).reorder_ports(3));

        story.check(|ending, runs| {
            let fits = match ending {
                Ending::Right | Ending::Inside => true,
                Ending::Failed(error) => {
                    matches!(error, CallError::NotSent(NotSent::Closed) | CallError::Unknown(Interruption::Closed))
                }
                Ending::Wrong => false,
            };
            fits && is_true(ending, runs)
        });
        story.check_tells(|runs| runs <= 1);
        cut.set(cut.get() + story.count(|ending| matches!(ending, Ending::Failed(_))));
    });
    assert!(cut.get() > 0, "no call was cut off, in no story");
}

#[test]
fn a_method_that_would_wait_for_ever_is_ended_when_its_link_is_cut() {
    let check = LeakCheck::begin();
    context::block_on(async {
        let (desk, link): (DeskClient, _) = connect_over(LinkOptions::default(), Clerk(Runs::default()).serve());
        let mut waiting = desk.wait();
        assert!(settled(&mut waiting).await.is_none());
        assert_eq!(handlers(&check), 1);

        link.cut();
        settle().await;

        assert_eq!(handlers(&check), 0);
        assert_eq!(settled(waiting).await, Some(Err(CallError::Unknown(Interruption::Closed))));
    });
    check.end();
}

/// How many handlers are alive.
fn handlers(check: &LeakCheck) -> usize {
    check.alive().iter().filter(|line| line.starts_with("a handler")).count()
}

#[test]
fn over_a_link_that_is_cut_while_it_is_late_nothing_waits_for_its_deadline() {
    let cut = std::cell::Cell::new(0);
    check_seeds(0..20, |options| {
        let story = Story::of(options.delay(Duration::ZERO..=100 * MILLISECOND).cut_at(150 * MILLISECOND));

        story.check(|ending, runs| !is_deadline(ending) && is_true(ending, runs));
        story.check_tells(|runs| runs <= 1);
        cut.set(cut.get() + story.count(|ending| matches!(ending, Ending::Failed(_))));
    });
    assert!(cut.get() > 0, "no call was cut off, in no story");
}

#[test]
fn over_a_link_that_drops_calls_end_with_their_value_or_at_their_deadline() {
    let lost = std::cell::Cell::new(0);
    check_seeds(0..50, |options| {
        let story = Story::of(options.drop_one_in(4));

        story.check(|ending, runs| {
            let fits = match ending {
                Ending::Right | Ending::Inside => true,
                // Where the message is lost that holds a port, so is the port.
                Ending::Failed(CallError::Unknown(Interruption::Closed)) => true,
                ending => is_deadline(ending),
            };
            fits && is_true(ending, runs)
        });
        story.check_tells(|runs| runs <= 1);
        lost.set(lost.get() + story.count(is_deadline));
    });
    assert!(lost.get() > 0, "nothing was lost, in no story");
}

#[test]
fn where_only_replies_are_dropped_every_method_runs_once_and_its_call_ends_at_its_deadline() {
    let story = Story::of(LinkOptions::default().drop_one_in(1).only(Direction::Back));

    story.check(|ending, runs| {
        *ending == Ending::Failed(CallError::Unknown(Interruption::DeadlineExceeded)) && runs == 1
    });
    story.check_tells(|runs| runs == 1);
}

#[test]
fn over_a_link_that_duplicates_calls_end_once_and_nothing_runs_more_than_twice() {
    let twice = std::cell::Cell::new(0);
    check_seeds(0..50, |options| {
        let story = Story::of(options.duplicate_one_in(3));

        story.check(|ending, runs| {
            // The port in a copy is closed, so a copy of a call that asks its caller may be answered first, or be refused.
            let fits = match ending {
                Ending::Right | Ending::Inside => true,
                Ending::Failed(CallError::Refused(Refusal::RepeatedCallId)) => true,
                Ending::Failed(_) | Ending::Wrong => false,
            };
            fits && (1..=2).contains(&runs)
        });
        story.check_tells(|runs| (1..=2).contains(&runs));
        twice.set(twice.get() + TELLS.filter(|number| story.runs.of(*number) == 2).count());
    });
    assert!(twice.get() > 0, "nothing ran twice, in no story");
}

#[test]
fn over_a_link_that_breaks_the_order_calls_end_with_their_value() {
    check_seeds(0..50, |options| {
        let story = Story::of(options.reorder_messages());

        story.check(|ending, runs| *ending == Ending::Right && runs == 1);
        story.check_tells(|runs| runs == 1);
    });
}

#[test]
fn over_a_link_that_corrupts_every_call_ends() {
    let strange = std::cell::Cell::new(0);
    check_seeds(0..100, |options| {
        // Where any byte may be another, any ending is as good as another.
        let story = Story::of(options.corrupt_one_in(3));

        story.check(|_, _| true);
        strange.set(strange.get() + story.count(|ending| *ending != Ending::Right));
    });
    assert!(strange.get() > 0, "no call was corrupted, in no story");
}

#[test]
fn over_a_link_on_which_everything_goes_wrong_every_call_ends() {
    check_seeds(0..20, |options| {
        let story = Story::of(
            options
                .delay(Duration::ZERO..=50 * MILLISECOND)
                .reorder_ports(3)
                .reorder_messages()
                .drop_one_in(9)
                .corrupt_one_in(9)
                .duplicate_one_in(9)
                .cut_after(20..=200),
        );

        story.check(|_, _| true);
    });
}

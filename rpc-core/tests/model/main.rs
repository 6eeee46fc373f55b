//! Ports against a slow, obvious model of them: random operations are done to both, and compared after each.
//!
//! - [`rules`]: the model: lists and numbers, nothing shared, nobody who waits;
//! - [`operations`]: what may be done, at random;
//! - [`world`]: contexts that do it to real ports and to the model.
//!
//! A sequence that fails is shortened, and printed with the seed that finds it again. `PROPTEST_CASES` says how many sequences
//! there are, `PROPTEST_RNG_SEED` which.

mod operations;
mod rules;
mod world;

use std::{
    cell::Cell,
    fmt,
    hash::{BuildHasher, RandomState},
};

use allocation_counter::measure;
use operations::{Context, How, Operation, Pick, sequences};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use world::{Ran, World};

/// The most operations in a sequence.
const LENGTH: usize = 120;

/// Does the operations to real ports and to the model, ends all contexts, and looks for what is left.
fn run(operations: &[Operation]) -> Result<Ran, String> {
    let mut outcome = Err(String::new());
    let left = measure(|| outcome = World::default().run(operations));
    let ran = outcome?;
    match left.count_current {
        0 => Ok(ran),
        blocks => Err(format!("{blocks} blocks of memory were not freed, with {} rings noticed", ran.rings)),
    }
}

/// Lets whatever is set up on first use be set up: it would be taken for something left behind.
fn warm_up() {
    let channel = Operation::MakeChannel(Context(0), Context(0));
    let to_its_own_port = Operation::Post { on: Pick { context: Context(0), nth: 0 }, with: vec![0], how: How::Always };
    let _whatever_comes = run(&[channel, to_its_own_port]);
}

/// What was compared so far.
#[derive(Clone, Copy, Debug, Default)]
struct Done {
    sequences: u64,
    steps: u64,
    rings: usize,
}

impl Done {
    fn and(self, ran: &Ran) -> Self {
        Self { sequences: self.sequences + 1, steps: self.steps + ran.steps, rings: self.rings + ran.rings }
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sequences, steps, rings } = self;
        write!(f, "model: {sequences} sequences agreed, {steps} steps; {rings} messages were lost in rings")
    }
}

/// PORT-02, PORT-23, PORT-24, PORT-31, PORT-37, PORT-42, PORT-43, PORT-45, PORT-46, PORT-52, PORT-54, PORT-55, PORT-56,
/// PORT-57, PORT-58, PORT-59, CLOSE-05, CLOSE-07, DEC-07, GC-03
#[test]
fn ports_do_what_the_model_does_whatever_is_done_to_them() {
    warm_up();
    let mut config = Config { failure_persistence: None, max_shrink_iters: 200_000, ..Config::default() };
    if let RngSeed::Random = config.rng_seed {
        config.rng_seed = RngSeed::Fixed(RandomState::new().hash_one(0));
    }
    let RngSeed::Fixed(seed) = config.rng_seed else { unreachable!("it was just fixed") };
    let done = Cell::new(Done::default());

    let outcome = TestRunner::new(config).run(&sequences(LENGTH), |operations| {
        let ran = run(&operations).map_err(TestCaseError::fail)?;
        done.set(done.get().and(&ran));
        Ok(())
    });

    println!("{}", done.get());
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, shortest)) => {
            // Run once more, for the reason of the shortest.
            let reason = run(&shortest).err().unwrap_or_else(|| reason.to_string());
            panic!("the ports and the model disagree; PROPTEST_RNG_SEED={seed} finds it again\n{reason}");
        }
        Err(TestError::Abort(reason)) => panic!("proptest gave up: {reason}"),
    }
}

/// DEC-08
#[test]
fn a_message_that_closes_a_ring_of_two_queues_is_lost_in_both() {
    warm_up();
    let here = Context(0);
    let post = |nth, with| Operation::Post { on: Pick { context: here, nth }, with: vec![with], how: How::Always };
    let two_channels = [Operation::MakeChannel(here, here), Operation::MakeChannel(here, here)];
    // 1a posts 0b to 1b; now 0a, 1b and 1a are left. Then 0a posts 1b to 0b.
    let (half, other_half) = (post(2, 1), post(0, 0));

    let open = run(&[two_channels.as_slice(), std::slice::from_ref(&half)].concat());
    let closed = run(&[two_channels.as_slice(), &[half, other_half]].concat());

    assert_eq!(open.map(|ran| ran.rings), Ok(0));
    assert_eq!(closed.map(|ran| ran.rings), Ok(1));
}

/// PORT-56, PORT-59
#[test]
fn ports_that_are_nested_a_hundred_deep_do_what_the_model_does() {
    warm_up();
    let here = Context(0);
    let port = Pick { context: here, nth: 0 };
    for dig in [0, 1, 99, 100, 101] {
        let operations =
            [Operation::MakeChannel(here, Context(1)), Operation::Nest(port, 100), Operation::Dig(port, dig)];

        let ran = run(&operations);

        assert_eq!(ran.map(|ran| ran.rings), Ok(0));
    }
}

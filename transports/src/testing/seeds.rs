//! One test over many seeds.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::LinkOptions;

/// With how many faults at most a test that failed is tried again.
const MOST_FAULTS: u64 = 50;

/// Runs a test once for each seed. It adds to the options what is to go wrong, and panics if it fails.
///
/// # Panics
/// If the test does, with what it said, and with the options that make it fail, for a test of its own: the seed, and the fewest
/// faults among the first few with which it fails.
///
/// # Examples
/// ```
/// use handover_core::MessageChannel;
/// use handover_transports::{context, testing::{Link, check_seeds}};
///
/// check_seeds(0..10, |options| {
///     context::block_on(async {
///         let (ours, near) = MessageChannel::new().into_ports();
///         let (far, theirs) = MessageChannel::new().into_ports();
///         Link::spawn(near, far, options.drop_one_in(3));
///         theirs.start();
///         (0..9).for_each(|number| ours.post_message(&[number]).unwrap());
///         drop(ours);
///
///         let mut last = None;
///         while let Ok(message) = theirs.recv().await {
///             assert!(last < Some(message.data()[0]), "in order, whatever is missing");
///             last = Some(message.data()[0]);
///         }
///     });
/// });
/// ```
#[track_caller]
pub fn check_seeds(seeds: impl IntoIterator<Item = u64>, test: impl Fn(LinkOptions)) {
    let run = |options| catch_unwind(AssertUnwindSafe(|| test(options))).err();
    for seed in seeds {
        let options = LinkOptions::seeded(seed);
        if let Some(panic) = run(options.clone()) {
            let fewest = (0..=MOST_FAULTS).find_map(|most| Some((most, run(options.clone().most_faults(most))?)));
            match fewest {
                Some((most, panic)) => {
                    panic!("fails with `LinkOptions::seeded({seed}).most_faults({most})`: {}", text_of(&*panic))
                }
                None => panic!("fails with `LinkOptions::seeded({seed})`: {}", text_of(&*panic)),
            }
        }
    }
}

/// What a panic said.
fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it panicked")
}

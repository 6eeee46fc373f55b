//! What a panic said, for those who lose something by it; and what is said to those who lose something by the end of a connection.
//!
//! A port that is dropped while a stack unwinds cannot tell its other end what the panic said: nobody knows until the stack is
//! unwound. So below [`catch`], what is lost that way is kept until then, and ended with the words of the panic. Where nobody
//! catches, it is ended at once, without them.

use std::{
    any::Any,
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use crate::port::Gone;

thread_local! {
    /// What was lost in the stack that unwinds, for the innermost [`catch`] of this thread.
    static LOST: RefCell<Option<Vec<Box<dyn Any>>>> = const { RefCell::new(None) };
    /// Why what is being dropped on this thread is lost.
    static WORDS: RefCell<Option<Loss>> = const { RefCell::new(None) };
}

/// Why something is lost that is dropped.
#[derive(Clone)]
enum Loss {
    /// What held it panicked.
    Panic(String),
    /// What carried messages to it has ended.
    Disconnection(String),
}

/// Runs something for a context: the executor of a thread, or whoever else answers for what runs there. If it panics, the other
/// ends of the ports that were dropped meanwhile are told of the panic, and so is everyone whose call was being answered.
///
/// `describe` turns what the panic said into what they are told; both come back. What runs may not be used again after a panic,
/// unless it is known to be whole.
///
/// # Errors
/// [`Panicked`] if it panicked.
///
/// # Examples
/// ```
/// use handover_core::{ClosedBy, MessageChannel, panicking};
///
/// let (ours, theirs) = MessageChannel::new().into_ports();
/// let caught = panicking::catch(|said| format!("the worker panicked: {said}"), || {
///     let _held = theirs;
///     panic!("out of paper");
/// });
/// assert_eq!(caught.unwrap_err().said, "out of paper");
/// # futures::executor::block_on(async {
/// assert_eq!(ours.closed().await, ClosedBy::PeerPanic);
/// # });
/// ```
pub fn catch<R>(describe: impl FnOnce(&str) -> String, run: impl FnOnce() -> R) -> Result<R, Panicked> {
    let outer = LOST.replace(Some(Vec::new()));
    let ran = catch_unwind(AssertUnwindSafe(run));
    let lost = LOST.replace(outer).unwrap_or_default();
    let ran = ran.map_err(|panic| {
        let said = words_of(&*panic);
        let description = describe(&said);
        Panicked { said, description }
    });
    if !lost.is_empty() {
        // Not empty without a panic: then one was caught inside, by somebody who did not say what it said.
        lose(ran.as_ref().err().map_or(UNKNOWN, |panicked| &panicked.description), || drop(lost));
    }
    ran
}

/// Runs something in which what is dropped is lost by a panic, and says so to whoever loses by it.
pub fn lose<R>(description: &str, run: impl FnOnce() -> R) -> R {
    lose_as(Loss::Panic(description.to_owned()), run)
}

/// Runs something in which what is dropped is lost by the end of a connection, and says so to whoever loses by it: ports are told
/// [`ClosedBy::Disconnected`](crate::ClosedBy::Disconnected), calls that wait for an answer
/// [`Interruption::Disconnected`](crate::Interruption::Disconnected), with the description.
///
/// # Examples
/// ```
/// use handover_core::{ClosedBy, MessageChannel, panicking};
///
/// let (ours, theirs) = MessageChannel::new().into_ports();
/// panicking::disconnect("the cable was cut", || drop(theirs));
/// # futures::executor::block_on(async {
/// assert_eq!(ours.closed().await, ClosedBy::Disconnected);
/// # });
/// ```
pub fn disconnect<R>(description: &str, run: impl FnOnce() -> R) -> R {
    lose_as(Loss::Disconnection(description.to_owned()), run)
}

fn lose_as<R>(loss: Loss, run: impl FnOnce() -> R) -> R {
    let _restore = Restore(WORDS.replace(Some(loss)));
    run()
}

/// What ran panicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked {
    /// What the panic said.
    pub said: String,
    /// What the others were told.
    pub description: String,
}

/// What is known of a panic whose words nobody kept.
const UNKNOWN: &str = "the context at the other end panicked";

/// What is known of the end of a connection when it is noticed later.
const OUT_OF_REACH: &str = "the connection to the other end has ended";

/// Puts back what the words were before, also when a drop panics.
struct Restore(Option<Loss>);

impl Drop for Restore {
    fn drop(&mut self) {
        WORDS.set(self.0.take());
    }
}

/// How what is dropped now goes.
pub(crate) fn how_it_goes() -> Gone {
    if thread::panicking() {
        return Gone::Panicked;
    }
    let gone = WORDS.try_with(|words| match &*words.borrow() {
        None => Gone::Closed,
        Some(Loss::Panic(_)) => Gone::Panicked,
        Some(Loss::Disconnection(_)) => Gone::Disconnected,
    });
    gone.unwrap_or(Gone::Closed)
}

/// What to say to whoever loses by a panic in what is dropped now.
pub(crate) fn description() -> String {
    match words() {
        Some(Loss::Panic(words)) => words,
        Some(Loss::Disconnection(_)) | None => UNKNOWN.to_owned(),
    }
}

/// What to say to whoever loses by the end of the connection to what is dropped now.
pub(crate) fn description_of_disconnection() -> String {
    match words() {
        Some(Loss::Disconnection(words)) => words,
        Some(Loss::Panic(_)) | None => OUT_OF_REACH.to_owned(),
    }
}

fn words() -> Option<Loss> {
    WORDS.try_with(|words| words.borrow().clone()).ok().flatten()
}

/// Keeps what is dropped while the stack unwinds, until it is known what the panic said. False if nobody will know: then it is
/// to be ended at once.
pub(crate) fn keep<T: 'static>(lost: impl FnOnce() -> T) -> bool {
    if !thread::panicking() || LOST.try_with(|kept| kept.borrow().is_some()) != Ok(true) {
        return false;
    }
    let lost: Box<dyn Any> = Box::new(lost());
    LOST.with_borrow_mut(|kept| kept.as_mut().map(|kept| kept.push(lost)));
    true
}

/// What a panic said.
pub(crate) fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::{ClosedBy, MessageChannel};

    #[test]
    fn a_panic_inside_one_that_is_caught_does_not_end_what_the_outer_one_holds() {
        let (ours, theirs) = MessageChannel::new().into_ports();

        let ran = catch(str::to_owned, || {
            let caught = catch(str::to_owned, || panic!("inner"));
            assert_eq!(caught.unwrap_err().said, "inner");
            assert!(!ours.is_closed());
        });

        assert_eq!(ran, Ok(()));
        drop(theirs);
    }

    #[test]
    fn what_an_unwinding_stack_drops_is_told_as_a_panic_also_if_the_panic_was_caught_further_in() {
        let (ours, theirs) = MessageChannel::new().into_ports();

        let ran = catch(str::to_owned, || {
            let caught = catch_unwind(AssertUnwindSafe(|| {
                let _held = theirs;
                panic!("caught by the user");
            }));
            assert!(caught.is_err());
        });

        assert_eq!(ran, Ok(()));
        assert_eq!(ours.closed().now_or_never(), Some(ClosedBy::PeerPanic));
    }

    #[test]
    fn a_panic_is_told_after_what_was_posted_while_the_stack_unwound() {
        struct Farewell(crate::MessagePort);
        impl Drop for Farewell {
            fn drop(&mut self) {
                self.0.post_message("farewell").unwrap();
            }
        }
        let (ours, theirs) = MessageChannel::new().into_ports();
        ours.start();

        let caught = catch(str::to_owned, || {
            let _held = Farewell(theirs);
            panic!("out of paper");
        });

        assert_eq!(caught.unwrap_err().description, "out of paper");
        assert_eq!(ours.recv().now_or_never().unwrap().unwrap().data(), b"farewell");
        assert_eq!(ours.closed().now_or_never(), Some(ClosedBy::PeerPanic));
    }
}

//! How a duty begins: what is beside a call that came is noted, shown to the interceptors, and taken out of what its right has left.

use super::super::{
    Refusal,
    arrived::Came,
    beside::{Beside, is_free, report_refusal},
    codec::Facts,
    desk::{At, Desk},
    frame::{CallId, Options},
    held::{Held, claim},
};
use crate::sync::Arc;

/// When a handler is polled first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rpc) enum Begins {
    /// As soon as its call was opened, if it need not wait for others: see [`current`](super::super::current).
    AtOnce,
    AnyTime,
}

/// Whether nothing is to be attached to a call that says nothing beside its arguments, but what it takes of its right.
#[inline(always)]
pub(super) fn is_plain(facts: &Facts, desk: &Desk) -> bool {
    desk.is_unwatched && !facts.takes_context && (desk.is_plain || !is_free(facts.signature.method))
}

/// Whether nothing at all is beside a call that says nothing beside its arguments. Of the first port everything may be called, as often as
/// anybody likes.
#[inline(always)]
pub(in crate::rpc) fn is_bare(facts: &Facts, desk: At<'_>) -> bool {
    is_plain(facts, &desk) && desk.beside_first().is_none()
}

/// Notes what is beside a call that came, shows it to the interceptors, and takes it out of what its right has left.
///
/// # Errors
/// Why the call is not to be run.
pub(in crate::rpc) fn begin(
    options: Option<Box<Options>>,
    came: Came,
    id: Option<CallId>,
    is_oneway: bool,
    begins: Begins,
    facts: &Facts,
    desk: At<'_>,
) -> Result<Beside, Refusal> {
    if options.is_none() && is_plain(facts, &desk) {
        return begin_plain(came.bytes, begins, facts, desk);
    }
    let mut beside = Beside::default();
    if options.is_none() && !facts.takes_context && desk.is_plain {
        return Ok(beside);
    }
    match beside.attach(facts, options, &came, id, is_oneway, desk) {
        Ok(()) => Ok(beside),
        Err(refusal) => {
            beside.refuse(&refusal);
            Err(refusal)
        }
    }
}

/// As [`begin`], of a [plain](is_plain) call.
#[cfg_attr(not(debug_assertions), inline(always))]
fn begin_plain(bytes: usize, begins: Begins, facts: &Facts, desk: At<'_>) -> Result<Beside, Refusal> {
    let Some(desk) = desk.beside_first() else { return Ok(Beside::default()) };
    Ok(Beside { aside: None, held: begin_beside_first(bytes, begins, facts, desk)? })
}

/// Takes the call out of what its right has left. Nothing is held of one that has no handle on its port until it waits.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn begin_beside_first(
    bytes: usize,
    begins: Begins,
    facts: &Facts,
    desk: &Arc<Desk>,
) -> Result<Option<Box<Held>>, Refusal> {
    match claim(desk, bytes, facts.is_ordered) {
        Ok(_) if begins == Begins::AtOnce && desk.begins_at_once && !facts.is_ordered => {
            desk.set_owes_handle(true);
            Ok(None)
        }
        Ok(claimed) => Ok(Some(Box::new(Held::of(desk, claimed)))),
        Err(refusal) => {
            report_refusal(desk, facts.signature.name, &refusal);
            Err(refusal)
        }
    }
}

//! What is said through a gate, as far as those who call have to be told of its end. Pure.

use rustc_hash::FxHashSet;

use super::gate::Shore;
use crate::{
    Message,
    rpc::frame::{CallId, Frame},
};

/// What was said from either shore.
#[derive(Debug, Default)]
pub(super) struct Talks {
    outside: Talk,
    inside: Talk,
    /// Something was said that is nothing of calls: so nobody calls here.
    is_raw: bool,
}

#[derive(Debug, Default)]
struct Talk {
    /// The calls that were made from there and have no answer.
    open: FxHashSet<CallId>,
    /// What is said from there is not what callers say.
    is_no_caller: bool,
}

impl Talks {
    fn of(&mut self, shore: Shore) -> &mut Talk {
        match shore {
            Shore::Outside => &mut self.outside,
            Shore::Inside => &mut self.inside,
        }
    }

    /// Notes what is said from a shore. Whether it brings a port that is to be served.
    pub(super) fn note(&mut self, message: &Message, from: Shore) -> bool {
        match Frame::parse(message.data()) {
            Ok(Frame::Call { id, .. }) => drop(self.of(from).open.insert(id)),
            Ok(Frame::Cancel { id }) => drop(self.of(from).open.remove(&id)),
            Ok(Frame::Tell { .. } | Frame::Pipelined { .. }) => {}
            Ok(Frame::Attach { .. }) => return true,
            Ok(Frame::Reply { id, .. } | Frame::Fault { id, .. }) => {
                self.of(from.other()).open.remove(&id);
                self.of(from).is_no_caller = true;
            }
            Ok(
                Frame::Hello { .. }
                | Frame::Credit { .. }
                | Frame::Goodbye { .. }
                | Frame::Shape { .. }
                | Frame::Farewell { .. },
            ) => self.of(from).is_no_caller = true,
            Err(_) => self.is_raw = true,
        }
        false
    }

    /// The calls from a shore that have no answer, and whether somebody may call from there.
    pub(super) fn take(&mut self, shore: Shore) -> (FxHashSet<CallId>, bool) {
        let Talk { open, is_no_caller } = std::mem::take(self.of(shore));
        (open, !is_no_caller && !self.is_raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::MethodId;

    fn note(talks: &mut Talks, frame: &Frame<'_>, from: Shore) -> bool {
        talks.note(&frame.to_bytes().into(), from)
    }

    #[test]
    fn calls_are_open_until_they_are_answered_or_cancelled_by_whoever_may() {
        let mut talks = Talks::default();
        for id in 1..=4 {
            note(&mut talks, &Frame::call(CallId(id), MethodId(7), &[]), Shore::Outside);
        }

        note(&mut talks, &Frame::Reply { id: CallId(1), result: &[] }, Shore::Inside);
        note(&mut talks, &Frame::Cancel { id: CallId(2) }, Shore::Outside);
        note(&mut talks, &Frame::Cancel { id: CallId(3) }, Shore::Inside);

        let (open, may_call) = talks.take(Shore::Outside);
        let mut open: Vec<_> = open.into_iter().collect();
        open.sort_unstable();
        assert_eq!((open, may_call), (vec![CallId(3), CallId(4)], true));
        assert!(!talks.take(Shore::Inside).1, "who answers does not call");
    }

    #[test]
    fn one_who_has_said_nothing_may_be_a_caller_and_nobody_is_where_something_else_was_said() {
        let mut talks = Talks::default();
        assert!(talks.take(Shore::Outside).1);

        talks.note(&Message::new("raw"), Shore::Inside);

        assert!(!talks.take(Shore::Outside).1);
        assert!(!talks.take(Shore::Inside).1);
    }
}

//! Who gets which files.

use std::{
    collections::VecDeque,
    ffi::OsString,
    task::{Context, Poll},
};

use futures::{
    Stream, StreamExt, TryFutureExt,
    stream::{self, BoxStream, Fuse, SelectAll},
};
use handover::CallError;

use crate::{
    lines::Line,
    sums::{Report, SumsClient},
    tree::Found,
};

/// What is learned on the way.
pub(crate) enum Event {
    /// So many bytes were read.
    Read(u64),
    /// A file is done.
    Hashed(Line),
    /// Something cannot be read, and why.
    Unreadable(OsString, String),
}

/// Has all files hashed that are found. Some are looked for when there is room for them: a few at each worker, so that none is idle.
pub(crate) fn hash_all<'s>(
    found: impl Stream<Item = Result<Found, CallError>> + Send + 's,
    sums: &'s SumsClient,
    workers: usize,
) -> impl Stream<Item = Event> + 's {
    let mut desk = Desk {
        found: found.boxed().fuse(),
        sums,
        waiting: VecDeque::new(),
        hashing: SelectAll::new(),
        room: workers.saturating_mul(2),
    };
    stream::poll_fn(move |cx| desk.poll_event(cx))
}

struct Desk<'s> {
    found: Fuse<BoxStream<'s, Result<Found, CallError>>>,
    sums: &'s SumsClient,
    /// Files that are to be handed out.
    waiting: VecDeque<Vec<OsString>>,
    /// What becomes of those that were.
    hashing: SelectAll<BoxStream<'s, Step>>,
    room: usize,
}

/// What becomes of files that were handed out.
enum Step {
    Event(Event),
    /// Somebody else is to have them.
    Left(Vec<OsString>),
}

impl Desk<'_> {
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        loop {
            if let Poll::Ready(event) = self.poll_hand_out(cx) {
                return Poll::Ready(Some(event));
            }
            let before = self.hashing.len();
            match self.hashing.poll_next_unpin(cx) {
                Poll::Ready(Some(Step::Event(event))) => return Poll::Ready(Some(event)),
                Poll::Ready(Some(Step::Left(files))) => self.waiting.push_back(files),
                // Some are done, so there is room again.
                Poll::Ready(None) | Poll::Pending if self.hashing.len() < before => {}
                Poll::Ready(None) if self.found.is_done() => return Poll::Ready(None),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Hands out files as long as there is room. Ready if something else was found.
    fn poll_hand_out(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        while self.hashing.len() < self.room {
            if let Some(files) = self.waiting.pop_front() {
                self.hashing.push(hash(self.sums, files).boxed());
                continue;
            }
            match self.found.poll_next_unpin(cx) {
                Poll::Ready(Some(Ok(Found::Files(files)))) => self.waiting.push_back(files),
                Poll::Ready(Some(Ok(Found::Unreadable(name, why)))) => {
                    return Poll::Ready(Event::Unreadable(name, why));
                }
                Poll::Ready(Some(Err(lost))) => {
                    return Poll::Ready(Event::Unreadable("the rest".into(), lost.to_string()));
                }
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
        Poll::Pending
    }
}

/// Has files hashed by whoever in the pool has the least to do. Each is told of once, or left, whatever becomes of the worker.
fn hash(sums: &SumsClient, files: Vec<OsString>) -> impl Stream<Item = Step> {
    let mut left = VecDeque::from(files.clone());
    sums.hash(files).try_flatten_stream().flat_map(move |report| stream::iter(steps(&mut left, report)))
}

fn steps(left: &mut VecDeque<OsString>, report: Result<Report, CallError>) -> Vec<Step> {
    let (bytes, ended, reads_on) = match report {
        Ok(Report { bytes, ended, reads_on }) => (bytes, ended, reads_on),
        // It is as likely as not the first file that has ended the worker.
        Err(lost) => (0, vec![Err(lost.to_string())], false),
    };
    let ended: Vec<_> = left.drain(..ended.len().min(left.len())).zip(ended).collect();
    let others = left.split_off(left.len().min(reads_on.into()));
    let ended = ended.into_iter().map(|(name, ended)| match ended {
        Ok(digest) => Event::Hashed(Line { name, digest }),
        Err(why) => Event::Unreadable(name, why),
    });
    let events = [Event::Read(bytes)].into_iter().chain(ended).map(Step::Event);
    let others = (!others.is_empty()).then(|| Step::Left(others.into()));
    events.chain(others).collect()
}

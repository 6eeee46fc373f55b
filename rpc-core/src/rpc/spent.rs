//! A service whose single use was made: the one method runs, and every other call is refused.

use std::{
    collections::HashSet,
    future::poll_fn,
    pin::pin,
    task::{Context, Poll},
};

use super::{
    Refusal, Service,
    arrived::Arrived,
    desk::{At, AtDesk, Desk, DeskReader},
    frame::CallId,
    host::{Reception, SeatKey, Thing, Whence, seat_of},
    serving::{BATCH, Once},
};
use crate::{
    Closed,
    port::{Parcel, Reader, Received},
};

/// Runs the one call that the service was good for, and refuses every other, at every port.
pub(super) async fn serve_once<S: Service>(
    object: S::Object,
    call: S::OnceCall,
    (whence, id): Once,
    first: Option<&Desk>,
    others: &mut Reception,
) {
    let mut ports = Spent::new(first, others);
    let mut waits = id.map(|id| (seat_of(&whence), id));
    {
        let mut handler = pin!(S::run_once(object, call));
        poll_fn(|cx| {
            while let Poll::Ready(Some(news)) = ports.poll_next(cx) {
                if waits.is_some_and(|(seat, id)| news.ends(seat, id)) {
                    return Poll::Ready(());
                }
            }
            let ended = handler.as_mut().poll(cx).map(|answer| post(&whence, first, answer));
            ports.others.join(first);
            let early = ports.others.hub.as_ref().and_then(|hub| hub.early.take());
            for (whence, _, answer) in early.into_iter().flatten() {
                post(&whence, first, answer);
                // It goes on for whoever has the stream, and not for this port.
                waits = None;
            }
            ended
        })
        .await;
    }
    ports.close_those_who_know();
    poll_fn(|cx| {
        loop {
            match ports.poll_next(cx) {
                Poll::Ready(Some(_)) => {}
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await;
}

fn post(whence: &Whence, first: Option<&Desk>, answer: super::Answer) {
    if let Some(desk) = whence.as_ref().map(|desk| &**desk).or(first) {
        desk.post(answer);
    }
}

/// The ports of a service whose single use was made.
struct Spent<'p> {
    desk: Option<&'p Desk>,
    /// Reads that, until it is closed.
    first: Option<DeskReader<'p>>,
    others: &'p mut Reception,
    /// Those at which a call was refused.
    know: HashSet<Option<SeatKey>>,
    /// Whether the use has ended: from then on, who is refused finds the port closed.
    is_over: bool,
}

/// What may end the use.
enum News {
    Cancelled(Option<SeatKey>, CallId),
    /// Nobody is left whom an answer could reach by that port.
    Closed(Option<SeatKey>),
    /// It does not.
    Other,
}

impl News {
    fn ends(&self, of: Option<SeatKey>, id: CallId) -> bool {
        match self {
            Self::Cancelled(seat, cancelled) => *seat == of && *cancelled == id,
            Self::Closed(seat) => *seat == of,
            Self::Other => false,
        }
    }
}

impl<'p> Spent<'p> {
    fn new(first: Option<&'p Desk>, others: &'p mut Reception) -> Self {
        let reader = first.map(AtDesk::First).map(Reader::new);
        Self { desk: first, first: reader, others, know: HashSet::new(), is_over: false }
    }

    /// A peer that tries again is told, once, and finds the port closed after that.
    fn close_those_who_know(&mut self) {
        self.is_over = true;
        for seat in std::mem::take(&mut self.know) {
            self.close(seat);
        }
    }

    fn close(&mut self, seat: Option<SeatKey>) {
        match seat {
            Some(seat) => self.others.leave(seat),
            None => {
                if let Some(first) = self.first.take() {
                    first.port().desk().port.close();
                }
            }
        }
    }

    /// Looks at what came, and refuses what is a call. `None` when no port is left.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<News>> {
        if let Some((first, desk)) = self.first.as_mut().zip(self.desk.map(At::first))
            && let Poll::Ready(came) = first.poll_next(cx)
        {
            return Poll::Ready(Some(match came {
                Ok(Received { parcel, .. }) => self.read(parcel, desk),
                Err(Closed) => {
                    self.first = None;
                    News::Closed(None)
                }
            }));
        }
        // Nobody can call who comes only now, so nothing more is added.
        let Some((seat, thing)) = self.others.next(BATCH, cx) else {
            return if self.first.is_none() && self.others.is_empty() { Poll::Ready(None) } else { Poll::Pending };
        };
        let Some(desk) = self.others.desk(seat).cloned() else { return Poll::Ready(Some(News::Other)) };
        Poll::Ready(Some(match thing {
            Thing::Parcel(parcel) => self.read(parcel.received(), At::other(&desk)),
            Thing::Closed => {
                self.others.leave(seat);
                News::Closed(Some(seat))
            }
        }))
    }

    fn read(&mut self, parcel: Parcel, desk: At<'_>) -> News {
        match Arrived::read(parcel, &desk) {
            Arrived::Call(call) => {
                desk.post(call.at(desk).refuse(Refusal::Spent));
                if self.is_over {
                    self.close(desk.seat);
                } else {
                    self.know.insert(desk.seat);
                }
                News::Other
            }
            Arrived::Cancel(id) => News::Cancelled(desk.seat, id),
            // It leads to nothing, and is closed.
            Arrived::Attach(..) | Arrived::Nothing => News::Other,
        }
    }
}

//! The one task that reads a port for as long as it is served.

use std::{
    borrow::Borrow,
    fmt,
    task::{Context, Poll},
};

use super::{Closed, MessagePort, Parcel, queue::Batch, waiters::WaiterKey};

/// The place at a port of one who reads all that comes there.
///
/// It meets those who post as seldom as it can: delivery is enabled when it first finds nothing, what waits is taken over in one piece, and
/// whoever takes the last waits for the next in the same step. Dropped, it waits no longer, and what it had taken over waits at the port again.
pub(crate) struct Reader<P: Borrow<MessagePort>> {
    port: P,
    key: Option<WaiterKey>,
    /// What was taken over, and was not received.
    batch: Batch,
}

/// What a reader has received.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) parcel: Parcel,
    /// Nothing more waits, and the task is woken when there is more.
    pub(crate) is_last: bool,
}

impl<P: Borrow<MessagePort>> Reader<P> {
    pub(crate) fn new(port: P) -> Self {
        Self { port, key: None, batch: Batch::default() }
    }

    /// What has the port.
    #[inline]
    pub(crate) fn port(&self) -> &P {
        &self.port
    }

    /// Takes the next entry of the queue as it is.
    #[inline(always)]
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Received, Closed>> {
        let taken = |parcel: Parcel| Poll::Ready(Ok(Received { parcel: parcel.received(), is_last: false }));
        match self.batch.pop_to(taken) {
            Some(received) => received,
            None => {
                let polled = self.port.borrow().poll_batch(&mut self.batch, &mut self.key, cx);
                if let Poll::Ready(Err(Closed)) = &polled {
                    // Whoever closed it has woken it, and nothing is registered any more.
                    self.key = None;
                }
                polled
            }
        }
    }

    /// Whether nothing has come since it has found nothing more, so that it would be in vain to look: for one who would do so with the same waker.
    #[inline]
    pub(crate) fn is_quiet(&self) -> bool {
        self.port.borrow().is_quiet()
    }
}

impl<P: Borrow<MessagePort>> Drop for Reader<P> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.port.borrow().forget_waiter(key);
        }
        if !self.batch.is_empty() {
            self.port.borrow().put_batch_back(&mut self.batch);
        }
    }
}

impl<P: Borrow<MessagePort>> fmt::Debug for Reader<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("port", self.port.borrow()).finish_non_exhaustive()
    }
}

/// As whoever serves does it, always with the same waker: who has received the last does not ask again before it is woken, nor where nothing
/// can have come.
#[cfg(test)]
fn poll_turn(reader: &mut Reader<&MessagePort>, cx: &mut Context<'_>, mut take: impl FnMut(Parcel)) -> Poll<Closed> {
    if reader.is_quiet() {
        return Poll::Pending;
    }
    loop {
        match std::task::ready!(reader.poll_next(cx)) {
            Ok(Received { parcel, is_last }) => {
                take(parcel);
                if is_last {
                    return Poll::Pending;
                }
            }
            Err(closed) => return Poll::Ready(closed),
        }
    }
}

#[cfg(all(test, loom))]
mod races {
    use std::future::poll_fn;

    use loom::{future::block_on, model::model, thread};

    use super::*;
    use crate::{Message, MessageChannel};

    #[test]
    fn whoever_reads_all_that_comes_is_woken_for_each_and_gets_it_in_order_and_the_end_after_it() {
        model(|| {
            let (ours, theirs) = MessageChannel::new().into_ports();
            theirs.start();

            let poster = thread::spawn(move || {
                (0..3).for_each(|number| ours.post_message(Message::new([number])).unwrap());
            });
            let mut came = Vec::new();
            let mut reader = Reader::new(&theirs);
            block_on(poll_fn(|cx| {
                poll_turn(&mut reader, cx, |parcel| {
                    let Parcel::Message(message) = parcel else { panic!("a value came") };
                    came.push(message.data()[0]);
                })
            }));

            assert_eq!(came, [0, 1, 2]);
            poster.join().unwrap();
        });
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use futures::task::noop_waker_ref;
    use futures_test::task::new_count_waker;

    use super::*;
    use crate::{Message, MessageChannel};

    fn channel() -> (MessagePort, MessagePort) {
        let (ours, theirs) = MessageChannel::new().into_ports();
        theirs.start();
        (ours, theirs)
    }

    fn number(parcel: &Parcel) -> u8 {
        let Parcel::Message(message) = parcel else { panic!("a value came") };
        message.data()[0]
    }

    fn next(reader: &mut Reader<&MessagePort>) -> Option<(u8, bool)> {
        match reader.poll_next(&mut Context::from_waker(noop_waker_ref())) {
            Poll::Ready(Ok(Received { parcel, is_last })) => Some((number(&parcel), is_last)),
            Poll::Ready(Err(Closed)) | Poll::Pending => None,
        }
    }

    /// LOOP-04, LOOP-06
    #[test]
    fn a_reader_that_is_dropped_leaves_what_it_has_not_received_in_front_of_what_came_since() {
        let (ours, theirs) = channel();
        let post = |number| ours.post_message(Message::new([number])).unwrap();
        (0..4).for_each(post);
        let mut reader = Reader::new(&theirs);
        assert_eq!(next(&mut reader), Some((0, false)));
        assert_eq!(next(&mut reader), Some((1, false)));
        (4..6).for_each(post);

        drop(reader);

        let mut another = Reader::new(&theirs);
        let rest: Vec<_> = std::iter::from_fn(|| next(&mut another)).map(|(number, _)| number).collect();
        assert_eq!(rest, [2, 3, 4, 5]);
    }

    /// PORT-37
    #[test]
    fn a_reader_enables_delivery_of_what_waits_and_of_what_comes() {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let post = |number| ours.post_message(Message::new([number])).unwrap();
        post(1);
        let mut reader = Reader::new(&theirs);

        assert_eq!(next(&mut reader), Some((1, true)));

        post(2);
        assert_eq!(next(&mut reader), Some((2, true)));
    }

    #[test]
    fn whoever_has_received_the_last_is_woken_for_the_next_without_asking_again() {
        let (ours, theirs) = channel();
        let (waker, woken) = new_count_waker();
        let mut cx = Context::from_waker(&waker);
        let mut reader = Reader::new(&theirs);
        assert!(reader.poll_next(&mut cx).is_pending());

        for times in 1..=3 {
            ours.post_message(Message::new([7])).unwrap();
            assert_eq!(woken.get(), times);
            let mut came = 0;
            assert!(poll_turn(&mut reader, &mut cx, |_| came += 1).is_pending());
            assert_eq!(came, 1);
        }
        drop(ours);
        assert_eq!(woken.get(), 4, "it is told of the end too");
    }

    #[test]
    fn a_port_is_quiet_until_anything_happens_to_it() {
        type Change = fn(&MessagePort, &MessagePort);
        let changes: [(&str, Change); 5] = [
            ("a post", |ours, _| ours.post_message("1").unwrap()),
            ("the end of the other end", |ours, _| ours.close()),
            ("its own end", |_, theirs| theirs.close()),
            ("a transfer", |_, theirs| drop(theirs.move_away())),
            ("something put back", |_, theirs| theirs.put_back(Parcel::Message(Message::new([1])))),
        ];
        for (what, change) in changes {
            let (ours, theirs) = channel();
            let (waker, woken) = new_count_waker();
            let mut reader = Reader::new(&theirs);
            assert!(!reader.is_quiet(), "nobody has looked");
            assert!(reader.poll_next(&mut Context::from_waker(&waker)).is_pending());
            assert!(reader.is_quiet());

            change(&ours, &theirs);

            assert!(!reader.is_quiet(), "{what}");
            assert_eq!(woken.get(), 1, "{what}");
        }
    }

    #[test]
    fn a_port_is_not_quiet_as_long_as_anything_is_left() {
        let (ours, theirs) = channel();
        let post = |number| ours.post_message(Message::new([number])).unwrap();
        let mut reader = Reader::new(&theirs);
        assert!(next(&mut reader).is_none());
        (0..3).for_each(post);

        for number in 0..3 {
            assert!(!reader.is_quiet(), "{number} is left");
            assert!(next(&mut reader).is_some());
        }

        while !reader.is_quiet() {
            assert!(next(&mut reader).is_none(), "nothing is left");
        }
    }
}

//! A client and its service, in one context.

use handover_core::{MessageChannel, MessagePort};

use super::{Link, LinkOptions};
use crate::context;

/// Starts something in this context and hands back a client of it. Calls travel as values, as between any two contexts of one process.
///
/// # Panics
/// If this thread is no [context].
///
/// # Examples
/// ```
/// use handover_core::MessagePort;
/// use handover_transports::{context, testing};
///
/// context::block_on(async {
///     let greeter: MessagePort = testing::connect(|port| async move {
///         port.post_message("hello").unwrap();
///     });
///     greeter.start();
///     assert_eq!(greeter.recv().await.unwrap().data(), b"hello");
/// });
/// ```
#[track_caller]
pub fn connect<C, F, Fut>(main: F) -> C
where
    C: From<MessagePort>,
    F: FnOnce(MessagePort) -> Fut,
    Fut: Future<Output = ()> + 'static,
{
    let (ours, theirs) = MessageChannel::new().into_ports();
    context::spawn_local(main(theirs));
    ours.into()
}

/// Starts something in this context at the far end of a link, and hands back a client of it, and the link. Calls travel as bytes, and
/// so do those of every client and port that travels over the link.
///
/// # Panics
/// If this thread is no [context]; and as [`Link::join`].
///
/// # Examples
/// ```
/// use handover_core::MessagePort;
/// use handover_transports::{context, testing::{self, LinkOptions}};
///
/// context::block_on(async {
///     let (greeter, link): (MessagePort, _) = testing::connect_over(LinkOptions::default(), |port| async move {
///         port.post_message("hello").unwrap();
///     });
///     greeter.start();
///     assert_eq!(greeter.recv().await.unwrap().data(), b"hello");
///     assert_eq!(link.passed(), 1);
/// });
/// ```
#[track_caller]
pub fn connect_over<C, F, Fut>(options: LinkOptions, main: F) -> (C, Link)
where
    C: From<MessagePort>,
    F: FnOnce(MessagePort) -> Fut,
    Fut: Future<Output = ()> + 'static,
{
    let (ours, near) = MessageChannel::new().into_ports();
    let far = connect(main);
    let link = Link::spawn(near, far, options);
    (ours.into(), link)
}

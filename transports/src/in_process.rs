//! Services in the context that calls them.

use handover_core::{MessageChannel, MessagePort};

use crate::context;

/// Starts something in this context, and hands back a client of it.
///
/// `main` gets one end of a channel; `C` is made of the other: a client, or the [`MessagePort`] itself.
///
/// # Panics
/// If this thread is no [context].
///
/// # Examples
/// ```
/// use handover_core::MessagePort;
/// use handover_transports::{context, in_process};
///
/// context::block_on(async {
///     let echo: MessagePort = in_process::spawn(|port| async move {
///         port.start();
///         while let Ok(message) = port.recv().await {
///             port.post_message(message).unwrap();
///         }
///     });
///     echo.start();
///     echo.post_message("hello").unwrap();
///     assert_eq!(echo.recv().await.unwrap().data(), b"hello");
/// });
/// ```
pub fn spawn<C, F, Fut>(main: F) -> C
where
    C: From<MessagePort>,
    F: FnOnce(MessagePort) -> Fut,
    Fut: Future<Output = ()> + 'static,
{
    let (ours, theirs) = MessageChannel::new().into_ports();
    context::spawn_local(main(theirs));
    ours.into()
}

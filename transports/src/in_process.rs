//! Services in the context that calls them.

use handover_core::{
    MessageChannel, MessagePort,
    rpc::{Callback, OnceCallback, Wire},
};

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

/// Exports a closure of this context: hands back what calls it, from wherever that is. It is dropped with the last of those who can.
///
/// # Panics
/// If this thread is no [context].
///
/// # Examples
/// ```
/// use handover_transports::{context, in_process};
///
/// context::block_on(async {
///     let double = in_process::callback(async |number: u32| number * 2);
///     assert_eq!(double.call(4).await, Ok(8));
/// });
/// ```
pub fn callback<A, R, F>(function: F) -> Callback<A, R>
where
    A: Wire + Send + 'static,
    R: Wire + Send + 'static,
    F: AsyncFn(A) -> R + 'static,
{
    let (callback, serving) = Callback::new(function);
    context::spawn_local(serving);
    callback
}

/// Exports a closure of this context that is called once at most: hands back what calls it, from wherever that is. Unused, it is
/// dropped with who could have called it.
///
/// # Panics
/// If this thread is no [context].
///
/// # Examples
/// ```
/// use handover_transports::{context, in_process};
///
/// context::block_on(async {
///     let greeting = "hello".to_owned();
///     let greet = in_process::once_callback(async |name: String| greeting + ", " + &name);
///     assert_eq!(greet.call("Ada".to_owned()).await.as_deref(), Ok("hello, Ada"));
/// });
/// ```
pub fn once_callback<A, R, F>(function: F) -> OnceCallback<A, R>
where
    A: Wire + Send + 'static,
    R: Wire + Send + 'static,
    F: AsyncFnOnce(A) -> R + 'static,
{
    let (callback, serving) = OnceCallback::new(function);
    context::spawn_local(serving);
    callback
}

//! The `#[service]` attribute of `handover`.
//!
//! Its phases, a file each: `args` reads the attribute's arguments, `ast` reads the trait, `check` finds every mistake in it,
//! `expand` writes the client and the server, and `fallback` writes what stands in for them after a mistake.

mod args;
mod ast;
mod check;
mod errors;
mod expand;
mod fallback;

use proc_macro::TokenStream;

/// Makes a service of a trait: a typed client, and a server.
///
/// For a trait `Contacts` it writes, beside the trait itself:
/// - `ContactsClient`, made from a port, with a method for each of the trait's. A client is a value that can be an argument
///   or a result of any method, at any depth.
/// - `ContactsServer<S>`, for any `S: Contacts`, with `new(service)` and `serve(port)`.
///
/// # Methods
/// A method is an `async fn` whose arguments and result own their data and are `Serialize`, `Deserialize` and `Send`.
///
/// - `&self`: calls run concurrently.
/// - `self`: single use. The call consumes the client, and the server runs it once, whoever sends.
/// - A method that returns `Result<T, E>` is called for a `Result<T, RpcError<E>>`, any other for a `Result<T, CallError>`.
///
/// # Attributes on a method
/// - `#[rpc(oneway)]`: told, not asked. The call ends when it was posted, with `Result<(), CallError>`.
/// - `#[rpc(id = 7)]`: the method's number on the wire, in place of the hash of its name.
///
/// # Arguments
/// - `#[service(crate = path)]`: where `handover` is, if not at `::handover`.
///
/// # Examples
/// ```
/// use handover::prelude::*;
///
/// #[service]
/// pub trait Adder {
///     async fn add(&self, a: u32, b: u32) -> u32;
/// }
///
/// struct Plain;
///
/// impl Adder for Plain {
///     async fn add(&self, a: u32, b: u32) -> u32 {
///         a + b
///     }
/// }
///
/// handover::block_on(async {
///     let adder: AdderClient = handover::in_process::spawn(|port| AdderServer::new(Plain).serve(port));
///     assert_eq!(adder.add(2, 3).await, Ok(5));
/// });
/// ```
#[proc_macro_attribute]
pub fn service(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::service(args.into(), item.into()).into()
}

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

/// Makes a service of a trait: a typed client, a server, and names of its methods.
///
/// For a trait `Contacts` it writes, beside the trait itself:
/// - `ContactsClient`, made from a port, with a method for each of the trait's. A client is a value that can be an argument
///   or a result of any method, at any depth.
/// - `ContactsServer<S>`, for any `S: Contacts`, with `new(service)`, `serve(port)`, and `host()`.
/// - `ContactsMethod`, an enum of the methods' names: see [below](#rights-on-some-of-the-methods).
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
///
/// # Methods
/// A method is an `async fn`, or a `fn` if it answers at once. What its arguments and its result are made of is `Serialize`,
/// `Deserialize` and `Send`.
///
/// - `&self`: calls run concurrently.
/// - `self`: single use. The call consumes the client, and the server runs it once, whoever sends.
/// - A method that returns `Result<T, E>` is called for a `Result<T, RpcError<E>>`, any other for a `Result<T, CallError>`.
/// - A method may have a body in the trait; that of the service wins.
/// - `&str`, `&[T]`, `&Path`, `&OsStr`, `&CStr`, and `&T` of any other `T` that is `Clone`: the client borrows the argument,
///   what owns the data travels, and the service borrows that. References elsewhere, such as in an `Option`, do not compile.
/// - A first argument that is a `CallContext`, or a reference to one, is the service's alone: the client's method has none.
/// - `impl Stream<Item = T>`, as an argument or as what is returned: see [below](#streams).
///
/// ```
/// use handover::prelude::*;
///
/// #[service]
/// trait Names {
///     async fn longest(&self, names: &[String]) -> Option<String>;
///     fn is_name(&self, text: &str) -> bool;
///     async fn greet(&self, name: &str) -> String {
///         format!("Good day, {name}.")
///     }
/// }
///
/// struct Latin;
///
/// impl Names for Latin {
///     async fn longest(&self, names: &[String]) -> Option<String> {
///         names.iter().max_by_key(|name| name.len()).cloned()
///     }
///
///     fn is_name(&self, text: &str) -> bool {
///         text.chars().all(char::is_alphabetic)
///     }
/// }
///
/// handover::block_on(async {
///     let names: NamesClient = handover::in_process::spawn(|port| NamesServer::new(Latin).serve(port));
///     assert_eq!(names.longest(&["Tell".into(), "Ida".into()]).await, Ok(Some("Tell".into())));
///     assert_eq!(names.is_name("R2D2").await, Ok(false));
///     assert_eq!(names.greet("Ida").await.unwrap(), "Good day, Ida.");
/// });
/// ```
///
/// # The context of a call
/// ```
/// use handover::{Metadatum, prelude::*};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Locale(String);
///
/// impl Metadatum for Locale {
///     const NAME: &'static str = "locale";
/// }
///
/// #[service]
/// trait Greeter {
///     async fn greet(&self, context: &CallContext, name: &str) -> String;
/// }
///
/// struct Polite;
///
/// impl Greeter for Polite {
///     async fn greet(&self, context: &CallContext, name: &str) -> String {
///         match context.metadata() {
///             Ok(Some(Locale(locale))) if locale == "de" => format!("Guten Tag, {name}."),
///             _ => format!("Good day, {name}."),
///         }
///     }
/// }
///
/// handover::block_on(async {
///     let greeter: GreeterClient = handover::in_process::spawn(|port| GreeterServer::new(Polite).serve(port));
///     assert_eq!(greeter.greet("Ida").await.unwrap(), "Good day, Ida.");
///     assert_eq!(greeter.greet("Ida").metadata(&Locale("de".into())).await.unwrap(), "Guten Tag, Ida.");
/// });
/// ```
///
/// # Streams
/// A method returns `impl Stream<Item = T>`, or a `Result` of one: it runs until the stream has ended. Its client awaits a
/// [`Streaming<T>`](../handover/stream/struct.Streaming.html), which yields `Result<T, CallError>`: after an error nothing comes,
/// and `None` comes after the last item only, never because something broke. To drop it ends the method; to stop it lets come
/// what is on its way. `#[rpc(overflow = …)]` says what becomes of items when it is read too slowly. The stream may borrow from the
/// service, and from what is lent to the method, and needs no lifetime for that.
///
/// ```
/// use futures::{Stream, StreamExt, stream};
/// use handover::prelude::*;
///
/// #[service]
/// trait Book {
///     fn pages(&self) -> impl Stream<Item = String>;
///     async fn chapter(&self, number: u32) -> Result<impl Stream<Item = String>, String>;
/// }
///
/// struct Novel(Vec<String>);
///
/// impl Book for Novel {
///     fn pages(&self) -> impl Stream<Item = String> {
///         stream::iter(self.0.iter().cloned())
///     }
///
///     async fn chapter(&self, number: u32) -> Result<impl Stream<Item = String>, String> {
///         if number == 1 { Ok(self.pages()) } else { Err(format!("there is no chapter {number}")) }
///     }
/// }
///
/// handover::block_on(async {
///     let novel = Novel(vec!["Once".into(), "upon a time".into()]);
///     let book: BookClient = handover::in_process::spawn(|port| BookServer::new(novel).serve(port));
///     let mut pages = book.pages().await.unwrap();
///     assert_eq!(pages.next().await, Some(Ok("Once".to_owned())));
///     assert_eq!(pages.next().await, Some(Ok("upon a time".to_owned())));
///     assert_eq!(pages.next().await, None);
///     let missing = book.chapter(2).await.map(drop);
///     assert_eq!(missing, Err(RpcError::Service("there is no chapter 2".to_owned())));
/// });
/// ```
///
/// A method takes `impl Stream<Item = T>` too, one or several. Whoever awaits the call feeds them, with what the service asks for;
/// nothing is spawned. The service gets the items by themselves: if a stream is cut, the method ends. A method that takes streams
/// and returns one is fed by whoever polls what it returned.
///
/// ```
/// use futures::{Stream, StreamExt, stream};
/// use handover::prelude::*;
///
/// #[service]
/// trait Arithmetic {
///     async fn sum(&self, numbers: impl Stream<Item = u32>) -> u32;
///     fn double(&self, numbers: impl Stream<Item = u32>) -> impl Stream<Item = u32>;
/// }
///
/// struct Abacus;
///
/// impl Arithmetic for Abacus {
///     async fn sum(&self, numbers: impl Stream<Item = u32>) -> u32 {
///         numbers.fold(0, async |sum, number| sum + number).await
///     }
///
///     fn double(&self, numbers: impl Stream<Item = u32>) -> impl Stream<Item = u32> {
///         numbers.map(|number| 2 * number)
///     }
/// }
///
/// handover::block_on(async {
///     let abacus: ArithmeticClient = handover::in_process::spawn(|port| ArithmeticServer::new(Abacus).serve(port));
///     assert_eq!(abacus.sum(stream::iter([1, 2, 3])).await, Ok(6));
///     let doubled = abacus.double(stream::iter([1, 2, 3])).await.unwrap();
///     assert_eq!(doubled.collect::<Vec<_>>().await, [Ok(2), Ok(4), Ok(6)]);
/// });
/// ```
///
/// Items that are `Result<T, X>`, spelled out, have an error of their own: the client's are `Result<T, RpcError<X>>`, and one that
/// is an error does not end the stream. Inside of other types, a stream is a value and is written as one: `Streaming<T>`.
///
/// ```
/// use futures::{Stream, StreamExt, stream};
/// use handover::prelude::*;
///
/// #[service]
/// trait Scores {
///     #[rpc(overflow = DropOldest { waiting: 8 })]
///     fn read(&self, lines: Vec<String>) -> impl Stream<Item = Result<u32, String>>;
/// }
///
/// struct Reader;
///
/// impl Scores for Reader {
///     fn read(&self, lines: Vec<String>) -> impl Stream<Item = Result<u32, String>> {
///         stream::iter(lines).map(|line| line.parse().map_err(|_| format!("{line} is no score")))
///     }
/// }
///
/// handover::block_on(async {
///     let scores: ScoresClient = handover::in_process::spawn(|port| ScoresServer::new(Reader).serve(port));
///     let read = scores.read(vec!["1".into(), "two".into(), "3".into()]).await.unwrap();
///     let two = Err(RpcError::Service("two is no score".to_owned()));
///     assert_eq!(read.collect::<Vec<_>>().await, [Ok(1), two, Ok(3)]);
/// });
/// ```
///
/// # Types that are left open
/// A trait may have parameters, of types and constants, and associated types; it says itself that what travels of them is
/// `Serialize` and `DeserializeOwned`, or in one word `handover::rpc::Wire`. The client and the server have them as parameters,
/// the associated types behind the others. A `where` clause of a method may ask more of them.
///
/// ```
/// use handover::{prelude::*, rpc::Wire};
///
/// #[service]
/// trait Lookup<K: Wire> {
///     type Value: Wire;
///     async fn look_up(&self, key: K) -> Option<Self::Value>;
/// }
///
/// struct Squares;
///
/// impl Lookup<u32> for Squares {
///     type Value = u64;
///
///     async fn look_up(&self, key: u32) -> Option<u64> {
///         u64::from(key).checked_pow(2)
///     }
/// }
///
/// handover::block_on(async {
///     let squares: LookupClient<u32, u64> = handover::in_process::spawn(|port| LookupServer::new(Squares).serve(port));
///     assert_eq!(squares.look_up(12).await, Ok(Some(144)));
/// });
/// ```
///
/// # Super-services
/// A supertrait is a service: its client and its server are part of this one's. It is found by the name of its client, beside
/// the trait: for `a::Contacts`, `a::ContactsClient`. What its associated types are is said in their order: `Kv<Key = u32>`.
///
/// The client dereferences to that of the first super-service, and has each by `AsRef` and by `From`. A method of theirs that
/// takes `self` is called by turning the client into theirs. A method must not have the id of one of theirs.
///
/// Supertraits of std and of serde, known by their names, are no services; others that are none are named in `plain(…)`.
///
/// ```
/// use handover::prelude::*;
///
/// trait Titled {
///     fn title(&self) -> &'static str;
/// }
///
/// #[service]
/// trait Contacts {
///     async fn count(&self) -> u32;
/// }
///
/// #[service]
/// trait Log {
///     async fn last_line(&self) -> String;
/// }
///
/// #[service(plain(Titled))]
/// trait Admin: Contacts + Log + Titled + Send {
///     async fn clear(&self) -> bool;
/// }
///
/// struct Book;
///
/// impl Titled for Book {
///     fn title(&self) -> &'static str {
///         "A book"
///     }
/// }
///
/// impl Contacts for Book {
///     async fn count(&self) -> u32 {
///         7
///     }
/// }
///
/// impl Log for Book {
///     async fn last_line(&self) -> String {
///         format!("{} was opened", self.title())
///     }
/// }
///
/// impl Admin for Book {
///     async fn clear(&self) -> bool {
///         false
///     }
/// }
///
/// handover::block_on(async {
///     let admin: AdminClient = handover::in_process::spawn(|port| AdminServer::new(Book).serve(port));
///     assert_eq!(admin.count().await, Ok(7));
///     let log: &LogClient = admin.as_ref();
///     assert_eq!(log.last_line().await.unwrap(), "A book was opened");
///     assert_eq!(admin.clear().await, Ok(false));
///     let contacts = ContactsClient::from(admin);
///     assert_eq!(contacts.count().await, Ok(7));
/// });
/// ```
///
/// # Rights on some of the methods
/// A method `add_all` of `Contacts` is `ContactsMethod::AddAll`, and turns into its `MethodId`; its documentation and its `#[cfg]` go
/// along. Those of a super-service `Log` are `ContactsMethod::Log(LogMethod::LastLine)`, or `LogMethod::LastLine.into()`; where the service
/// has parameters, they are only `LogMethod`'s.
///
/// ```
/// use handover::{Refusal, context, prelude::*};
///
/// #[service]
/// trait Contacts {
///     async fn add(&self, name: &str);
///     async fn remove_all(&self);
/// }
///
/// struct Book;
///
/// impl Contacts for Book {
///     async fn add(&self, _: &str) {}
///     async fn remove_all(&self) {}
/// }
///
/// handover::block_on(async {
///     let (host, hosting) = ContactsServer::new(Book).host();
///     context::spawn_local(async move { drop(hosting.serve().await) });
///     let right = host.grant().only([ContactsMethod::Add]).client();
///     assert_eq!(right.add("Tell").await, Ok(()));
///     let unknown = Refusal::UnknownMethod(ContactsMethod::RemoveAll.into());
///     assert_eq!(right.remove_all().await, Err(CallError::Refused(unknown)));
/// });
/// ```
///
/// # Views
/// A client with fewer methods is a view: what a right on those is called by. That of a super-service is one. Another names the service,
/// and declares some of its methods as they are there; that they are is checked by the compiler. What it lacks is not there for its
/// holder, whatever that sends.
///
/// ```
/// use handover::{context, prelude::*};
///
/// #[service]
/// trait Contacts {
///     async fn add(&self, name: &str);
///     async fn count(&self) -> u32;
/// }
///
/// #[service(view_of = Contacts)]
/// trait ContactsReader {
///     async fn count(&self) -> u32;
/// }
///
/// struct Book;
///
/// impl Contacts for Book {
///     async fn add(&self, _: &str) {}
///     async fn count(&self) -> u32 {
///         7
///     }
/// }
///
/// handover::block_on(async {
///     let (host, hosting) = ContactsServer::new(Book).host();
///     context::spawn_local(async move { drop(hosting.serve().await) });
///     let reader: ContactsReaderClient = host.grant().view().client();
///     assert_eq!(reader.count().await, Ok(7));
///     // Whoever has all rights gives some of them away in the same way.
///     let of_a_holder: ContactsReaderClient = host.client().narrow().calls(1).view().client();
///     assert_eq!(of_a_holder.count().await, Ok(7));
/// });
/// ```
///
/// # Attributes on a method
/// - `#[rpc(oneway)]`: told, not asked. The call ends when it was posted, with `Result<(), CallError>`.
/// - `#[rpc(id = 7)]`: the method's number on the wire, in place of the hash of its name. So a method may change its name.
/// - `#[rpc(ordered)]`: calls of the method run one after the other, in the order in which they came; all methods that say so share
///   one queue. One that returns a stream has its turn until that has ended.
/// - `#[rpc(no_cancel)]`: the method runs to its end also if its caller waits no longer, or its time is up.
/// - `#[rpc(overflow = KeepLatest)]`, of a method that returns a stream: what becomes of items when their consumer is slow, a variant
///   of `handover::stream::Overflow`. `Wait`, which is the default: the method waits too. `DropOldest { waiting: 8 }`: so many wait,
///   and the oldest is dropped. `DropNewest`: what comes is dropped. `KeepLatest`: the last one waits. `End`: the stream ends with an
///   error that says so.
///
/// `#[cfg]`, `#[doc]`, `#[deprecated]`, `#[must_use]` and `#[allow]` go along to the client's method.
///
/// ```
/// use handover::prelude::*;
///
/// #[service]
/// trait Counter {
///     #[rpc(oneway)]
///     async fn add(&self, number: u32);
///     #[rpc(id = 7)]
///     async fn total(&self) -> u32;
///     #[rpc(ordered, no_cancel)]
///     async fn save(&self) -> bool;
/// }
///
/// #[derive(Default)]
/// struct Sum(std::cell::Cell<u32>);
///
/// impl Counter for Sum {
///     async fn add(&self, number: u32) {
///         self.0.set(self.0.get() + number);
///     }
///
///     async fn total(&self) -> u32 {
///         self.0.get()
///     }
///
///     async fn save(&self) -> bool {
///         true
///     }
/// }
///
/// handover::block_on(async {
///     let counter: CounterClient = handover::in_process::spawn(|port| CounterServer::new(Sum::default()).serve(port));
///     counter.add(2).await.unwrap();
///     counter.add(3).await.unwrap();
///     assert_eq!(counter.total().await, Ok(5));
///     assert_eq!(counter.save().await, Ok(true));
/// });
/// ```
///
/// # Arguments
/// - `#[service(client_trait)]`: the client implements the trait too, so that code which is generic over the service takes
///   the service itself, a mock, or a client. Each method but one-way ones returns a `Result<T, E>` with an `E` that is
///   `From<CallError>`. That a one-way call could not be sent is not told. The items of a stream that is returned are such
///   `Result`s too, for it may be cut; the method itself then need not return one.
/// - `#[service(plain(Titled))]`: supertraits that are no services.
/// - `#[service(view_of = Contacts)]`: see [above](#views).
/// - `#[service(crate = path)]`: where `handover` is, if not at `::handover`.
///
/// ```
/// use handover::{CallError, prelude::*};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// enum AddError {
///     Full,
///     Unreachable,
/// }
///
/// impl From<CallError> for AddError {
///     fn from(_: CallError) -> Self {
///         Self::Unreachable
///     }
/// }
///
/// #[service(client_trait)]
/// trait Contacts {
///     async fn add(&self, name: &str) -> Result<u32, AddError>;
/// }
///
/// struct Mock;
///
/// impl Contacts for Mock {
///     async fn add(&self, name: &str) -> Result<u32, AddError> {
///         if name == "Tell" { Ok(1) } else { Err(AddError::Full) }
///     }
/// }
///
/// async fn import(contacts: &impl Contacts) -> Result<u32, AddError> {
///     contacts.add("Tell").await
/// }
///
/// handover::block_on(async {
///     let client: ContactsClient = handover::in_process::spawn(|port| ContactsServer::new(Mock).serve(port));
///     assert_eq!(import(&Mock).await, Ok(1));
///     assert_eq!(import(&client).await, Ok(1));
/// });
/// ```
///
/// ```
/// /// What an application calls the crates that it uses.
/// mod deps {
///     pub use handover as transfer;
/// }
///
/// #[deps::transfer::service(crate = crate::deps::transfer)]
/// trait Adder {
///     async fn add(&self, a: u32, b: u32) -> u32;
/// }
///
/// # fn main() {
/// let (ours, _theirs) = deps::transfer::MessageChannel::new().into_ports();
/// let _client = AdderClient::from(ours);
/// # }
/// ```
#[proc_macro_attribute]
pub fn service(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::service(args.into(), item.into()).into()
}

//! What a service trait may look like, and what its surroundings may deny: each compiles without a word, and is called.
#![forbid(unsafe_code)]
#![deny(
    warnings,
    future_incompatible,
    rust_2024_compatibility,
    missing_docs,
    unreachable_pub,
    unused,
    clippy::pedantic
)]

use std::fmt;

use handover::{block_on, in_process::spawn, prelude::*, rpc::MethodId};

/// What each test does: serves, calls, and compares.
fn check<C: From<MessagePort>, F: Future<Output = ()> + 'static>(
    serve: impl FnOnce(MessagePort) -> F,
    call: impl AsyncFnOnce(C),
) {
    block_on(async { call(spawn(serve)).await });
}

/// Services that other crates could call, so that every lint on what is public looks at them.
pub mod public {
    #![forbid(missing_docs)]
    #![deny(let_underscore, nonstandard_style, rust_2018_idioms)]
    #![deny(
        elided_lifetimes_in_paths,
        explicit_outlives_requirements,
        missing_debug_implementations,
        single_use_lifetimes
    )]
    #![deny(trivial_casts, unit_bindings, unnameable_types, unused_lifetimes, unused_qualifications, unused_results)]
    #![deny(clippy::nursery, variant_size_differences)]

    use std::borrow::Cow;

    use handover::prelude::*;
    use serde::{Deserialize, Serialize};

    /// Why not.
    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Refused {
        /// In words.
        pub why: Cow<'static, str>,
    }

    /// A service with a bit of everything.
    #[service]
    pub trait Everything: Send + Sync + 'static {
        /// Nothing in, nothing out.
        async fn nothing(&self);
        /** Has another kind of comment. */
        async fn text(&self, text: String) -> String;
        #[doc = "Has no comment at all."]
        async fn refuse(&self, why: Cow<'static, str>) -> Result<(), Refused>;
        /// Has a body already.
        async fn answer(&self) -> u32 {
            42
        }
        /// Is good for one call.
        async fn last(self) -> [u8; 2];
        /// Is told only.
        #[rpc(oneway, id = 7)]
        async fn note(&self, text: String);
        /// Takes many things, and some of them are made of others.
        #[allow(clippy::too_many_arguments, reason = "there is no limit, and this shows it")]
        async fn many(
            &self,
            one: u8,
            two: (u8, u8),
            three: [u8; 3],
            four: Vec<u8>,
            five: Option<u8>,
            six: String,
            seven: (),
            eight: u8,
            nine: u8,
            ten: Option<EverythingClient>,
        ) -> u8;
    }

    pub(super) struct It;

    impl Everything for It {
        async fn nothing(&self) {}

        async fn text(&self, text: String) -> String {
            text
        }

        async fn refuse(&self, why: Cow<'static, str>) -> Result<(), Refused> {
            Err(Refused { why })
        }

        async fn last(self) -> [u8; 2] {
            [4, 2]
        }

        async fn note(&self, text: String) {
            assert_eq!(text, "a note");
        }

        async fn many(
            &self,
            one: u8,
            two: (u8, u8),
            three: [u8; 3],
            four: Vec<u8>,
            five: Option<u8>,
            six: String,
            (): (),
            eight: u8,
            nine: u8,
            ten: Option<EverythingClient>,
        ) -> u8 {
            assert!(six.is_empty() && ten.is_none());
            one + two.1 + three[2] + four[3] + five.unwrap() + eight + nine
        }
    }
}

#[test]
fn a_public_service_with_a_bit_of_everything_is_served() {
    use public::{EverythingClient, EverythingServer, It, Refused};

    check(
        |port| EverythingServer::new(It).serve(port),
        async |client: EverythingClient| {
            assert_eq!(client.nothing().await, Ok(()));
            assert_eq!(client.text("text".into()).await.unwrap(), "text");
            let refused = client.refuse("why not".into()).await;
            assert_eq!(refused, Err(RpcError::Service(Refused { why: "why not".into() })));
            assert_eq!(client.answer().await, Ok(42));
            assert_eq!(client.note("a note".into()).await, Ok(()));
            assert_eq!(
                client.many(1, (0, 2), [0, 0, 3], vec![0, 0, 0, 4], Some(5), String::new(), (), 8, 9, None).await,
                Ok(32)
            );
            assert_eq!(client.last().await, Ok([4, 2]));
        },
    );
}

/// Services that reach exactly as far as their traits.
mod visibility {
    pub(crate) mod inner {
        use handover::prelude::*;
        use serde::{Deserialize, Serialize};

        /// Reaches less far than the trait, as is common where nothing leaves the crate.
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        pub(crate) struct Entry(pub(crate) u32);

        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        pub(crate) struct NotFound;

        #[service]
        pub(crate) trait InTheCrate {
            async fn double(&self, number: u32) -> u32;
        }

        #[service]
        pub(in crate::visibility) trait InThePath {
            async fn double(&self, number: u32) -> u32;
        }

        #[service]
        pub(super) trait InTheParent {
            async fn double(&self, number: u32) -> u32;
        }

        #[service]
        trait Here {
            async fn double(&self, number: u32) -> u32;
        }

        #[service]
        #[allow(unreachable_pub, reason = "this is what is looked at")]
        pub trait OfLesserTypes {
            async fn get(&self, entry: Entry) -> Result<Entry, NotFound>;
        }

        pub(crate) struct Doubling;

        impl InTheCrate for Doubling {
            async fn double(&self, number: u32) -> u32 {
                number * 2
            }
        }

        impl InThePath for Doubling {
            async fn double(&self, number: u32) -> u32 {
                number * 2
            }
        }

        impl InTheParent for Doubling {
            async fn double(&self, number: u32) -> u32 {
                number * 2
            }
        }

        impl Here for Doubling {
            async fn double(&self, number: u32) -> u32 {
                number * 2
            }
        }

        impl OfLesserTypes for Doubling {
            async fn get(&self, entry: Entry) -> Result<Entry, NotFound> {
                if entry.0 == 0 { Err(NotFound) } else { Ok(entry) }
            }
        }

        pub(crate) fn here() {
            crate::check(
                |port| HereServer::new(Doubling).serve(port),
                async |client: HereClient| assert_eq!(client.double(4).await, Ok(8)),
            );
        }
    }

    use inner::{Doubling, InTheParentClient, InTheParentServer, InThePathClient, InThePathServer};

    pub(crate) fn in_the_parent() {
        crate::check(
            |port| InTheParentServer::new(Doubling).serve(port),
            async |client: InTheParentClient| assert_eq!(client.double(4).await, Ok(8)),
        );
    }

    pub(crate) fn in_the_path() {
        crate::check(
            |port| InThePathServer::new(Doubling).serve(port),
            async |client: InThePathClient| assert_eq!(client.double(4).await, Ok(8)),
        );
    }
}

#[test]
fn a_client_and_a_server_reach_as_far_as_their_trait() {
    use visibility::inner::{Doubling, InTheCrateClient, InTheCrateServer};

    visibility::inner::here();
    visibility::in_the_parent();
    visibility::in_the_path();
    check(
        |port| InTheCrateServer::new(Doubling).serve(port),
        async |client: InTheCrateClient| assert_eq!(client.double(4).await, Ok(8)),
    );
}

#[test]
fn the_types_of_a_public_service_may_reach_less_far() {
    use visibility::inner::{Doubling, Entry, NotFound, OfLesserTypesClient, OfLesserTypesServer};

    check(
        |port| OfLesserTypesServer::new(Doubling).serve(port),
        async |client: OfLesserTypesClient| {
            assert_eq!(client.get(Entry(7)).await, Ok(Entry(7)));
            assert_eq!(client.get(Entry(0)).await, Err(RpcError::Service(NotFound)));
        },
    );
}

#[test]
fn a_service_may_be_declared_inside_a_function_with_types_of_the_function() {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Entry(u32);

    #[service]
    trait Local {
        async fn get(&self, entry: Entry) -> Entry;
    }

    struct It;

    impl Local for It {
        async fn get(&self, entry: Entry) -> Entry {
            entry
        }
    }

    check(
        |port| LocalServer::new(It).serve(port),
        async |client: LocalClient| assert_eq!(client.get(Entry(7)).await, Ok(Entry(7))),
    );
}

#[service]
#[expect(clippy::too_many_arguments, reason = "these are all the names that generated code uses itself")]
trait ArgumentNames {
    async fn sum(
        &self,
        args: u32,
        responder: u32,
        call: u32,
        incoming: u32,
        to: u32,
        from: u32,
        service: u32,
        port: u32,
        returned: u32,
        client: u32,
        method: u32,
        arg1: u32,
        r#type: u32,
        _unused: u32,
        _: u32,
    ) -> u32;

    async fn same(&self, number: u32, number: u32) -> u32;

    async fn destructured(&self, (a, b): (u32, u32), mut c: u32, _: u32) -> u32 {
        c += a + b;
        c
    }
}

struct Summing;

#[expect(clippy::similar_names, reason = "the names are the trait's")]
impl ArgumentNames for Summing {
    async fn sum(
        &self,
        args: u32,
        responder: u32,
        call: u32,
        incoming: u32,
        to: u32,
        from: u32,
        service: u32,
        port: u32,
        returned: u32,
        client: u32,
        method: u32,
        arg1: u32,
        r#type: u32,
        _unused: u32,
        last: u32,
    ) -> u32 {
        let ours = args + responder + call + incoming + to + from + service + port + returned + client + method;
        ours + arg1 + r#type + last
    }

    async fn same(&self, one: u32, other: u32) -> u32 {
        one - other
    }
}

#[test]
fn arguments_may_be_named_like_anything_in_generated_code_or_not_at_all() {
    check(
        |port| ArgumentNamesServer::new(Summing).serve(port),
        async |client: ArgumentNamesClient| {
            assert_eq!(client.sum(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1).await, Ok(14));
            assert_eq!(client.same(3, 2).await, Ok(1));
            assert_eq!(client.destructured((1, 2), 3, 4).await, Ok(6));
        },
    );
}

#[service]
#[expect(clippy::wrong_self_convention, reason = "these are all the names that generated code uses itself")]
trait MethodNames {
    async fn from(&self) -> u8;
    async fn into(&self) -> u8;
    async fn new(&self) -> u8;
    async fn serve(&self) -> u8;
    async fn port(&self) -> u8;
    async fn into_port(&self) -> u8;
    async fn clone(&self) -> u8;
    async fn fmt(&self) -> u8;
    async fn drop(&self) -> u8;
    async fn closed(&self) -> u8;
    async fn run(&self) -> u8;
    async fn run_once(self) -> u8;
    async fn open(&self) -> u8;
    async fn call(&self) -> u8;
    async fn tell(&self) -> u8;
    async fn encode_args(&self, argument: u8) -> u8;
    async fn serialize(&self) -> u8;
    async fn r#type(&self) -> u8;
    async fn r#await(&self) -> u8;
    async fn _hidden(&self) -> u8;
}

struct Named;

impl MethodNames for Named {
    async fn from(&self) -> u8 {
        1
    }

    async fn into(&self) -> u8 {
        2
    }

    async fn new(&self) -> u8 {
        3
    }

    async fn serve(&self) -> u8 {
        4
    }

    async fn port(&self) -> u8 {
        5
    }

    async fn into_port(&self) -> u8 {
        6
    }

    async fn clone(&self) -> u8 {
        7
    }

    async fn fmt(&self) -> u8 {
        8
    }

    async fn drop(&self) -> u8 {
        9
    }

    async fn closed(&self) -> u8 {
        10
    }

    async fn run(&self) -> u8 {
        11
    }

    async fn run_once(self) -> u8 {
        12
    }

    async fn open(&self) -> u8 {
        13
    }

    async fn call(&self) -> u8 {
        14
    }

    async fn tell(&self) -> u8 {
        15
    }

    async fn encode_args(&self, argument: u8) -> u8 {
        argument
    }

    async fn serialize(&self) -> u8 {
        17
    }

    async fn r#type(&self) -> u8 {
        18
    }

    async fn r#await(&self) -> u8 {
        19
    }

    async fn _hidden(&self) -> u8 {
        20
    }
}

#[test]
fn methods_may_be_named_like_anything_that_a_client_or_a_server_has() {
    check(
        |port| MethodNamesServer::new(Named).serve(port),
        async |client: MethodNamesClient| {
            assert_eq!(client.from().await, Ok(1));
            assert_eq!(client.new().await, Ok(3));
            assert_eq!(client.serve().await, Ok(4));
            assert_eq!(client.port().await, Ok(5));
            // These two would be `Into` and `Client`, which take `self` and so are found first.
            assert_eq!(MethodNamesClient::into(&client).await, Ok(2));
            assert_eq!(MethodNamesClient::into_port(&client).await, Ok(6));
            assert_eq!(client.clone().await, Ok(7));
            assert_eq!(client.fmt().await, Ok(8));
            assert_eq!(client.drop().await, Ok(9));
            assert_eq!(client.closed().await, Ok(10));
            assert_eq!(client.run().await, Ok(11));
            assert_eq!(client.open().await, Ok(13));
            assert_eq!(client.call().await, Ok(14));
            assert_eq!(client.tell().await, Ok(15));
            assert_eq!(client.encode_args(16).await, Ok(16));
            assert_eq!(client.serialize().await, Ok(17));
            assert_eq!(client.r#type().await, Ok(18));
            assert_eq!(client.r#await().await, Ok(19));
            assert_eq!(client._hidden().await, Ok(20));
            assert_eq!(client.run_once().await, Ok(12));
        },
    );
}

#[test]
fn each_method_has_a_name_in_an_enum_whatever_it_is_called() {
    use MethodNamesMethod::{Await, EncodeArgs, From, Hidden, Into, RunOnce, Type};

    let ids = [From, Into, RunOnce, EncodeArgs, Type, Await, Hidden].map(MethodId::from);

    let names = ["from", "into", "run_once", "encode_args", "type", "await", "_hidden"];
    assert_eq!(ids, names.map(MethodId::of_name));
}

#[service]
trait AlikeNames {
    async fn a_b(&self);
    async fn ab(&self);
    #[allow(non_snake_case, reason = "this is what is looked at")]
    async fn aB(&self);
    async fn _a_b(&self);
    async fn self_(&self);
    async fn _1(&self);
    async fn __(&self);
    async fn größe(&self);
}

#[test]
fn names_that_camel_case_does_not_tell_apart_have_an_underscore_more() {
    use AlikeNamesMethod::{_Self, AB, AB_, AB__, Ab, Größe};

    let ids = [AB, Ab, AB_, AB__, _Self, AlikeNamesMethod::_1, AlikeNamesMethod::__, Größe].map(MethodId::from);

    assert_eq!(ids, ["a_b", "ab", "aB", "_a_b", "self_", "_1", "__", "größe"].map(MethodId::of_name));
}

#[test]
fn what_a_method_hides_is_found_by_its_full_name() {
    let (port, _other) = MessageChannel::new().into_ports();

    let client = <MethodNamesClient as From<MessagePort>>::from(port);

    assert!(!Client::port(&client).is_closed());
    assert!(!Client::into_port(client).is_closed());
}

/// Names of the prelude and of `handover` that mean something else here.
mod shadowed {
    #![no_implicit_prelude]

    use ::handover::service;
    use ::serde::{Deserialize, Serialize};

    pub(crate) mod core {}
    pub(crate) mod std {}
    pub(crate) mod handover {}
    pub(crate) mod serde {}

    #[derive(Serialize, Deserialize)]
    pub(crate) struct String(pub(crate) u32);

    #[derive(Serialize, Deserialize)]
    pub(crate) enum Option {
        Some,
    }

    #[derive(Serialize, Deserialize)]
    pub(crate) struct Send;

    #[derive(Serialize, Deserialize)]
    pub(crate) struct MessagePort;

    /// Named like a parameter of generated code, as are the next two.
    #[derive(Serialize, Deserialize)]
    pub(crate) struct D;

    #[derive(Serialize, Deserialize)]
    pub(crate) struct T;

    #[service]
    pub(crate) trait S {
        async fn all(&self, text: String, option: Option, send: Send, port: MessagePort, d: D, t: T) -> String;
    }

    pub(crate) struct It;

    impl S for It {
        async fn all(&self, text: String, _: Option, _: Send, _: MessagePort, _: D, _: T) -> String {
            text
        }
    }
}

#[test]
fn a_service_may_stand_where_no_name_has_its_usual_meaning() {
    use shadowed::{It, SClient, SServer};

    check(
        |port| SServer::new(It).serve(port),
        async |client: SClient| {
            let (option, port) = (shadowed::Option::Some, shadowed::MessagePort);
            let all = client.all(shadowed::String(7), option, shadowed::Send, port, shadowed::D, shadowed::T);
            assert_eq!(all.await.unwrap().0, 7);
        },
    );
}

/// Each way to say `Result`.
mod results {
    pub(crate) mod fallible {
        pub(crate) type Result<T, E = super::Failed> = std::result::Result<T, E>;
    }

    pub(crate) type Outcome<T> = Result<T, Failed>;

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    pub(crate) struct Failed;

    #[handover::service]
    pub(crate) trait Results {
        async fn of_the_prelude(&self) -> Result<u8, Failed>;
        async fn of_a_path(&self) -> std::result::Result<u8, Failed>;
        async fn of_an_alias(&self) -> fallible::Result<u8>;
        async fn of_an_alias_with_its_error(&self) -> fallible::Result<u8, u8>;
        async fn of_another_name(&self) -> Outcome<u8>;
        async fn in_a_result(&self) -> Result<Result<u8, Failed>, Failed>;
        async fn in_parentheses(&self) -> Option<(Result<u8, Failed>,)>;
    }

    pub(crate) struct Failing;

    impl Results for Failing {
        async fn of_the_prelude(&self) -> Result<u8, Failed> {
            Err(Failed)
        }

        async fn of_a_path(&self) -> std::result::Result<u8, Failed> {
            Err(Failed)
        }

        async fn of_an_alias(&self) -> fallible::Result<u8> {
            Err(Failed)
        }

        async fn of_an_alias_with_its_error(&self) -> fallible::Result<u8, u8> {
            Err(7)
        }

        async fn of_another_name(&self) -> Outcome<u8> {
            Err(Failed)
        }

        async fn in_a_result(&self) -> Result<Result<u8, Failed>, Failed> {
            Ok(Err(Failed))
        }

        async fn in_parentheses(&self) -> Option<(Result<u8, Failed>,)> {
            Some((Err(Failed),))
        }
    }
}

#[test]
fn a_result_is_known_by_its_name_and_anything_else_is_a_value() {
    use results::{Failed, Failing, ResultsClient, ResultsServer};

    check(
        |port| ResultsServer::new(Failing).serve(port),
        async |client: ResultsClient| {
            assert_eq!(client.of_the_prelude().await, Err(RpcError::Service(Failed)));
            assert_eq!(client.of_a_path().await, Err(RpcError::Service(Failed)));
            assert_eq!(client.of_an_alias().await, Err(RpcError::Service(Failed)));
            assert_eq!(client.of_an_alias_with_its_error().await, Err(RpcError::Service(7)));
            assert_eq!(client.of_another_name().await, Ok(Err(Failed)));
            assert_eq!(client.in_a_result().await, Ok(Err(Failed)));
            assert_eq!(client.in_parentheses().await, Ok(Some((Err(Failed),))));
        },
    );
}

#[service]
trait Empty {}

struct Nothing;

impl Empty for Nothing {}

#[test]
fn a_service_without_methods_is_served_until_its_client_goes() {
    block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let client = EmptyClient::from(ours);
        let served = EmptyServer::new(Nothing).serve(theirs);

        drop(client);

        served.await;
    });
}

/// Makes a service of traits that a macro writes: names and types come from elsewhere.
macro_rules! numbers {
    ($vis:vis trait $name:ident for $service:ident -> $output:ty { $($method:ident = $number:expr;)* }) => {
        #[service]
        $vis trait $name {
            $(async fn $method(&self, number: $output) -> $output;)*
            async fn checked(&self, port: $output) -> Result<$output, $output>;
        }

        struct $service;

        impl $name for $service {
            $(async fn $method(&self, number: $output) -> $output {
                number + $number
            })*

            async fn checked(&self, port: $output) -> Result<$output, $output> {
                Err(port)
            }
        }
    };
}

numbers! {
    trait Fifty for Adding -> u32 {
        m1 = 1; m2 = 2; m3 = 3; m4 = 4; m5 = 5; m6 = 6; m7 = 7; m8 = 8; m9 = 9; m10 = 10;
        m11 = 11; m12 = 12; m13 = 13; m14 = 14; m15 = 15; m16 = 16; m17 = 17; m18 = 18; m19 = 19; m20 = 20;
        m21 = 21; m22 = 22; m23 = 23; m24 = 24; m25 = 25; m26 = 26; m27 = 27; m28 = 28; m29 = 29; m30 = 30;
        m31 = 31; m32 = 32; m33 = 33; m34 = 34; m35 = 35; m36 = 36; m37 = 37; m38 = 38; m39 = 39; m40 = 40;
        m41 = 41; m42 = 42; m43 = 43; m44 = 44; m45 = 45; m46 = 46; m47 = 47; m48 = 48; m49 = 49; m50 = 50;
    }
}

#[test]
fn a_macro_may_write_a_service_and_it_may_have_fifty_methods() {
    check(
        |port| FiftyServer::new(Adding).serve(port),
        async |client: FiftyClient| {
            assert_eq!(client.m1(100).await, Ok(101));
            assert_eq!(client.m50(100).await, Ok(150));
            assert_eq!(client.checked(7).await, Err(RpcError::Service(7)));
        },
    );
}

/// A result that is one token to the attribute.
macro_rules! of_type {
    ($output:ty) => {
        #[service]
        trait OfType {
            async fn get(&self) -> $output;
        }

        impl OfType for Nothing {
            async fn get(&self) -> $output {
                Err(7)
            }
        }
    };
}

of_type!(Result<u8, u32>);

#[test]
fn a_result_that_a_macro_passes_on_is_a_result() {
    check(
        |port| OfTypeServer::new(Nothing).serve(port),
        async |client: OfTypeClient| assert_eq!(client.get().await, Err(RpcError::Service(7))),
    );
}

#[service]
trait Configured {
    #[cfg(any())]
    async fn never(&self, entry: NoSuchType) -> NoSuchType;
    #[cfg(test)]
    async fn always(&self, number: u32) -> u32;
    #[cfg(any())]
    async fn either(&self) -> NoSuchType;
    #[cfg(not(any()))]
    async fn either(&self, number: u32) -> u32;
    #[cfg(any())]
    async fn never_once(self) -> NoSuchType;
    #[cfg(any())]
    #[rpc(oneway, id = 7)]
    async fn never_told(&self, entry: NoSuchType);
    #[rpc(id = 7)]
    async fn numbered(&self) -> u32;
}

#[service]
#[cfg(any())]
trait NotHere {
    async fn never(&self, entry: NoSuchType) -> NoSuchType;
}

struct Present;

impl Configured for Present {
    async fn always(&self, number: u32) -> u32 {
        number
    }

    async fn either(&self, number: u32) -> u32 {
        number + 1
    }

    async fn numbered(&self) -> u32 {
        7
    }
}

#[test]
fn what_is_configured_away_leaves_nothing_behind() {
    let of_every_method = |method| match method {
        ConfiguredMethod::Always => "always",
        ConfiguredMethod::Either => "either",
        ConfiguredMethod::Numbered => "numbered",
    };
    assert_eq!(of_every_method(ConfiguredMethod::Either), "either");
    assert_eq!(MethodId::from(ConfiguredMethod::Numbered), MethodId(7));
    check(
        |port| ConfiguredServer::new(Present).serve(port),
        async |client: ConfiguredClient| {
            assert_eq!(client.always(1).await, Ok(1));
            assert_eq!(client.either(1).await, Ok(2));
            assert_eq!(client.numbered().await, Ok(7));
        },
    );
}

trait Titled {
    fn title(&self) -> &'static str;
}

#[service(plain(Titled))]
trait WithSupertraits: Titled + fmt::Debug + Clone {
    async fn title(&self) -> String {
        Titled::title(self).to_owned()
    }

    async fn shown(self) -> String {
        format!("{self:?}")
    }
}

#[derive(Clone, Debug)]
struct Super;

impl Titled for Super {
    fn title(&self) -> &'static str {
        "super"
    }
}

impl WithSupertraits for Super {}

#[test]
fn a_service_may_have_supertraits_also_with_methods_of_the_same_name() {
    check(
        |port| WithSupertraitsServer::new(Super).serve(port),
        async |client: WithSupertraitsClient| {
            assert_eq!(client.title().await.unwrap(), "super");
            assert_eq!(client.shown().await.unwrap(), "Super");
        },
    );
}

/// The crate under other names.
mod renamed {
    pub(crate) mod deeper {
        pub(crate) use handover as transfer;
    }

    #[deeper::transfer::service(crate = deeper::transfer)]
    pub(crate) trait Renamed {
        async fn double(&self, number: u32) -> u32;
    }

    macro_rules! by_dollar_crate {
        () => {
            #[handover::service(crate = $crate::renamed::deeper::transfer)]
            pub(crate) trait ByDollarCrate {
                async fn double(&self, number: u32) -> u32;
            }
        };
    }

    by_dollar_crate!();

    pub(crate) struct Doubling;

    impl Renamed for Doubling {
        async fn double(&self, number: u32) -> u32 {
            number * 2
        }
    }

    impl ByDollarCrate for Doubling {
        async fn double(&self, number: u32) -> u32 {
            number * 2
        }
    }
}

#[test]
fn the_crate_may_have_another_name() {
    use renamed::{ByDollarCrateClient, ByDollarCrateServer, Doubling, RenamedClient, RenamedServer};

    check(
        |port| RenamedServer::new(Doubling).serve(port),
        async |client: RenamedClient| assert_eq!(client.double(4).await, Ok(8)),
    );
    check(
        |port| ByDollarCrateServer::new(Doubling).serve(port),
        async |client: ByDollarCrateClient| assert_eq!(client.double(4).await, Ok(8)),
    );
}

#[service]
trait Aging {
    #[deprecated = "use `modern`"]
    async fn ancient(&self) -> u32;
    async fn modern(&self) -> u32;
}

impl Aging for Nothing {
    async fn ancient(&self) -> u32 {
        1
    }

    async fn modern(&self) -> u32 {
        2
    }
}

#[test]
fn a_deprecated_method_is_deprecated_for_those_who_call_it() {
    check(
        |port| AgingServer::new(Nothing).serve(port),
        async |client: AgingClient| {
            #[expect(deprecated, reason = "the attribute went along")]
            let ancient = client.ancient();
            assert_eq!(ancient.await, Ok(1));
            assert_eq!(client.modern().await, Ok(2));
        },
    );
}

#[test]
fn the_name_of_a_deprecated_method_is_deprecated_too() {
    #[expect(deprecated, reason = "the attribute went along")]
    let ancient = AgingMethod::Ancient;

    assert_ne!(MethodId::from(ancient), MethodId::from(AgingMethod::Modern));
}

/// Services of which this program uses one side.
mod one_sided {
    use handover::prelude::*;

    #[service]
    trait OnlyServed {
        async fn double(&self, number: u32) -> u32;
    }

    #[service]
    trait OnlyCalled {
        async fn double(&self, number: u32) -> u32;
    }

    struct Doubling;

    impl OnlyServed for Doubling {
        async fn double(&self, number: u32) -> u32 {
            number * 2
        }
    }

    pub(crate) fn served(port: MessagePort) -> impl Future<Output = ()> {
        OnlyServedServer::new(Doubling).serve(port)
    }

    pub(crate) async fn called(port: MessagePort) -> Result<u32, CallError> {
        OnlyCalledClient::from(port).double(4).await
    }
}

#[test]
fn the_side_that_a_program_does_not_use_is_nothing_to_warn_of() {
    check(one_sided::served, async |port: MessagePort| assert_eq!(one_sided::called(port).await, Ok(8)));
}

#[service]
trait AtOnce {
    fn add(&self, a: u32, b: u32) -> u32;
    fn check(&self, name: &str) -> Result<u32, String>;
    #[rpc(oneway)]
    fn note(&self, text: String);
    fn last(self) -> u32;
}

impl AtOnce for Nothing {
    fn add(&self, a: u32, b: u32) -> u32 {
        a + b
    }

    fn check(&self, name: &str) -> Result<u32, String> {
        Err(name.to_owned())
    }

    fn note(&self, text: String) {
        assert_eq!(text, "a note");
    }

    fn last(self) -> u32 {
        assert_eq!(self.add(1, 2), 3, "a method that answers at once is called here without waiting");
        7
    }
}

#[test]
fn a_method_that_answers_at_once_need_not_be_async() {
    check(
        |port| AtOnceServer::new(Nothing).serve(port),
        async |client: AtOnceClient| {
            assert_eq!(client.add(2, 3).await, Ok(5));
            assert_eq!(client.check("why not").await, Err(RpcError::Service("why not".to_owned())));
            assert_eq!(client.note("a note".to_owned()).await, Ok(()));
            assert_eq!(client.last().await, Ok(7));
        },
    );
}

#[service]
trait Defaults {
    async fn base(&self) -> u32;
    async fn kept(&self) -> u32 {
        self.base().await + 1
    }
    async fn replaced(&self) -> u32 {
        unreachable!("the service has its own")
    }
    fn at_once(&self) -> u32 {
        4
    }
}

impl Defaults for Nothing {
    async fn base(&self) -> u32 {
        1
    }

    async fn replaced(&self) -> u32 {
        self.kept().await + 1
    }
}

#[test]
fn a_method_may_have_a_body_in_the_trait_and_the_one_of_the_service_wins() {
    check(
        |port| DefaultsServer::new(Nothing).serve(port),
        async |client: DefaultsClient| {
            assert_eq!(client.kept().await, Ok(2));
            assert_eq!(client.replaced().await, Ok(3));
            assert_eq!(client.at_once().await, Ok(4));
        },
    );
}

#[service]
trait Attributed {
    #[cfg_attr(all(), deprecated = "use `modern`", allow(clippy::unused_async))]
    async fn ancient(&self) -> u32;
    #[cfg_attr(all(), cfg(any()))]
    async fn never(&self) -> NoSuchType;
    #[cfg_attr(any(), cfg(any()))]
    async fn always(&self) -> u32;
    #[must_use = "it counts only once"]
    async fn counted(&self) -> u32;
    #[allow(non_snake_case, reason = "the name is another system's")]
    async fn GetInterface(&self) -> u32;
}

#[allow(non_snake_case, reason = "the name is another system's")]
impl Attributed for Nothing {
    async fn ancient(&self) -> u32 {
        1
    }

    async fn always(&self) -> u32 {
        2
    }

    async fn counted(&self) -> u32 {
        3
    }

    async fn GetInterface(&self) -> u32 {
        4
    }
}

#[test]
fn attributes_go_along_also_where_a_condition_gives_them() {
    check(
        |port| AttributedServer::new(Nothing).serve(port),
        async |client: AttributedClient| {
            #[expect(deprecated, reason = "the attribute went along")]
            let ancient = client.ancient();
            assert_eq!(ancient.await, Ok(1));
            assert_eq!(client.always().await, Ok(2));
            assert_eq!(client.GetInterface().await, Ok(4));
            #[expect(unused_must_use, reason = "the attribute went along")]
            {
                client.counted();
            }
            assert_eq!(client.counted().await, Ok(3));
        },
    );
}

/// A service of which another is made, each at a place of its own, found by the names that a module gives on.
mod reexported {
    mod inside {
        #[handover::service]
        pub(crate) trait Counting {
            async fn count(&self) -> u32;
        }
    }

    pub(crate) mod face {
        pub(crate) use super::inside::{Counting, CountingClient};
        pub(crate) use handover as transfer;
    }

    pub(crate) mod user {
        use super::face::transfer;

        #[transfer::service(crate = transfer)]
        pub(crate) trait Resetting: super::face::Counting {
            async fn reset(&self) -> u32;
        }
    }
}

impl reexported::face::Counting for Nothing {
    async fn count(&self) -> u32 {
        5
    }
}

impl reexported::user::Resetting for Nothing {
    async fn reset(&self) -> u32 {
        0
    }
}

#[test]
fn a_service_is_found_where_a_module_gives_it_on_with_its_client() {
    use reexported::{
        face::CountingClient,
        user::{ResettingClient, ResettingServer},
    };

    check(
        |port| ResettingServer::new(Nothing).serve(port),
        async |client: ResettingClient| {
            assert_eq!(client.count().await, Ok(5));
            assert_eq!(client.reset().await, Ok(0));
            assert_eq!(CountingClient::from(client).count().await, Ok(5));
        },
    );
}

/// Names of the prelude that mean something else, and parameters named like what generated code names.
mod shadowed_and_open {
    #![no_implicit_prelude]

    use ::handover::{rpc::Wire, service};

    pub(crate) mod core {}
    pub(crate) mod std {}
    pub(crate) mod handover {}

    #[service]
    pub(crate) trait Base<D: Wire> {
        async fn base(&self, d: &[u8], text: &str, own: D) -> D;
    }

    #[service(client_trait)]
    pub(crate) trait S<T, E, M, K, C>: Base<T>
    where
        T: Wire,
        E: Wire + ::core::convert::From<::handover::CallError>,
        M: Wire,
        K: Wire,
        C: Wire + ::core::clone::Clone,
    {
        type Args: Wire;
        type Server: Wire;
        async fn all(&self, m: M, k: K, c: &C, args: Self::Args) -> ::core::result::Result<(T, Self::Server), E>;
    }

    impl<T, E, M, K, C, Args, Server> Base<T> for SClient<T, E, M, K, C, Args, Server>
    where
        T: Wire,
    {
        async fn base(&self, _: &[u8], _: &str, own: T) -> T {
            own
        }
    }

    pub(crate) struct It;

    impl Base<u8> for It {
        async fn base(&self, d: &[u8], text: &str, own: u8) -> u8 {
            let length: usize = d.len() + text.len();
            ::core::assert_eq!(length, 3);
            own
        }
    }

    #[::core::prelude::v1::derive(::core::fmt::Debug, ::serde::Serialize, ::serde::Deserialize)]
    pub(crate) struct Failed;

    impl ::core::convert::From<::handover::CallError> for Failed {
        fn from(_: ::handover::CallError) -> Self {
            Self
        }
    }

    impl S<u8, Failed, u16, u32, char> for It {
        type Args = i8;
        type Server = i16;

        async fn all(&self, m: u16, k: u32, c: &char, args: i8) -> ::core::result::Result<(u8, i16), Failed> {
            ::core::assert_eq!((m, k, *c, args), (1, 2, 'c', 3));
            ::core::result::Result::Ok((4, 5))
        }
    }
}

#[test]
fn open_types_may_have_any_name_and_stand_where_no_name_has_its_usual_meaning() {
    use shadowed_and_open::{BaseClient, Failed, It, S, SClient, SServer};

    check(
        |port| SServer::new(It).serve(port),
        async |client: SClient<u8, Failed, u16, u32, char, i8, i16>| {
            assert_eq!(client.all(1, 2, &'c', 3).await.unwrap(), (4, 5));
            assert_eq!(S::all(&client, 1, 2, &'c', 3).await.unwrap(), (4, 5));
            assert_eq!(BaseClient::base(&client, &[1], "ab", 6).await, Ok(6));
        },
    );
}

/// Services that other crates could call, with everything that leaves types open: each lint on what is public looks at them.
pub mod public_and_open {
    #![forbid(missing_docs)]
    #![deny(let_underscore, nonstandard_style, rust_2018_idioms)]
    #![deny(
        elided_lifetimes_in_paths,
        explicit_outlives_requirements,
        missing_debug_implementations,
        single_use_lifetimes
    )]
    #![deny(trivial_casts, unit_bindings, unnameable_types, unused_lifetimes, unused_qualifications, unused_results)]
    #![deny(clippy::nursery, variant_size_differences)]

    use handover::{prelude::*, rpc::Wire};

    /// A service of any type.
    #[service(client_trait)]
    pub trait Public<T: Wire + Clone, const N: usize>: Send {
        /// A type of its own.
        type Key: Wire;

        /// Swaps.
        async fn swap(&self, key: Self::Key, value: &T, text: &str) -> Result<T, crate::PublicError>;
        /// Closes.
        async fn close(self, keys: &[u8]) -> Result<(), crate::PublicError>;
    }

    /// A service above it.
    #[service]
    pub trait Above<T: Wire + Clone>: Public<T, 3, Key = String> {
        /// Has no answer.
        #[rpc(oneway)]
        fn note(&self, text: String);
    }
}

/// Why not.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct PublicError;

impl From<CallError> for PublicError {
    fn from(_: CallError) -> Self {
        Self
    }
}

impl public_and_open::Public<u8, 3> for Nothing {
    type Key = String;

    async fn swap(&self, _: String, value: &u8, _: &str) -> Result<u8, PublicError> {
        Ok(*value)
    }

    async fn close(self, keys: &[u8]) -> Result<(), PublicError> {
        if keys.is_empty() { Err(PublicError) } else { Ok(()) }
    }
}

impl public_and_open::Above<u8> for Nothing {
    fn note(&self, _: String) {}
}

#[test]
fn a_public_service_with_open_types_is_served() {
    use public_and_open::{AboveClient, AboveServer, PublicClient};

    check(
        |port| AboveServer::<_, u8>::new(Nothing).serve(port),
        async |client: AboveClient<u8>| {
            assert_eq!(client.note(String::new()).await, Ok(()));
            assert_eq!(client.swap(String::new(), &7, "").await.unwrap(), 7);
            assert!(PublicClient::from(client).close(&[]).await.is_err());
        },
    );
}

/// Streams of others' crates, where every lint looks and no name has its usual meaning.
pub mod public_streams {
    #![no_implicit_prelude]
    #![forbid(missing_docs)]
    #![deny(let_underscore, nonstandard_style, rust_2018_idioms)]
    #![deny(
        elided_lifetimes_in_paths,
        explicit_outlives_requirements,
        missing_debug_implementations,
        single_use_lifetimes
    )]
    #![deny(trivial_casts, unit_bindings, unnameable_types, unused_lifetimes, unused_qualifications, unused_results)]
    #![deny(clippy::nursery, variant_size_differences)]

    use ::futures::{Stream as Flow, stream, stream::StreamExt};
    use ::handover::{CallContext, service};
    use ::std::{
        clone::Clone,
        convert::From,
        iter::Iterator,
        marker::{Send, Sync, Unpin},
        result::Result,
    };

    /// Named like what the client's methods are generic over.
    #[derive(Debug, Clone, ::serde::Serialize, ::serde::Deserialize)]
    pub struct S0(pub u32);

    /// Streams with a bit of everything.
    #[service(client_trait)]
    pub trait Streams: Send + Sync {
        /// Has arguments that are named like what is in generated code.
        #[rpc(overflow = DropOldest { waiting: SOME })]
        #[allow(clippy::too_many_arguments, reason = "these are all the names")]
        fn r#type<'a>(
            &'a self,
            context: &'a CallContext,
            feed_0: impl ::futures::Stream<Item = S0> + Send,
            args: &'a S0,
            responder: impl ::futures::Stream<Item = Result<S0, crate::PublicError>> + Send + Unpin,
            answer: S0,
            streaming: &'a [S0],
            items_0: S0,
            lent_0: S0,
        ) -> impl ::futures::Stream<Item = Result<S0, crate::PublicError>> + Send;
        /// Is there.
        #[cfg(test)]
        async fn there(
            &self,
            mut numbers: impl ::futures::Stream<Item = u32> + Send + Unpin,
        ) -> Result<u32, crate::PublicError> {
            numbers.next().await.ok_or(crate::PublicError)
        }
        /// Is not there.
        #[cfg(not(test))]
        fn not_there(&self, numbers: impl Stream<Item = Nowhere>) -> impl Stream<Item = Result<Nowhere, Nowhere>>;
    }

    const SOME: u32 = 8;

    pub(super) struct It;

    impl Streams for It {
        fn r#type<'a>(
            &'a self,
            context: &'a CallContext,
            feed_0: impl ::futures::Stream<Item = S0> + Send,
            args: &'a S0,
            responder: impl ::futures::Stream<Item = Result<S0, crate::PublicError>> + Send + Unpin,
            answer: S0,
            streaming: &'a [S0],
            items_0: S0,
            lent_0: S0,
        ) -> impl Flow<Item = Result<S0, crate::PublicError>> + Send {
            let last = [answer, items_0, lent_0];
            let lent = stream::once(async move { args.clone() }).chain(stream::iter(streaming.iter().cloned()));
            ::std::assert_eq!(context.name(), "type");
            feed_0.map(Result::Ok).chain(responder).chain(lent.chain(stream::iter(last)).map(Result::Ok))
        }
    }

    impl From<u32> for S0 {
        fn from(number: u32) -> Self {
            Self(number)
        }
    }
}

#[test]
fn public_streams_stand_where_no_name_has_its_usual_meaning() {
    use futures::{StreamExt, stream};
    use public_streams::{It, S0, Streams, StreamsClient, StreamsServer};

    check(
        |port| StreamsServer::new(It).serve(port),
        async |client: StreamsClient| {
            let (first, second) = (stream::iter([S0(1)]), stream::iter([Ok(S0(2)), Err(PublicError)]));
            let all = client.r#type(first, &S0(3), second, S0(5), &[S0(4)], S0(6), S0(7)).await.unwrap();

            let all: Vec<_> = all.map(|item| item.map_or(0, |item| item.0)).collect().await;
            assert_eq!(all, [1, 2, 0, 3, 4, 5, 6, 7]);
            assert_eq!(client.there(stream::iter([7])).await.unwrap(), 7);
            assert_eq!(Streams::there(&client, stream::iter([8])).await.unwrap(), 8);
        },
    );
}

#[test]
fn the_future_of_a_service_with_streams_can_be_sent_to_another_thread() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let (_ours, theirs) = MessageChannel::new().into_ports();

    drop(is_send(public_streams::StreamsServer::new(public_streams::It).serve(theirs)));
}

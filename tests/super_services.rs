//! Super-services: a client of the sub-service calls the methods of both, and its server serves them.
#![forbid(unsafe_code)]
#![deny(
    warnings,
    future_incompatible,
    rust_2024_compatibility,
    missing_docs,
    single_use_lifetimes,
    unreachable_pub,
    unused,
    clippy::pedantic
)]

mod common;

use std::{cell::Cell, fmt, rc::Rc};

use common::{Way, over_every_way};
use handover::{
    Interruption, Refusal,
    prelude::*,
    rpc::{MethodId, Wire},
};

/// The super-services, in a module of their own: a sub-service that names the trait finds its client beside it.
mod base {
    use handover::prelude::*;

    #[service]
    pub(crate) trait Contacts {
        async fn count(&self) -> u32;
        async fn add(&self, name: &str) -> Result<u32, String>;
        #[rpc(oneway)]
        async fn touch(&self);
        async fn greeting(&self) -> String {
            "Good day".to_owned()
        }
        async fn close(self) -> u32;
    }

    #[service]
    pub(crate) trait Log {
        async fn log(&self, line: String) -> u32;
        async fn hang(&self);
    }
}

use base::{ContactsClient, LogClient};

#[service]
trait Admin: base::Contacts + fmt::Debug + base::Log + Clone {
    async fn clear(&self) -> u32;
    async fn clear_for_good(self) -> u32;
}

#[derive(Clone, Debug, Default)]
struct Book {
    names: Rc<Cell<u32>>,
    hanging: Rc<Cell<u32>>,
}

struct Hanging(Rc<Cell<u32>>);

impl Drop for Hanging {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl base::Contacts for Book {
    async fn count(&self) -> u32 {
        self.names.get()
    }

    async fn add(&self, name: &str) -> Result<u32, String> {
        if name.is_empty() {
            return Err("no name".into());
        }
        self.names.set(self.names.get() + 1);
        Ok(self.names.get())
    }

    async fn touch(&self) {
        self.names.set(self.names.get() + 10);
    }

    async fn close(self) -> u32 {
        self.names.get() + 1000
    }
}

impl base::Log for Book {
    async fn log(&self, line: String) -> u32 {
        u32::try_from(line.len()).unwrap()
    }

    async fn hang(&self) {
        self.hanging.set(self.hanging.get() + 1);
        let _hanging = Hanging(self.hanging.clone());
        std::future::pending::<()>().await;
    }
}

impl Admin for Book {
    async fn clear(&self) -> u32 {
        self.names.replace(0)
    }

    async fn clear_for_good(self) -> u32 {
        self.names.get() + 2000
    }
}

#[test]
fn the_methods_of_super_services_have_names_among_those_of_the_service() {
    use base::{ContactsMethod, LogMethod};

    let own_and_theirs = [AdminMethod::Clear, ContactsMethod::Count.into(), AdminMethod::Log(LogMethod::Hang)];

    let ids = own_and_theirs.map(MethodId::from);
    assert_eq!(ids, ["clear", "count", "hang"].map(MethodId::of_name));
    assert_eq!(AdminMethod::from(LogMethod::Log), AdminMethod::Log(LogMethod::Log));
}

fn admin(way: Way) -> AdminClient {
    way.spawn(|port| AdminServer::new(Book::default()).serve(port))
}

#[test]
fn a_client_calls_the_methods_of_the_super_services_too() {
    over_every_way(async |way| {
        let admin = admin(way);

        assert_eq!(admin.add("Tell").await, Ok(1));
        assert_eq!(admin.add("").await, Err(RpcError::Service("no name".into())));
        assert_eq!(admin.touch().await, Ok(()));
        assert_eq!(admin.count().await, Ok(11));
        assert_eq!(admin.greeting().await.unwrap(), "Good day");
        let log: &LogClient = admin.as_ref();
        assert_eq!(log.log("four".into()).await, Ok(4));
        assert_eq!(admin.clear().await, Ok(11));
        let contacts: &ContactsClient = admin.as_ref();
        assert_eq!(contacts.count().await, Ok(0));
        assert_eq!(admin.clear_for_good().await, Ok(2000));
    });
}

#[test]
fn calls_of_a_client_and_of_those_that_it_holds_run_beside_each_other() {
    over_every_way(async |way| {
        let admin = admin(way);
        let log: &LogClient = admin.as_ref();

        let (added, logged, counted) = futures::join!(admin.add("Tell"), log.log("four".into()), admin.count());

        assert_eq!((added, logged, counted), (Ok(1), Ok(4), Ok(1)));
    });
}

#[test]
fn a_method_of_a_super_service_that_takes_self_is_called_by_turning_the_client_into_its_client() {
    over_every_way(async |way| {
        let admin = admin(way);
        admin.add("Tell").await.unwrap();

        let contacts = ContactsClient::from(admin);

        assert_eq!(contacts.count().await, Ok(1));
        assert_eq!(contacts.close().await, Ok(1001));
    });
}

#[test]
fn dropping_a_call_of_a_super_service_ends_its_method() {
    over_every_way(async |way| {
        if !matches!(way, Way::Direct | Way::Bytes) {
            return;
        }
        let book = Book::default();
        let hanging = book.hanging.clone();
        let admin: AdminClient = way.spawn_here(|port| AdminServer::new(book).serve(port));
        let log: &LogClient = admin.as_ref();
        let mut call = Box::pin(log.hang());
        assert!(futures::poll!(&mut call).is_pending());
        common::settle().await;
        assert_eq!(hanging.get(), 1);

        drop(call);
        common::settle().await;

        assert_eq!(hanging.get(), 0);
    });
}

#[test]
fn a_client_gives_its_port_back_and_is_made_from_it_again() {
    over_every_way(async |way| {
        let admin = admin(way);
        admin.add("Tell").await.unwrap();

        let port = admin.into_port();

        assert!(!port.is_closed());
        let contacts = ContactsClient::from(port);
        assert_eq!(contacts.count().await, Ok(1));
    });
}

#[test]
fn dropping_a_client_closes_its_port_also_if_it_holds_others() {
    common::over_every_way(async |_| {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let admin = AdminClient::from(ours);
        assert!(!theirs.is_closed());

        drop(admin);

        theirs.start();
        theirs.closed().await;
    });
}

#[test]
fn a_client_of_the_super_service_may_be_served_by_the_sub_service() {
    over_every_way(async |way| {
        let contacts: ContactsClient = way.spawn(|port| AdminServer::new(Book::default()).serve(port));

        assert_eq!(contacts.add("Tell").await, Ok(1));
    });
}

#[test]
fn a_server_of_the_super_service_serves_nothing_of_the_sub_service() {
    over_every_way(async |way| {
        let admin: AdminClient = way.spawn(|port| base::ContactsServer::new(Book::default()).serve(port));

        assert_eq!(admin.add("Tell").await, Ok(1));
        let refused = CallError::Refused(Refusal::UnknownMethod(MethodId::of_name("clear")));
        assert_eq!(admin.clear().await, Err(refused));
    });
}

#[service]
trait Passing {
    async fn pass(&self, admin: AdminClient) -> (AdminClient, u32);
}

impl Passing for Book {
    async fn pass(&self, admin: AdminClient) -> (AdminClient, u32) {
        let count = admin.add("Fürst").await.unwrap();
        (admin, count)
    }
}

#[test]
fn a_client_that_holds_others_is_a_value_as_any_other() {
    over_every_way(async |way| {
        let passing: PassingClient = way.spawn(|port| PassingServer::new(Book::default()).serve(port));

        let (admin, count) = passing.pass(admin(way)).await.unwrap();

        assert_eq!(count, 1);
        assert_eq!(admin.count().await, Ok(1));
    });
}

/// Several levels, and two ways up to the same service.
mod diamond {
    use handover::prelude::*;

    #[service]
    pub(crate) trait Top {
        async fn top(&self) -> u32;
    }

    #[service]
    pub(crate) trait Left: Top {
        async fn left(&self) -> u32;
    }

    #[service]
    pub(crate) trait Right: Top + Send {
        async fn right(&self) -> u32;
    }

    #[service]
    pub(crate) trait Bottom: Left + Right {
        async fn bottom(&self) -> u32;
    }

    #[service]
    pub(crate) trait Below: Bottom {}

    pub(crate) struct All;

    impl Top for All {
        async fn top(&self) -> u32 {
            1
        }
    }

    impl Left for All {
        async fn left(&self) -> u32 {
            2
        }
    }

    impl Right for All {
        async fn right(&self) -> u32 {
            3
        }
    }

    impl Bottom for All {
        async fn bottom(&self) -> u32 {
            4
        }
    }

    impl Below for All {}
}

#[test]
fn super_services_may_have_super_services_and_share_them() {
    over_every_way(async |way| {
        use diamond::{All, BelowClient, BelowServer, RightClient};

        let below: BelowClient = way.spawn(|port| BelowServer::new(All).serve(port));

        assert_eq!(below.top().await, Ok(1));
        assert_eq!(below.left().await, Ok(2));
        assert_eq!(below.bottom().await, Ok(4));
        let bottom: &diamond::BottomClient = below.as_ref();
        let right: &RightClient = bottom.as_ref();
        assert_eq!(right.right().await, Ok(3));
        assert_eq!(right.top().await, Ok(1));
        assert!(!below.into_port().is_closed());
    });
}

/// Generic super-services, of types that the sub-service knows or leaves open itself.
mod open {
    use handover::{prelude::*, rpc::Wire};

    #[service]
    pub(crate) trait Store<K: Wire, const N: usize> {
        async fn store(&self, key: K) -> (K, u64);
    }

    #[service]
    pub(crate) trait Kv {
        type Key: Wire;
        async fn get(&self, key: Self::Key) -> Self::Key;
    }
}

#[service]
trait Closed: open::Store<u8, 7> + open::Kv<Key = String> {
    async fn closed(&self) -> bool;
}

#[service]
trait Open<T: Wire>: open::Store<Vec<T>, 8> + open::Kv<Key = (T, Self::Extra)> {
    type Extra: Wire;
    async fn open(&self) -> T;
}

struct It;

impl open::Store<u8, 7> for It {
    async fn store(&self, key: u8) -> (u8, u64) {
        (key, 7)
    }
}

impl open::Kv for It {
    type Key = String;

    async fn get(&self, key: String) -> String {
        key
    }
}

impl Closed for It {
    async fn closed(&self) -> bool {
        true
    }
}

struct OpenIt;

impl open::Store<Vec<char>, 8> for OpenIt {
    async fn store(&self, key: Vec<char>) -> (Vec<char>, u64) {
        (key, 8)
    }
}

impl open::Kv for OpenIt {
    type Key = (char, u16);

    async fn get(&self, key: (char, u16)) -> (char, u16) {
        key
    }
}

impl Open<char> for OpenIt {
    type Extra = u16;

    async fn open(&self) -> char {
        'o'
    }
}

#[test]
fn a_super_service_may_be_generic() {
    over_every_way(async |way| {
        let closed: ClosedClient = way.spawn(|port| ClosedServer::new(It).serve(port));
        assert_eq!(closed.store(1).await, Ok((1, 7)));
        let kv: &open::KvClient<String> = closed.as_ref();
        assert_eq!(kv.get("key".into()).await.unwrap(), "key");
        assert_eq!(closed.closed().await, Ok(true));

        let open: OpenClient<char, u16> = way.spawn(|port| OpenServer::new(OpenIt).serve(port));
        assert_eq!(open.store(vec!['a']).await, Ok((vec!['a'], 8)));
        let kv: &open::KvClient<(char, u16)> = open.as_ref();
        assert_eq!(kv.get(('k', 9)).await, Ok(('k', 9)));
        assert_eq!(open.open().await, Ok('o'));
        assert_eq!(open::KvClient::from(open).get(('k', 9)).await, Ok(('k', 9)));
    });
}

/// One method of each service panics.
#[service]
trait Fragile: base::Log {
    async fn whole(&self) -> u32;
}

struct Breaking;

impl base::Log for Breaking {
    async fn log(&self, line: String) -> u32 {
        panic!("cannot log {line}")
    }

    async fn hang(&self) {}
}

impl Fragile for Breaking {
    async fn whole(&self) -> u32 {
        7
    }
}

#[test]
fn a_panic_in_a_super_service_ends_that_call_and_no_other() {
    over_every_way(async |way| {
        let fragile: FragileClient = way.spawn(|port| FragileServer::new(Breaking).serve(port));

        let panicked = fragile.log("this".into()).await;

        assert_eq!(panicked, Err(CallError::Unknown(Interruption::Panicked("cannot log this".into()))));
        assert_eq!(fragile.whole().await, Ok(7));
    });
}

//! Services that leave types open: parameters of the trait, and associated types.
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

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    hash::Hash,
    marker::PhantomData,
};

use common::over_every_way;
use handover::{prelude::*, rpc::Wire};
use serde::{Serialize, de::DeserializeOwned};

#[service]
trait Store<K, V>
where
    K: Serialize + DeserializeOwned + Clone,
    V: Serialize + DeserializeOwned + Clone,
{
    async fn put(&self, key: K, value: V) -> Option<V>;
    async fn get(&self, key: &K) -> Option<V>;
    async fn all(&self) -> Vec<(K, V)>;
    async fn check(&self, pairs: &[V], keys: HashMap<String, K>) -> Result<u32, V>;
    #[rpc(oneway)]
    async fn forget(&self, key: K);
    async fn take_all(self) -> Vec<V>;
}

struct Memory<K, V>(RefCell<BTreeMap<K, V>>);

impl<K, V> Default for Memory<K, V> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<K, V> Store<K, V> for Memory<K, V>
where
    K: Ord + Clone + Serialize + DeserializeOwned,
    V: Serialize + DeserializeOwned + Clone,
{
    async fn put(&self, key: K, value: V) -> Option<V> {
        self.0.borrow_mut().insert(key, value)
    }

    async fn get(&self, key: &K) -> Option<V> {
        self.0.borrow().get(key).cloned()
    }

    async fn all(&self) -> Vec<(K, V)> {
        self.0.borrow().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    async fn check(&self, pairs: &[V], keys: HashMap<String, K>) -> Result<u32, V> {
        match pairs {
            [] => Ok(u32::try_from(keys.len()).unwrap()),
            [first, ..] => Err(first.clone()),
        }
    }

    async fn forget(&self, key: K) {
        self.0.borrow_mut().remove(&key);
    }

    async fn take_all(self) -> Vec<V> {
        self.0.into_inner().into_values().collect()
    }
}

#[test]
fn a_generic_service_is_served_for_the_types_that_its_client_has() {
    over_every_way(async |way| {
        let store: StoreClient<String, u32> =
            way.spawn(|port| StoreServer::<_, String, u32>::new(Memory::default()).serve(port));

        assert_eq!(store.put("one".into(), 1).await, Ok(None));
        assert_eq!(store.put("two".into(), 2).await, Ok(None));
        assert_eq!(store.put("one".into(), 11).await, Ok(Some(1)));
        assert_eq!(store.get(&"one".into()).await, Ok(Some(11)));
        assert_eq!(store.all().await, Ok(vec![("one".into(), 11), ("two".into(), 2)]));
        assert_eq!(store.check(&[7, 8], HashMap::new()).await, Err(RpcError::Service(7)));
        assert_eq!(store.check(&[], HashMap::from([("key".into(), "k".into())])).await, Ok(1));
        assert_eq!(store.forget("two".into()).await, Ok(()));
        assert_eq!(store.take_all().await, Ok(vec![11]));
    });
}

/// What is generic over the types of a service asks of them what a call asks.
async fn moved<K, V>(from: &StoreClient<K, V>, to: &StoreClient<K, V>, key: K) -> Result<(), CallError>
where
    K: Wire + Clone + Send + 'static,
    V: Wire + Clone + Send + 'static,
{
    if let Some(value) = from.get(&key).await? {
        to.put(key.clone(), value).await?;
        from.forget(key).await?;
    }
    Ok(())
}

#[test]
fn code_may_be_generic_over_the_types_of_a_client() {
    over_every_way(async |way| {
        let spawn = || -> StoreClient<u8, String> {
            way.spawn(|port| StoreServer::<_, u8, String>::new(Memory::default()).serve(port))
        };
        let (from, to) = (spawn(), spawn());
        from.put(7, "seven".into()).await.unwrap();

        moved(&from, &to, 7).await.unwrap();

        assert_eq!(to.all().await, Ok(vec![(7, "seven".into())]));
        assert_eq!(from.all().await, Ok(vec![]));
    });
}

#[service]
trait Opener {
    /// A client with its types is a value as any other.
    async fn open(&self) -> StoreClient<u8, Vec<StoreClient<u8, u8>>>;
}

#[derive(Default)]
struct Opening(RefCell<Vec<MessagePort>>);

impl Opener for Opening {
    async fn open(&self) -> StoreClient<u8, Vec<StoreClient<u8, u8>>> {
        let (ours, theirs) = MessageChannel::new().into_ports();
        self.0.borrow_mut().push(ours);
        theirs.into()
    }
}

#[test]
fn a_client_of_a_generic_service_may_be_a_result() {
    over_every_way(async |way| {
        let opener: OpenerClient = way.spawn(|port| OpenerServer::new(Opening::default()).serve(port));

        assert!(!opener.open().await.unwrap().port().is_closed());
    });
}

#[service]
trait Chunks<const N: usize, T, const LAST: bool>
where
    T: Wire,
    [u8; N]: Serialize + DeserializeOwned,
{
    async fn next(&self, after: [u8; N], tag: T) -> Result<[u8; N], (T, bool)>;
}

struct Counting;

impl<const N: usize, T, const LAST: bool> Chunks<N, T, LAST> for Counting
where
    T: Wire,
    [u8; N]: Serialize + DeserializeOwned,
{
    async fn next(&self, after: [u8; N], tag: T) -> Result<[u8; N], (T, bool)> {
        if after[0] == u8::MAX { Err((tag, LAST)) } else { Ok([after[0] + 1; N]) }
    }
}

#[test]
fn a_service_may_be_generic_over_constants() {
    over_every_way(async |way| {
        let chunks: ChunksClient<3, String, true> =
            way.spawn(|port| ChunksServer::<_, 3, String, true>::new(Counting).serve(port));

        assert_eq!(chunks.next([4; 3], "tag".into()).await, Ok([5; 3]));
        assert_eq!(chunks.next([255; 3], "tag".into()).await, Err(RpcError::Service(("tag".into(), true))));
    });
}

#[service]
trait Echo<S: Wire = String, const TWICE: bool = false> {
    async fn echo(&self, what: S) -> (S, bool);
}

struct Echoing;

impl<S: Wire, const TWICE: bool> Echo<S, TWICE> for Echoing {
    async fn echo(&self, what: S) -> (S, bool) {
        (what, TWICE)
    }
}

#[test]
fn a_parameter_may_have_a_default_and_any_name() {
    over_every_way(async |way| {
        let echo: EchoClient = way.spawn(|port| <EchoServer<_>>::new(Echoing).serve(port));

        assert_eq!(echo.echo("what".into()).await, Ok(("what".into(), false)));
    });
}

#[service]
trait Items<I>
where
    I: Iterator + 'static,
    I::Item: Wire,
    <I as IntoIterator>::IntoIter: Clone,
{
    async fn first(&self, of: Vec<I::Item>) -> Option<I::Item>;
    async fn last(&self, of: Vec<<I as Iterator>::Item>) -> Option<<I as Iterator>::Item>;
}

struct Picking<I>(PhantomData<fn() -> I>);

impl<I> Items<I> for Picking<I>
where
    I: Iterator + Clone + 'static,
    I::Item: Wire,
{
    async fn first(&self, of: Vec<I::Item>) -> Option<I::Item> {
        of.into_iter().next()
    }

    async fn last(&self, of: Vec<I::Item>) -> Option<I::Item> {
        of.into_iter().last()
    }
}

#[test]
fn what_belongs_to_a_parameter_may_travel_although_the_parameter_does_not() {
    over_every_way(async |way| {
        type Letters = std::str::Chars<'static>;
        let items: ItemsClient<Letters> =
            way.spawn(|port| ItemsServer::new(Picking::<Letters>(PhantomData)).serve(port));

        assert_eq!(items.first(vec!['a', 'b']).await, Ok(Some('a')));
        assert_eq!(items.last(vec!['a', 'b']).await, Ok(Some('b')));
    });
}

#[service]
trait Sorting<T: Wire> {
    async fn sorted(&self, items: Vec<T>) -> Vec<T>
    where
        T: Ord;
    async fn first(&self, items: &[T]) -> Option<T>
    where
        T: Clone;
}

struct Sorter;

impl<T: Wire> Sorting<T> for Sorter {
    async fn sorted(&self, mut items: Vec<T>) -> Vec<T>
    where
        T: Ord,
    {
        items.sort();
        items
    }

    async fn first(&self, items: &[T]) -> Option<T>
    where
        T: Clone,
    {
        items.first().cloned()
    }
}

#[test]
fn a_method_may_ask_more_of_a_parameter() {
    over_every_way(async |way| {
        let sorting: SortingClient<u8> = way.spawn(|port| SortingServer::<_, u8>::new(Sorter).serve(port));

        assert_eq!(sorting.sorted(vec![3, 1, 2]).await, Ok(vec![1, 2, 3]));
        assert_eq!(sorting.first(&[3, 1]).await, Ok(Some(3)));
    });
}

#[service]
trait Kv {
    type Key: Wire + Hash + Eq;
    type Value: Wire + Clone + From<Self::Key>;

    async fn put(&self, key: Self::Key, value: Self::Value) -> Option<Self::Value>;
    async fn get(&self, key: <Self as Kv>::Key) -> Result<Self::Value, (Self::Key, String)>;
    async fn many(&self, pairs: &[(Self::Key, Self::Value)]) -> u32
    where
        Self::Key: Clone;
}

#[derive(Default)]
struct Numbers(RefCell<HashMap<u8, u32>>);

impl Kv for Numbers {
    type Key = u8;
    type Value = u32;

    async fn put(&self, key: u8, value: u32) -> Option<u32> {
        self.0.borrow_mut().insert(key, value)
    }

    async fn get(&self, key: u8) -> Result<u32, (u8, String)> {
        self.0.borrow().get(&key).copied().ok_or((key, "no such key".into()))
    }

    async fn many(&self, pairs: &[(u8, u32)]) -> u32 {
        self.0.borrow_mut().extend(pairs.iter().copied());
        u32::try_from(pairs.len()).unwrap()
    }
}

#[test]
fn the_client_of_a_service_with_associated_types_has_them_as_parameters() {
    over_every_way(async |way| {
        let kv: KvClient<u8, u32> = way.spawn(|port| KvServer::new(Numbers::default()).serve(port));

        assert_eq!(kv.put(1, 100).await, Ok(None));
        assert_eq!(kv.get(1).await, Ok(100));
        assert_eq!(kv.get(2).await, Err(RpcError::Service((2, "no such key".into()))));
        assert_eq!(kv.many(&[(2, 200), (3, 300)]).await, Ok(2));
        assert_eq!(kv.get(3).await, Ok(300));
    });
}

/// An associated type of the name of another type that is spoken of, and of a name that generated code uses.
mod names {
    use super::{Wire, service};

    pub(crate) type Key = u8;

    #[service]
    pub(crate) trait Named<V: Wire> {
        type Key: Wire;
        type S: Wire;
        async fn swap(&self, ours: Self::Key, other: Key, s: Self::S, value: V) -> (Key, Self::Key, V, Self::S);
    }

    pub(crate) struct Swapping;

    impl Named<String> for Swapping {
        type Key = char;
        type S = u64;

        async fn swap(&self, ours: char, other: u8, s: u64, value: String) -> (u8, char, String, u64) {
            (other, ours, value, s)
        }
    }
}

#[test]
fn an_associated_type_may_be_named_like_another_type() {
    over_every_way(async |way| {
        let client: names::NamedClient<String, char, u64> =
            way.spawn(|port| names::NamedServer::new(names::Swapping).serve(port));

        assert_eq!(client.swap('k', 7, 8, "v".into()).await, Ok((7, 'k', "v".into(), 8)));
    });
}

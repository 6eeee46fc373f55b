//! An old and a new version of one service talk to each other.

mod common;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use common::{Way, over_every_way, settle};
use futures::poll;
use handover::{
    Refusal, context,
    prelude::*,
    rpc::CallRouter,
    shape::{Description, MethodKind, check_against_file},
    testing::{self, Link, LinkOptions},
};

mod old {
    use handover::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Contact {
        pub(crate) name: String,
        pub(crate) phone: String,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub(crate) enum Found {
        Nobody,
        One(Contact),
    }

    /// Contacts, as they were.
    #[service]
    pub(crate) trait Contacts {
        /// Adds one.
        async fn add(&self, contact: Contact) -> u32;
        async fn find(&self, name: String) -> Found;
        async fn count(&self) -> u32;
        async fn rename(&self, from: String, to: String);
        async fn all(&self) -> Vec<Contact>;
        #[rpc(oneway)]
        async fn note(&self, contact: Contact);
        async fn forgotten(&self);
        async fn hang(&self);
    }
}

mod new {
    use handover::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Contact {
        #[serde(default)]
        pub(crate) id: u64,
        pub(crate) name: String,
        pub(crate) phone: String,
        pub(crate) mail: Option<String>,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub(crate) enum Found {
        Nobody,
        One(Contact),
        Many(Vec<Contact>),
    }

    #[service]
    pub(crate) trait Contacts {
        async fn add(&self, contact: Contact) -> u32;
        async fn find(&self, name: String) -> Found;
        /// Was a `u32`.
        async fn count(&self) -> u64;
        async fn rename(&self, from: String, to: u32);
        async fn all(&self) -> Vec<Contact>;
        #[rpc(oneway)]
        async fn note(&self, contact: Contact);
        async fn added(&self) -> String;
        async fn hang(&self) -> Option<u8>;
    }
}

#[derive(Default)]
struct Old(RefCell<Vec<old::Contact>>);

impl old::Contacts for Old {
    async fn add(&self, contact: old::Contact) -> u32 {
        self.0.borrow_mut().push(contact);
        1
    }

    async fn find(&self, name: String) -> old::Found {
        let found = self.0.borrow().iter().find(|contact| contact.name == name).cloned();
        found.map_or(old::Found::Nobody, old::Found::One)
    }

    async fn count(&self) -> u32 {
        self.0.borrow().len() as u32
    }

    async fn rename(&self, _: String, _: String) {}

    async fn all(&self) -> Vec<old::Contact> {
        self.0.borrow().clone()
    }

    async fn note(&self, contact: old::Contact) {
        self.0.borrow_mut().push(contact);
    }

    async fn forgotten(&self) {}

    async fn hang(&self) {
        std::future::pending().await
    }
}

#[derive(Default)]
struct New(RefCell<Vec<new::Contact>>, Rc<Cell<u32>>);

impl new::Contacts for New {
    async fn add(&self, contact: new::Contact) -> u32 {
        self.0.borrow_mut().push(contact);
        1
    }

    async fn find(&self, name: String) -> new::Found {
        let mut found: Vec<_> = self.0.borrow().iter().filter(|contact| contact.name == name).cloned().collect();
        match found.len() {
            0 => new::Found::Nobody,
            1 => new::Found::One(found.remove(0)),
            _ => new::Found::Many(found),
        }
    }

    async fn count(&self) -> u64 {
        self.0.borrow().len() as u64
    }

    async fn rename(&self, _: String, _: u32) {}

    async fn all(&self) -> Vec<new::Contact> {
        self.0.borrow().clone()
    }

    async fn note(&self, contact: new::Contact) {
        self.0.borrow_mut().push(contact);
    }

    async fn added(&self) -> String {
        "new".to_owned()
    }

    async fn hang(&self) -> Option<u8> {
        self.1.set(self.1.get() + 1);
        let _hanging = Hanging(self.1.clone());
        std::future::pending().await
    }
}

struct Hanging(Rc<Cell<u32>>);

impl Drop for Hanging {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

fn old_contact(name: &str) -> old::Contact {
    old::Contact { name: name.to_owned(), phone: "1".to_owned() }
}

fn new_contact(name: &str) -> new::Contact {
    new::Contact { id: 7, name: name.to_owned(), phone: "1".to_owned(), mail: Some("a@b.c".to_owned()) }
}

/// A client of the old version, and the new service.
fn old_to_new(way: Way) -> old::ContactsClient {
    way.spawn(|port| new::ContactsServer::new(New::default()).serve(port))
}

/// A client of the new version, and the old service.
fn new_to_old(way: Way) -> new::ContactsClient {
    way.spawn(|port| old::ContactsServer::new(Old::default()).serve(port))
}

#[test]
fn an_old_client_s_values_get_defaults_at_a_new_service_and_its_results_lose_what_is_new() {
    over_every_way(async |way| {
        let client = old_to_new(way);

        assert_eq!(client.add(old_contact("Tim")).await, Ok(1));
        assert_eq!(client.find("Tim".into()).await, Ok(old::Found::One(old_contact("Tim"))));
        client.note(old_contact("Ann")).await.unwrap();
        assert_eq!(client.all().await, Ok(vec![old_contact("Tim"), old_contact("Ann")]));
    });
}

#[test]
fn a_new_client_s_values_lose_what_an_old_service_does_not_know_and_its_results_get_defaults() {
    over_every_way(async |way| {
        let client = new_to_old(way);
        let expected = new::Contact { id: 0, mail: None, ..new_contact("Tim") };

        assert_eq!(client.add(new_contact("Tim")).await, Ok(1));
        assert_eq!(client.find("Tim".into()).await, Ok(new::Found::One(expected.clone())));
        assert_eq!(client.all().await, Ok(vec![expected]));
        assert_eq!(client.count().await, Ok(1), "a `u32` is read as the `u64` that it became");
    });
}

#[test]
fn a_value_that_the_other_version_does_not_know_fails_its_call_alone() {
    over_every_way(async |way| {
        let client = old_to_new(way);
        client.add(old_contact("Tim")).await.unwrap();
        client.add(old_contact("Tim")).await.unwrap();

        let error = client.find("Tim".into()).await.unwrap_err();

        assert!(matches!(error, CallError::Unknown(_)), "{error}");
        assert_eq!(client.find("Ann".into()).await, Ok(old::Found::Nobody));
    });
}

#[test]
fn a_method_that_does_not_agree_is_refused_with_the_first_difference_and_the_others_go_on() {
    over_every_way(async |way| {
        let (older, newer) = (old_to_new(way), new_to_old(way));

        let refused = older.rename("a".into(), "b".into()).await.unwrap_err();
        let difference = "arguments.1: `String` is written and `u32` is read";
        assert_eq!(refused, CallError::Refused(Refusal::Mismatch(difference.to_owned())));
        let refused = newer.rename("a".into(), 1).await.unwrap_err();
        let difference = "arguments.1: `u32` is written and `String` is read";
        assert_eq!(refused, CallError::Refused(Refusal::Mismatch(difference.to_owned())));
        // A narrower result.
        let refused = older.count().await.unwrap_err();
        let difference = "result: `u64` is written and `u32` is read";
        assert_eq!(refused, CallError::Refused(Refusal::Mismatch(difference.to_owned())));

        assert_eq!(older.add(old_contact("Tim")).await, Ok(1));
        assert_eq!(newer.add(new_contact("Tim")).await, Ok(1));
    });
}

#[test]
fn a_method_that_the_other_version_does_not_have_is_refused() {
    over_every_way(async |way| {
        let forgotten = old_to_new(way).forgotten().await.unwrap_err();
        let added = new_to_old(way).added().await.unwrap_err();

        assert!(matches!(forgotten, CallError::Refused(Refusal::UnknownMethod(_))), "{forgotten}");
        assert!(matches!(added, CallError::Refused(Refusal::UnknownMethod(_))), "{added}");
    });
}

#[test]
fn dropping_a_call_ends_the_method_also_in_another_version() {
    for way in [Way::Direct, Way::Bytes, Way::Stream] {
        context::block_on(async {
            let hanging = Rc::new(Cell::new(0));
            let service = New(RefCell::default(), hanging.clone());
            let client: old::ContactsClient = way.spawn_here(|port| new::ContactsServer::new(service).serve(port));
            let mut call = client.hang();
            assert!(poll!(&mut call).is_pending());
            settle().await;
            assert_eq!(hanging.get(), 1);

            drop(call);
            settle().await;

            assert_eq!(hanging.get(), 0);
        });
    }
}

#[test]
fn a_client_that_is_handed_to_another_version_is_read_as_that_version() {
    #[service]
    trait Desk {
        async fn hand_over(&self, client: new::ContactsClient) -> u32;
    }

    struct NewDesk;

    impl Desk for NewDesk {
        async fn hand_over(&self, client: new::ContactsClient) -> u32 {
            client.add(new_contact("Tim")).await.unwrap()
        }
    }

    over_every_way(async |way| {
        let desk: DeskClient = way.spawn(|port| DeskServer::new(NewDesk).serve(port));
        let client = Way::Bytes
            .spawn_here::<old::ContactsClient, _, _>(|port| old::ContactsServer::new(Old::default()).serve(port));
        // The first holder, of the old version, has introduced the method.
        client.add(old_contact("Ann")).await.unwrap();

        assert_eq!(desk.hand_over(client.into_port().into()).await, Ok(1));
    });
}

#[test]
fn a_service_says_what_it_is() {
    over_every_way(async |way| {
        let theirs = old_to_new(way).describe().await.unwrap();

        assert_eq!(theirs, new::ContactsClient::DESCRIPTION.describe());
        assert_eq!(theirs.name, "Contacts");
        let changes = Description::compare(&old::ContactsClient::DESCRIPTION.describe(), &theirs);
        assert!(
            changes.iter().any(|change| change.method.as_deref() == Some("rename") && !change.is_compatible),
            "{changes:?}"
        );
    });
}

/// Run with `HANDOVER_ACCEPT_API=1` to accept a change.
#[test]
fn the_service_is_what_its_committed_description_says() {
    check_against_file(&new::ContactsClient::DESCRIPTION, "tests/api/contacts.txt").unwrap();
}

#[test]
fn a_description_has_names_docs_kinds_and_shapes() {
    let description = old::ContactsClient::DESCRIPTION.describe();

    assert_eq!(description.docs, "Contacts, as they were.");
    let add = &description.methods[0];
    assert_eq!((add.name.as_str(), add.docs.as_str(), add.kind), ("add", "Adds one.", MethodKind::Call));
    assert_eq!(add.to_string(), "add(contact: Contact { name: String, phone: String }) -> u32");
    assert_eq!(description.methods[5].kind, MethodKind::OneWay);
}

#[test]
fn versions_understand_each_other_through_a_router_whichever_service_a_call_goes_to() {
    context::block_on(async {
        let router = CallRouter::new();
        let [one, _other] =
            [(); 2].map(|()| router.add(testing::connect(|port| old::ContactsServer::new(Old::default()).serve(port))));
        let (client, near) = MessageChannel::new().into_ports();
        let _link = Link::spawn(near, router.connect(), LinkOptions::default());
        let contacts = new::ContactsClient::from(client);
        contacts.add(new_contact("Ada")).await.unwrap();
        let at_one = contacts.all().await.unwrap();

        // The other has heard nothing of this client.
        router.remove(one);
        contacts.add(new_contact("Bob")).await.unwrap();
        let at_other = contacts.all().await.unwrap();

        let names = |contacts: Vec<new::Contact>| contacts.into_iter().map(|contact| contact.name).collect::<Vec<_>>();
        assert_eq!(names(at_one), ["Ada"]);
        assert_eq!(names(at_other), ["Bob"]);
    });
}

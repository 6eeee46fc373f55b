//! Which methods a client calls, that no two of them have the same id, and whether they are another service's.

use super::MethodId;

/// The methods that the client of a service can call: the service's own, and those of its super-services.
#[derive(Clone, Copy, Debug)]
pub struct MethodTable {
    /// The path of the trait. Two services that have a method of one id differ in this, or they are the same.
    pub service: &'static str,
    /// The methods of the trait: their ids and their names.
    pub own: &'static [(MethodId, &'static str)],
    /// Those of its super-services.
    pub supers: &'static [MethodTable],
}

impl MethodTable {
    /// Of a service that `#[service]` has not made.
    pub(in crate::rpc) const NONE: Self = Self { service: "", own: &[], supers: &[] };

    /// All of them, those of super-services too.
    pub(in crate::rpc) fn ids(&self) -> Vec<MethodId> {
        let own = self.own.iter().map(|(id, _)| *id);
        own.chain(self.supers.iter().flat_map(Self::ids)).collect()
    }

    /// Whether it is the table of this service, of a super-service of it, or of a view of one.
    pub(in crate::rpc) fn is_within(&self, whole: &Self) -> bool {
        let is_there = |(id, name): &(MethodId, &str)| find(whole, *id).is_some_and(|(_, its_name)| its_name == *name);
        self.service == whole.service && self.own.iter().all(is_there)
            || whole.supers.iter().any(|part| self.is_within(part))
    }
}

/// Fails to compile, where it is used in a constant, if the service has a method of this name by another id: a view of it has to have it
/// by the same.
#[track_caller]
pub const fn assert_viewed(service: &MethodTable, id: MethodId, name: &str) {
    assert!(
        !matches!(find_name(service, name), Some(other) if other.0 != id.0),
        "the service has another id for this method: give it the same `#[rpc(id = N)]` here"
    );
}

/// The id of the method of this name.
const fn find_name(methods: &MethodTable, name: &str) -> Option<MethodId> {
    let mut index = 0;
    while index < methods.own.len() {
        if is_same(methods.own[index].1, name) {
            return Some(methods.own[index].0);
        }
        index += 1;
    }
    index = 0;
    while index < methods.supers.len() {
        if let Some(found) = find_name(&methods.supers[index], name) {
            return Some(found);
        }
        index += 1;
    }
    None
}

/// Fails to compile, where it is used in a constant, if a method that comes before the named one has the same id.
#[track_caller]
pub const fn assert_distinct(methods: &MethodTable, id: MethodId, name: &str) {
    let mut index = 0;
    while methods.own[index].0.0 != id.0 {
        index += 1;
    }
    assert!(is_same(methods.own[index].1, name), "an earlier method has the same id: give this one `#[rpc(id = N)]`");
    index = 0;
    while index < methods.supers.len() {
        assert!(
            find(&methods.supers[index], id).is_none(),
            "a method of a super-service has the same id: give this one `#[rpc(id = N)]`"
        );
        index += 1;
    }
}

/// Fails to compile, where it is used in a constant, if a method of this super-service has the id of another method of an
/// earlier one. One that both have from the same super-service is no other.
#[track_caller]
pub const fn assert_distinct_super(methods: &MethodTable, position: usize) {
    let mut earlier = 0;
    while earlier < position {
        assert!(
            are_distinct(&methods.supers[earlier], &methods.supers[position]),
            "an earlier super-service has a method of the same id: give one of the two `#[rpc(id = N)]`"
        );
        earlier += 1;
    }
}

/// Whether no method of one table has the id of another method in the other.
const fn are_distinct(one: &MethodTable, other: &MethodTable) -> bool {
    let mut index = 0;
    while index < other.own.len() {
        let (id, name) = other.own[index];
        if let Some((service, its_name)) = find(one, id)
            && !(is_same(service, other.service) && is_same(its_name, name))
        {
            return false;
        }
        index += 1;
    }
    index = 0;
    while index < other.supers.len() {
        if !are_distinct(one, &other.supers[index]) {
            return false;
        }
        index += 1;
    }
    true
}

/// The service and the name of the method of this id.
const fn find(methods: &MethodTable, id: MethodId) -> Option<(&'static str, &'static str)> {
    let mut index = 0;
    while index < methods.own.len() {
        if methods.own[index].0.0 == id.0 {
            return Some((methods.service, methods.own[index].1));
        }
        index += 1;
    }
    index = 0;
    while index < methods.supers.len() {
        if let Some(found) = find(&methods.supers[index], id) {
            return Some(found);
        }
        index += 1;
    }
    None
}

/// `==`, for lack of it in a `const fn`.
const fn is_same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut index = 0;
    while index < left.len() && index < right.len() && left[index] == right[index] {
        index += 1;
    }
    index == left.len() && index == right.len()
}

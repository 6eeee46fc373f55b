//! Which methods a client calls, and that no two of them have the same id.

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

//! What changed between two versions of a service.

use std::fmt;

use super::{Agreement, Description, MethodDescription, MethodShape};

/// One difference between an old and a new version of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The method; `None` for the service as a whole.
    pub method: Option<String>,
    /// Who talks to whom when it matters.
    pub direction: Direction,
    /// Whether the two understand each other all the same.
    pub is_compatible: bool,
    /// What it is, in one sentence.
    pub sentence: String,
}

/// Who talks to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// A client of the old version, a service of the new one.
    OldClientNewService,
    /// A client of the new version, a service of the old one.
    NewClientOldService,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OldClientNewService => "old client, new service",
            Self::NewClientOldService => "new client, old service",
        })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_compatible { "compatible" } else { "INCOMPATIBLE" };
        write!(f, "{verdict} ({}): {}", self.direction, self.sentence)
    }
}

impl Description {
    /// What changed from an old version to a new one, for both directions. Names of traits, types and arguments, documentation,
    /// and the order of methods make no difference.
    ///
    /// A call of a method that only one of them has is refused as an unknown method, and the others work on. So a method may be
    /// added; it may not be removed, since old clients cannot know.
    pub fn compare(old: &Self, new: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        for method in &old.methods {
            match new.methods.iter().find(|other| other.id == method.id) {
                Some(other) => compare_methods(method, other, &mut changes),
                None => only_in_one(method, "removed", Direction::OldClientNewService, &mut changes),
            }
        }
        for method in &new.methods {
            if !old.methods.iter().any(|other| other.id == method.id) {
                only_in_one(method, "added", Direction::NewClientOldService, &mut changes);
            }
        }
        changes
    }
}

/// `called` is when somebody calls it who has it, where it is not.
fn only_in_one(method: &MethodDescription, what: &str, called: Direction, changes: &mut Vec<Change>) {
    let name = &method.name;
    for direction in [Direction::OldClientNewService, Direction::NewClientOldService] {
        let (is_compatible, consequence) = if direction == called {
            // A new client of an old service knows that it is new; an old client cannot know what is gone.
            (what == "added", "a call of it is refused as an unknown method")
        } else {
            (true, "nobody calls it")
        };
        let sentence = format!("the method `{name}` was {what}: {consequence}.");
        changes.push(Change { method: Some(name.clone()), direction, is_compatible, sentence });
    }
}

fn compare_methods(old: &MethodDescription, new: &MethodDescription, changes: &mut Vec<Change>) {
    let name = &new.name;
    let both = [(Direction::OldClientNewService, old, new), (Direction::NewClientOldService, new, old)];
    for (direction, client, service) in both {
        let mut push = |is_compatible, sentence| {
            changes.push(Change { method: Some(name.clone()), direction, is_compatible, sentence });
        };
        if old.kind != new.kind {
            push(false, format!("`{name}` was a {:?} and is a {:?}.", old.kind, new.kind));
            continue;
        }
        match MethodShape::compare(&client.shape(), &service.shape()) {
            Agreement::Same => {}
            Agreement::Evolved => {
                push(true, format!("`{name}` was `{old}` and is `{new}`, and one can be read as the other."))
            }
            Agreement::Differs(difference) => {
                push(false, format!("`{name}` differs in {}.", named(&difference.to_string(), service)));
            }
        }
    }
}

/// A path with the name of an argument for its number.
fn named(difference: &str, method: &MethodDescription) -> String {
    let number = difference.strip_prefix("arguments.").and_then(|rest| {
        let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        let name = &method.args.get(rest[..end].parse::<usize>().ok()?)?.0;
        Some(format!("{name}{}", &rest[end..]))
    });
    number.unwrap_or_else(|| difference.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{MethodKind, Shape},
        *,
    };

    fn method(id: u32, args: &[(&str, &str)], ok: &str) -> MethodDescription {
        let shape = |text: &str| text.parse::<Shape>().unwrap();
        let args = args.iter().map(|(name, text)| ((*name).to_owned(), shape(text))).collect();
        let (name, docs) = (format!("method_{id}"), String::new());
        MethodDescription { id, name, docs, kind: MethodKind::Call, args, ok: shape(ok), err: None }
    }

    fn changes(old: &[MethodDescription], new: &[MethodDescription]) -> Vec<String> {
        let service =
            |methods: &[_]| Description { name: String::new(), docs: String::new(), methods: methods.to_vec() };
        Description::compare(&service(old), &service(new)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_and_documentation_and_order_make_no_difference() {
        let (one, two) = (method(1, &[("a", "A { x: u8 }")], "()"), method(2, &[], "()"));
        let mut renamed = method(1, &[("b", "B { x: u8 }")], "()");
        renamed.name = "renamed".to_owned();
        renamed.docs = "documented".to_owned();

        assert_eq!(changes(&[one, two.clone()], &[two, renamed]), [""; 0]);
    }

    #[test]
    fn a_method_may_be_added_and_not_removed() {
        let (one, two) = (method(1, &[], "()"), method(2, &[], "()"));

        assert_eq!(
            changes(std::slice::from_ref(&one), &[one.clone(), two.clone()]),
            [
                "compatible (old client, new service): the method `method_2` was added: nobody calls it.",
                "compatible (new client, old service): the method `method_2` was added: a call of it is refused as an unknown \
             method.",
            ]
        );
        assert_eq!(
            changes(&[one.clone(), two], &[one]),
            [
                "INCOMPATIBLE (old client, new service): the method `method_2` was removed: a call of it is refused as an \
             unknown method.",
                "compatible (new client, old service): the method `method_2` was removed: nobody calls it.",
            ]
        );
    }

    #[test]
    fn each_direction_has_its_own_verdict() {
        let (old, new) = (method(1, &[("n", "u8")], "()"), method(1, &[("n", "u32")], "()"));

        assert_eq!(
            changes(&[old], &[new]),
            [
                "compatible (old client, new service): `method_1` was `method_1(n: u8) -> ()` and is `method_1(n: u32) -> ()`, \
             and one can be read as the other.",
                "INCOMPATIBLE (new client, old service): `method_1` differs in n: `u32` is written and `u8` is read.",
            ]
        );
    }

    #[test]
    fn a_call_of_another_kind_is_incompatible() {
        let old = method(1, &[], "()");
        let new = MethodDescription { kind: MethodKind::OneWay, ..old.clone() };

        let changes = changes(&[old], &[new]);

        assert_eq!(changes.len(), 2);
        assert!(changes.iter().all(|change| change.starts_with("INCOMPATIBLE")), "{changes:?}");
    }
}

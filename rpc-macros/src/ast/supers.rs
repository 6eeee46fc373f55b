//! The supertraits of a service that are services themselves.

use quote::format_ident;
use syn::{GenericArgument, Ident, ItemTrait, Path, PathArguments, TraitBound, TypeParamBound, parse_quote};

use super::projections::Projections;

/// Traits that are no services, by their names: those of std that a service may want to have, and serde's.
const PLAIN: [&str; 46] = [
    "Any",
    "AsMut",
    "AsRef",
    "Binary",
    "Borrow",
    "BorrowMut",
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Deref",
    "DerefMut",
    "Deserialize",
    "DeserializeOwned",
    "Display",
    "Drop",
    "Eq",
    "Error",
    "Extend",
    "Fn",
    "FnMut",
    "FnOnce",
    "Freeze",
    "From",
    "FromIterator",
    "FromStr",
    "Future",
    "Hash",
    "Into",
    "IntoFuture",
    "IntoIterator",
    "Iterator",
    "LowerHex",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "RefUnwindSafe",
    "Send",
    "Serialize",
    "Sized",
    "Sync",
    "ToOwned",
    "ToString",
    "TryFrom",
    "Unpin",
    "UnwindSafe",
];

/// A service whose methods this one has too.
pub(crate) struct SuperService {
    /// The trait, as it is named among the supertraits.
    pub(crate) path: Path,
    /// Its client: `a::ContactsClient` for `a::Contacts`.
    pub(crate) client: Path,
    /// What stands for it in generated code.
    pub(crate) variant: Ident,
}

/// A service of which this one is a view: it has some of its methods, and its client makes calls of that service.
pub(crate) struct Viewed {
    /// The trait, as it is named.
    pub(crate) path: Path,
    /// Its client.
    pub(crate) client: Path,
}

impl Viewed {
    pub(super) fn read(path: &Path) -> Self {
        Self { path: path.clone(), client: client_of(path) }
    }
}

impl SuperService {
    pub(super) fn read_all(item: &ItemTrait, plain: &[Path], projections: &Projections) -> Vec<Self> {
        let bounds = item.supertraits.iter().filter_map(|bound| match bound {
            TypeParamBound::Trait(bound) => Some(bound),
            _ => None,
        });
        let services =
            bounds.filter(|bound| is_service(bound) && !plain.iter().any(|path| is_plain(path, &bound.path)));
        let read = |(position, bound): (usize, &TraitBound)| Self {
            path: bound.path.clone(),
            client: client_of(&projections.resolve(&bound.path)),
            variant: format_ident!("__Super{position}"),
        };
        services.enumerate().map(read).collect()
    }
}

/// Whether a supertrait is what `plain(…)` names: by its last names, as many as are given.
pub(crate) fn is_plain(plain: &Path, supertrait: &Path) -> bool {
    let (mut plain, mut names) = (plain.segments.iter().rev(), supertrait.segments.iter().rev());
    plain.all(|wanted| names.next().is_some_and(|name| name.ident == wanted.ident))
}

fn is_service(bound: &TraitBound) -> bool {
    let Some(last) = bound.path.segments.last() else { return false };
    let is_like_a_function = matches!(last.arguments, PathArguments::Parenthesized(_));
    bound.maybe.is_none()
        && bound.lifetimes.is_none()
        && !is_like_a_function
        && !PLAIN.iter().any(|name| last.ident == name)
}

/// The client of a service: what the trait's associated types are follows its other arguments.
pub(super) fn client_of(service: &Path) -> Path {
    let mut client = service.clone();
    let Some(last) = client.segments.last_mut() else { return client };
    last.ident = format_ident!("{}Client", last.ident);
    if let PathArguments::AngleBracketed(arguments) = &mut last.arguments {
        for argument in &mut arguments.args {
            if let GenericArgument::AssocType(binding) = argument {
                let ty = &binding.ty;
                *argument = parse_quote!(#ty);
            }
        }
    }
    client
}

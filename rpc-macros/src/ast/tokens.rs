//! Looking for names in the tokens of types, where it does not matter how they are nested.

use proc_macro2::{Ident, Spacing, TokenStream, TokenTree};

/// A name that starts a path: not one behind `::`.
pub(super) struct Mention {
    pub(super) ident: Ident,
    /// The name behind it, in `K::Item`.
    pub(super) then: Option<Ident>,
    /// Whether it is the `K` of `<K as Trait>::Item`.
    pub(super) is_qualified: bool,
}

/// Whether one of the names starts a path somewhere in the tokens.
pub(crate) fn mentions(tokens: TokenStream, name: &Ident) -> bool {
    mentions_in(tokens).iter().any(|mention| mention.ident == *name)
}

/// Every name that starts a path, in the order of the tokens.
pub(super) fn mentions_in(tokens: TokenStream) -> Vec<Mention> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => found.extend(mentions_in(group.stream())),
            TokenTree::Ident(ident) if !is_behind_colons(&tokens[..at]) && !is_lifetime(&tokens[..at]) => {
                let rest = &tokens[at + 1..];
                found.push(Mention { ident: ident.clone(), then: path_tail(rest), is_qualified: is_as(rest.first()) });
            }
            _ => {}
        }
    }
    found
}

pub(super) fn is_as(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == "as")
}

pub(super) fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

/// The name in `::name…`.
pub(super) fn path_tail(tokens: &[TokenTree]) -> Option<Ident> {
    match tokens {
        [TokenTree::Punct(first), TokenTree::Punct(second), TokenTree::Ident(name), ..]
            if first.as_char() == ':' && first.spacing() == Spacing::Joint && second.as_char() == ':' =>
        {
            Some(name.clone())
        }
        _ => None,
    }
}

fn is_behind_colons(before: &[TokenTree]) -> bool {
    let [.., first, second] = before else { return false };
    let is_joint = matches!(first, TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint);
    is_joint && is_punct(Some(first), ':') && is_punct(Some(second), ':')
}

fn is_lifetime(before: &[TokenTree]) -> bool {
    is_punct(before.last(), '\'')
}

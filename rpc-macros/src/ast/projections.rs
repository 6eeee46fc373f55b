//! The associated types of a service: `Self::Key` in its signatures is a parameter of its client.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident};
use syn::{ItemTrait, TraitItem, parse::Parse};

use super::tokens::{is_as, is_punct, mentions_in, path_tail};

/// The associated types of a trait, and the parameters that stand for them outside of it.
pub(super) struct Projections {
    trait_name: Ident,
    /// The names of the types, and of the parameters.
    names: Vec<(Ident, Ident)>,
}

impl Projections {
    pub(super) fn read(item: &ItemTrait) -> Self {
        let taken = names_in(item);
        let types = item.items.iter().filter_map(|item| match item {
            TraitItem::Type(item) => Some(&item.ident),
            _ => None,
        });
        let names = types.map(|ident| (ident.clone(), parameter_name(ident, &taken))).collect();
        Self { trait_name: item.ident.clone(), names }
    }

    /// The parameter that stands for the type of this name.
    pub(super) fn parameter(&self, name: &Ident) -> Option<&Ident> {
        self.names.iter().find(|(ident, _)| ident == name).map(|(_, parameter)| parameter)
    }

    /// The same, as it is said outside of the trait.
    pub(super) fn resolve<T: Parse + ToTokens + Clone>(&self, part: &T) -> T {
        if self.names.is_empty() {
            return part.clone();
        }
        let tokens = self.resolve_tokens(part.to_token_stream());
        syn::parse2(tokens).unwrap_or_else(|_| part.clone())
    }

    fn resolve_tokens(&self, tokens: TokenStream) -> TokenStream {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut resolved = Vec::new();
        let mut rest = &tokens[..];
        while let [first, after @ ..] = rest {
            if let Some((parameter, length)) = self.projection(rest) {
                resolved.push(TokenTree::Ident(parameter));
                rest = &rest[length..];
                continue;
            }
            resolved.push(match first {
                TokenTree::Group(group) => TokenTree::Group(self.resolve_group(group)),
                other => other.clone(),
            });
            rest = after;
        }
        resolved.into_iter().collect()
    }

    fn resolve_group(&self, group: &Group) -> Group {
        let mut resolved = Group::new(group.delimiter(), self.resolve_tokens(group.stream()));
        resolved.set_span(group.span());
        resolved
    }

    /// The parameter for `Self::Key` or `<Self as Trait>::Key`, if the tokens start so, and how many of them it stands for.
    fn projection(&self, tokens: &[TokenTree]) -> Option<(Ident, usize)> {
        let length = if is_self(tokens.first()) { 1 } else { self.qualified_self(tokens)? };
        let name = path_tail(&tokens[length..])?;
        let mut parameter = self.parameter(&name)?.clone();
        parameter.set_span(name.span());
        Some((parameter, length + 3))
    }

    /// How many tokens `<Self as Trait>` has, if the tokens start so.
    fn qualified_self(&self, tokens: &[TokenTree]) -> Option<usize> {
        if !(is_punct(tokens.first(), '<') && is_self(tokens.get(1)) && is_as(tokens.get(2))) {
            return None;
        }
        let mut depth = 1_usize;
        let mut is_ours = false;
        for (at, token) in tokens.iter().enumerate().skip(3) {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
                TokenTree::Punct(punct) if punct.as_char() == '>' => depth -= 1,
                TokenTree::Ident(ident) if depth == 1 => is_ours = *ident == self.trait_name,
                _ => {}
            }
            if depth == 0 {
                return is_ours.then_some(at + 1);
            }
        }
        None
    }
}

fn is_self(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == "Self")
}

/// `Key` for `Key`, unless the trait says `Key` and means another.
fn parameter_name(ident: &Ident, taken: &[Ident]) -> Ident {
    if taken.contains(ident) { format_ident!("__{}", ident) } else { ident.clone() }
}

/// Every name in the signatures and in the bounds of a trait, but those behind `Self::`.
fn names_in(item: &ItemTrait) -> Vec<Ident> {
    let head = [item.ident.to_token_stream(), item.supertraits.to_token_stream(), item.generics.to_token_stream()];
    let clause = item.generics.where_clause.to_token_stream();
    let parts = item.items.iter().map(|part| match part {
        TraitItem::Fn(function) => function.sig.to_token_stream(),
        TraitItem::Type(item) => item.bounds.to_token_stream(),
        _ => TokenStream::new(),
    });
    let mentions = head.into_iter().chain([clause]).chain(parts).flat_map(mentions_in);
    mentions.map(|mention| mention.ident).collect()
}

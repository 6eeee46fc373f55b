//! What `#[rpc(…)]` says of a method.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Expr, ExprLit, ExprStruct, Lit, LitInt, Member, Token, meta::ParseNestedMeta, spanned::Spanned};

use crate::errors::Errors;

/// What `#[rpc(overflow = …)]` says.
pub(crate) struct Overflow {
    /// Where `overflow` stands.
    pub(crate) place: Span,
    /// The variant of `handover::stream::Overflow`, without a path.
    pub(crate) variant: TokenStream,
}

/// What `#[rpc(…)]` says.
#[derive(Default)]
pub(crate) struct Options {
    /// Where `oneway` stands, if it does.
    pub(crate) oneway: Option<Span>,
    /// Where `ordered` stands, if it does.
    pub(crate) ordered: Option<Span>,
    /// Where `no_cancel` stands, if it does.
    pub(crate) no_cancel: Option<Span>,
    /// A `u32`.
    pub(crate) id: Option<LitInt>,
    /// What becomes of items when their consumer is slow.
    pub(crate) overflow: Option<Overflow>,
}

impl Options {
    /// Takes the `#[rpc(…)]` attributes out of the list.
    pub(super) fn take(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        attrs.retain(|attr| {
            let is_ours = attr.path().is_ident("rpc");
            if is_ours && let Err(error) = options.parse(attr) {
                errors.push(error);
            }
            !is_ours
        });
        options
    }

    fn parse(&mut self, attr: &Attribute) -> syn::Result<()> {
        let Ok(_) = attr.meta.require_list() else {
            return Err(syn::Error::new_spanned(attr, "write `#[rpc(oneway)]`, `#[rpc(id = 7)]`, or both in one"));
        };
        attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("oneway") {
                return set_word("oneway", &mut self.oneway, &meta);
            }
            if meta.path.is_ident("ordered") {
                return set_word("ordered", &mut self.ordered, &meta);
            }
            if meta.path.is_ident("no_cancel") {
                return set_word("no_cancel", &mut self.no_cancel, &meta);
            }
            if meta.path.is_ident("id") {
                return self.set_id(&meta);
            }
            if meta.path.is_ident("overflow") {
                return self.set_overflow(&meta);
            }
            Err(meta.error(
                "`#[rpc]` knows no such option: it knows `oneway`, `ordered`, `no_cancel`, `id = 7` and `overflow = KeepLatest`",
            ))
        })
    }

    fn set_id(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        const WHAT_TO_WRITE: &str = "a method's id is a number from 0 to 4294967295: write `id = 7`";
        if !meta.input.peek(Token![=]) {
            return Err(meta.error(WHAT_TO_WRITE));
        }
        let value: Expr = meta.value()?.parse()?;
        let id = id_literal(&value).ok_or_else(|| syn::Error::new_spanned(&value, WHAT_TO_WRITE))?;
        if self.id.replace(id).is_some() {
            return Err(meta.error("the method has an id already: leave one out"));
        }
        Ok(())
    }

    fn set_overflow(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        const WHAT_TO_WRITE: &str = "`overflow` says what becomes of items when their consumer is slow: write `overflow = \
                                     Wait`, `DropOldest { waiting: 8 }`, `DropNewest`, `KeepLatest` or `End`";
        if !meta.input.peek(Token![=]) {
            return Err(meta.error(WHAT_TO_WRITE));
        }
        let place = meta.path.span();
        let value: Expr = meta.value()?.parse()?;
        let variant = overflow_variant(&value).ok_or_else(|| syn::Error::new_spanned(&value, WHAT_TO_WRITE))?;
        if self.overflow.replace(Overflow { place, variant }).is_some() {
            return Err(meta.error("`overflow` is said already: leave one out"));
        }
        Ok(())
    }
}

/// The overflow, if it is one of those there are.
fn overflow_variant(value: &Expr) -> Option<TokenStream> {
    match value {
        Expr::Group(group) => overflow_variant(&group.expr),
        Expr::Path(path) => {
            let is_known = |name: &&str| path.path.is_ident(*name);
            ["Wait", "DropNewest", "KeepLatest", "End"].iter().any(is_known).then(|| path.to_token_stream())
        }
        Expr::Struct(ExprStruct { path, fields, rest: None, .. }) if path.is_ident("DropOldest") => {
            let mut fields = fields.iter();
            let (Some(waiting), None) = (fields.next(), fields.next()) else { return None };
            let is_waiting = matches!(&waiting.member, Member::Named(name) if name == "waiting");
            is_waiting.then(|| quote!(#path { #waiting }))
        }
        _ => None,
    }
}

/// Sets an option that is said or left out.
fn set_word(name: &str, word: &mut Option<Span>, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if !meta.input.is_empty() && !meta.input.peek(Token![,]) {
        return Err(meta.error(format!("`{name}` takes no value: say it, or leave it out")));
    }
    if word.replace(meta.path.span()).is_some() {
        return Err(meta.error(format!("`{name}` is said already: leave one out")));
    }
    Ok(())
}

fn id_literal(value: &Expr) -> Option<LitInt> {
    match value {
        Expr::Group(group) => id_literal(&group.expr),
        Expr::Lit(ExprLit { lit: Lit::Int(id), .. }) => {
            (id.base10_parse::<u32>().is_ok() && matches!(id.suffix(), "" | "u32")).then(|| id.clone())
        }
        _ => None,
    }
}

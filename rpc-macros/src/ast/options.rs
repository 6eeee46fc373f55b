//! What `#[rpc(…)]` says of a method.

use proc_macro2::Span;
use syn::{Attribute, Expr, ExprLit, Lit, LitInt, Token, meta::ParseNestedMeta, spanned::Spanned};

use crate::errors::Errors;

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
            Err(meta.error("`#[rpc]` knows no such option: it knows `oneway`, `ordered`, `no_cancel` and `id = 7`"))
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

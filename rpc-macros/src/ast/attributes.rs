//! The user's attributes, as far as they go on what is generated.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Meta, Token, parse_quote, punctuated::Punctuated};

/// The attributes of a trait, or of a method, that generated items get too.
#[derive(Default)]
pub(crate) struct Carried {
    /// Goes on every item.
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) deprecated: Vec<Attribute>,
    /// What its users are told, or want not to be told.
    pub(crate) others: Vec<Attribute>,
}

impl Carried {
    /// The attributes of a method: its client's method is documented as it is, and deprecated if it is.
    pub(crate) fn of_method(attrs: &[Attribute]) -> Self {
        Self::read(attrs, &["deprecated", "must_use", "allow"])
    }

    /// The attributes of a trait. Its client and its server have documentation of their own.
    pub(crate) fn of_trait(attrs: &[Attribute]) -> Self {
        Self::read(attrs, &[])
    }

    fn read(attrs: &[Attribute], others: &[&str]) -> Self {
        Self {
            cfgs: named(attrs, &["cfg"]),
            docs: named(attrs, &["doc"]),
            deprecated: named(attrs, &["deprecated"]),
            others: named(attrs, others),
        }
    }
}

/// The attributes of these names, also where they are inside a `cfg_attr`.
fn named(attrs: &[Attribute], names: &[&str]) -> Vec<Attribute> {
    let is_named = |meta: &Meta| names.iter().any(|name| meta.path().is_ident(name));
    let mut found = Vec::new();
    for attr in attrs {
        if is_named(&attr.meta) {
            found.push(attr.clone());
        }
        let Some((condition, inner)) = cfg_attr(attr) else { continue };
        let inner = inner.iter().filter(|meta| is_named(meta));
        found.extend(inner.map(|meta| -> Attribute { parse_quote!(#[cfg_attr(#condition, #meta)]) }));
    }
    found
}

/// Where an attribute of ours is inside a `cfg_attr`, which is not resolved yet when we read it.
pub(crate) fn hidden_in_cfg_attr(attrs: &[Attribute], name: &str) -> Option<Meta> {
    let inner = attrs.iter().filter_map(cfg_attr).flat_map(|(_, inner)| inner);
    inner.into_iter().find(|meta| meta.path().is_ident(name))
}

/// The condition of a `cfg_attr`, and its attributes.
fn cfg_attr(attr: &Attribute) -> Option<(TokenStream, Vec<Meta>)> {
    if !attr.path().is_ident("cfg_attr") {
        return None;
    }
    let list = attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?;
    let mut parts = list.into_iter();
    let condition = parts.next()?;
    Some((quote!(#condition), parts.collect()))
}

//! The arguments of the attribute.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Path, Token,
    meta::ParseNestedMeta,
    parse::{ParseStream, Parser},
    parse_quote,
};

use crate::errors::Errors;

/// The arguments of `#[service]`.
pub(crate) struct Args {
    /// Where `handover` is.
    pub(crate) handover: Path,
}

impl Args {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut handover = parse_quote!(::handover);
        let parser = syn::meta::parser(|meta| {
            if meta.path.is_ident("crate") {
                handover = parse_path(&meta)?;
                return Ok(());
            }
            Err(meta.error("`#[service]` takes no such argument: it knows `crate = path::to::handover`"))
        });
        if let Err(error) = parser.parse2(tokens) {
            errors.push(error);
        }
        Self { handover }
    }

    /// Where generated code finds what it needs.
    pub(crate) fn private(&self) -> TokenStream {
        let handover = &self.handover;
        quote!(#handover::__private)
    }
}

fn parse_path(meta: &ParseNestedMeta<'_>) -> syn::Result<Path> {
    const WHAT_TO_WRITE: &str = "`crate` says where `handover` is: write `crate = path::to::handover`, without quotes";
    if !meta.input.peek(Token![=]) {
        return Err(meta.error(WHAT_TO_WRITE));
    }
    let value: ParseStream<'_> = meta.value()?;
    let at = value.span();
    value.call(Path::parse_mod_style).map_err(|_| syn::Error::new(at, WHAT_TO_WRITE))
}

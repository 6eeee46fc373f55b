//! The arguments of the attribute.

use proc_macro2::TokenStream;
use syn::{Path, parse::Parser, parse_quote};

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
                handover = meta.value()?.call(Path::parse_mod_style)?;
                return Ok(());
            }
            Err(meta.error("`#[service]` takes no such argument: it knows `crate = path::to::handover`"))
        });
        if let Err(error) = parser.parse2(tokens) {
            errors.push(error);
        }
        Self { handover }
    }
}

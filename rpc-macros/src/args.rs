//! The arguments of the attribute.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{
    Path, Token,
    meta::ParseNestedMeta,
    parenthesized,
    parse::{ParseStream, Parser},
    parse_quote,
    spanned::Spanned,
    token,
};

use crate::errors::Errors;

/// The arguments of `#[service]`.
pub(crate) struct Args {
    /// Where `handover` is.
    pub(crate) handover: Path,
    /// The supertraits that are no services.
    pub(crate) plain: Vec<Path>,
    /// Where `client_trait` stands, if it does.
    pub(crate) client_trait: Option<Span>,
    /// The service that this one is a view of.
    pub(crate) view_of: Option<Path>,
}

impl Args {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args =
            Self { handover: parse_quote!(::handover), plain: Vec::new(), client_trait: None, view_of: None };
        let parser = syn::meta::parser(|meta| args.parse_one(&meta));
        if let Err(error) = parser.parse2(tokens) {
            errors.push(error);
        }
        args
    }

    fn parse_one(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        if meta.path.is_ident("crate") {
            self.handover = parse_path(meta)?;
            return Ok(());
        }
        if meta.path.is_ident("plain") {
            self.plain.extend(parse_paths(meta)?);
            return Ok(());
        }
        if meta.path.is_ident("client_trait") {
            return self.set_client_trait(meta);
        }
        if meta.path.is_ident("view_of") {
            return self.set_view_of(meta);
        }
        Err(meta.error(
            "`#[service]` takes no such argument: it knows `crate = path::to::handover`, `client_trait`, `plain(Supertrait)` and `view_of = Service`",
        ))
    }

    fn set_client_trait(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        if !meta.input.is_empty() && !meta.input.peek(Token![,]) {
            return Err(meta.error("`client_trait` takes no value: say it, or leave it out"));
        }
        if self.client_trait.replace(meta.path.span()).is_some() {
            return Err(meta.error("`client_trait` is said already: leave one out"));
        }
        Ok(())
    }

    fn set_view_of(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        const WHAT_TO_WRITE: &str = "`view_of` names the service that has the methods: write `view_of = Service`";
        if !meta.input.peek(Token![=]) {
            return Err(meta.error(WHAT_TO_WRITE));
        }
        let value: ParseStream<'_> = meta.value()?;
        let at = value.span();
        let service = value.parse().map_err(|_| syn::Error::new(at, WHAT_TO_WRITE))?;
        if self.view_of.replace(service).is_some() {
            return Err(meta.error("`view_of` is said already: a view is of one service"));
        }
        Ok(())
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

fn parse_paths(meta: &ParseNestedMeta<'_>) -> syn::Result<Vec<Path>> {
    const WHAT_TO_WRITE: &str = "`plain` names the supertraits that are no services: write `plain(Supertrait)`";
    if !meta.input.peek(token::Paren) {
        return Err(meta.error(WHAT_TO_WRITE));
    }
    let inside;
    parenthesized!(inside in meta.input);
    let at = inside.span();
    let paths =
        inside.parse_terminated(Path::parse_mod_style, Token![,]).map_err(|_| syn::Error::new(at, WHAT_TO_WRITE))?;
    if paths.is_empty() {
        return Err(meta.error(WHAT_TO_WRITE));
    }
    Ok(paths.into_iter().collect())
}

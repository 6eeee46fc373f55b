//! Mistakes, collected so that all of them are told in one go.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// Every mistake that was found, each at the user's token.
#[derive(Debug, Default)]
pub(crate) struct Errors {
    told: Vec<syn::Error>,
    left_to_rustc: bool,
}

impl Errors {
    /// Notes a mistake at these tokens.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: &str) {
        self.told.push(syn::Error::new_spanned(tokens, message));
    }

    /// Notes a mistake at this place.
    pub(crate) fn here(&mut self, place: Span, message: &str) {
        self.told.push(syn::Error::new(place, message));
    }

    /// Notes a mistake that the parser found.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.told.push(error);
    }

    /// Notes a mistake that rustc tells of the trait as it is written back, so that nothing is built on it.
    pub(crate) fn leave_to_rustc(&mut self) {
        self.left_to_rustc = true;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.told.is_empty() && !self.left_to_rustc
    }

    /// The compiler's own errors, one for each mistake.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.told.iter().map(syn::Error::to_compile_error).collect()
    }
}

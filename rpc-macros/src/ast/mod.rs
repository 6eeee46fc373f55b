//! A service trait, read into what the later phases need.

mod attributes;
mod method;
mod options;
mod params;
mod projections;
mod stream;
mod supers;
mod tokens;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, Ident, ItemTrait, TraitItem, Visibility};

use self::{attributes::Carried, options::Options, projections::Projections};
pub(crate) use self::{
    attributes::hidden_in_cfg_attr,
    method::{Arg, Lent, Method, Output, is_context, peel},
    params::{Params, angled},
    stream::{Stream, Yields, is_iterator, stream_bound, surplus_bound},
    supers::{SuperService, Viewed, is_plain},
    tokens::mentions,
};
use crate::{args::Args, errors::Errors};

/// A service trait.
pub(crate) struct Service {
    /// The trait as it is written back: without our attributes.
    pub(crate) item: ItemTrait,
    /// The types that it leaves open.
    pub(crate) params: Params,
    /// The services whose methods it has too.
    pub(crate) supers: Vec<SuperService>,
    pub(crate) methods: Vec<Method>,
    /// Where it is asked that the client implements the trait, if it is.
    pub(crate) client_trait: Option<Span>,
    /// The service whose methods these are, if the trait is a view of one.
    pub(crate) viewed: Option<Viewed>,
    carried: Carried,
}

impl Service {
    pub(crate) fn read(mut item: ItemTrait, args: &Args, errors: &mut Errors) -> Self {
        let (projections, rpc) = (Projections::read(&item), args.private());
        let mut methods = Vec::new();
        for part in &mut item.items {
            if let TraitItem::Fn(function) = part {
                let options = Options::take(&mut function.attrs, errors);
                methods.push(Method::read(&function.attrs, &function.sig, options, &projections, &rpc));
            }
        }
        let supers = SuperService::read_all(&item, &args.plain, &projections);
        Self {
            params: Params::read(&item, &methods, &supers, &projections),
            supers,
            methods,
            client_trait: args.client_trait,
            viewed: args.view_of.as_ref().map(Viewed::read),
            carried: Carried::of_trait(&item.attrs),
            item,
        }
    }

    pub(crate) fn visibility(&self) -> &Visibility {
        &self.item.vis
    }

    pub(crate) fn client(&self) -> Ident {
        format_ident!("{}Client", self.item.ident)
    }

    pub(crate) fn server(&self) -> Ident {
        format_ident!("{}Server", self.item.ident)
    }

    /// The enum of its methods.
    pub(crate) fn method_names(&self) -> Ident {
        format_ident!("{}Method", self.item.ident)
    }

    /// The type that stands for a method, with the parameters that it has in generated code.
    pub(crate) fn marker(&self, method: &Method) -> TokenStream {
        let (marker, args) = (method.marker(), self.params.args(None));
        quote!(#marker #args)
    }

    /// Goes on every item that is made from the trait.
    pub(crate) fn cfgs(&self) -> &[Attribute] {
        &self.carried.cfgs
    }

    /// Goes on the types that users name.
    pub(crate) fn deprecated(&self) -> &[Attribute] {
        &self.carried.deprecated
    }
}

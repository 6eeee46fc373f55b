//! What a service says of itself: the names, documentation and shapes of its methods.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, ext::IdentExt};

use crate::ast::{Method, Output, Service};

/// The description of one method. `codecs` names what says how its arguments are written and read.
pub(super) fn of_method(method: &Method, codecs: &[&Ident], rpc: &TokenStream) -> TokenStream {
    let docs = text_of(&method.carried.docs);
    let names = method.args.iter().map(|arg| arg.name.unraw().to_string());
    let kind = kind(method);
    let err = match method.output {
        Output::Plain(_) => quote!(::core::option::Option::None),
        Output::Fallible { .. } | Output::Alias(_) => {
            quote!(::core::option::Option::Some(<Self as #rpc::Method>::RESULT.err_shape()))
        }
    };
    quote! {
        const DESCRIPTION: #rpc::StaticMethod = #rpc::StaticMethod {
            id: <Self as #rpc::Method>::ID.0,
            name: <Self as #rpc::Method>::NAME,
            docs: #docs,
            kind: #rpc::MethodKind::#kind,
            args: &[#((#names, Self::#codecs.shape())),*],
            ok: <Self as #rpc::Method>::RESULT.ok_shape(),
            err: #err,
        };
    }
}

fn kind(method: &Method) -> TokenStream {
    let (brings, takes) = (method.yields.is_some(), method.args.iter().any(|arg| arg.stream.is_some()));
    match (method.is_oneway(), method.is_once()) {
        _ if brings && takes => quote!(TwoWayStream),
        _ if brings => quote!(ServerStream),
        _ if takes => quote!(ClientStream),
        (false, false) => quote!(Call),
        (true, false) => quote!(OneWay),
        (false, true) => quote!(Once),
        (true, true) => quote!(OneWayOnce),
    }
}

/// The description of the whole service.
pub(super) fn of_service(service: &Service, rpc: &TokenStream) -> TokenStream {
    let name = service.item.ident.unraw().to_string();
    let docs: Vec<_> = service.item.attrs.iter().filter(|attr| attr.path().is_ident("doc")).cloned().collect();
    let docs = text_of(&docs);
    let methods = service.methods.iter().map(|method| {
        let (cfgs, marker) = (method.cfgs(), service.marker(method));
        quote!(#(#cfgs)* <#marker as #rpc::Method>::DESCRIPTION)
    });
    let supers = service.supers.iter().map(|it| {
        let client = &it.client;
        quote!(<#client>::DESCRIPTION)
    });
    quote! {
        #rpc::StaticDescription { name: #name, docs: #docs, methods: &[#(#methods),*], supers: &[#(#supers),*] }
    }
}

/// The documentation as one text, without the space that each line of a comment begins with.
fn text_of(docs: &[Attribute]) -> String {
    let lines = docs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(doc) => match &doc.value {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => Some(line.value()),
            _ => None,
        },
        _ => None,
    });
    let lines: Vec<_> = lines.map(|line| line.strip_prefix(' ').map_or(line.clone(), str::to_owned)).collect();
    lines.join("\n").trim().to_owned()
}

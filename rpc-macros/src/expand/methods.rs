//! The names of a service's methods as values: an enum, for those who say which of them a right has.

use std::collections::HashMap;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::parse_str;

use super::{Expanded, wire::id_const};
use crate::ast::{Method, Service, SuperService};

/// The enum, and the ids of its variants.
pub(super) fn methods(service: &Service, rpc: &TokenStream) -> Expanded {
    let (methods, names) = (service.method_names(), Names::of(service));
    let own = service.methods.iter().zip(&names.own).map(|(method, name)| {
        let (cfgs, id) = (method.cfgs(), id_const(method));
        quote!(#(#cfgs)* #methods::#name => #id)
    });
    let nested: Vec<_> = named_supers(service).map(|it| methods_of(it, rpc)).collect();
    let (super_names, plain) = (&names.supers, is_a_plain_value(service));
    let impls = quote! {
        #plain

        impl ::core::convert::From<#methods> for #rpc::MethodId {
            fn from(method: #methods) -> Self {
                match method {
                    #(#own,)*
                    #(#methods::#super_names(method) => ::core::convert::Into::into(method),)*
                }
            }
        }

        #(impl ::core::convert::From<#nested> for #methods {
            fn from(method: #nested) -> Self {
                Self::#super_names(method)
            }
        })*
    };
    Expanded { item: methods_type(service, &names, rpc), impls }
}

/// What stands in for it after a mistake: so far as the methods have different names, the same.
pub(crate) fn methods_after_a_mistake(service: &Service, rpc: &TokenStream) -> Expanded {
    let (methods, plain) = (service.method_names(), is_a_plain_value(service));
    let impls = quote! {
        #plain

        impl ::core::convert::From<#methods> for #rpc::MethodId {
            fn from(_: #methods) -> Self {
                #rpc::MethodId(0)
            }
        }
    };
    let names = Names { supers: Vec::new(), ..Names::of(service) };
    Expanded { item: methods_type(service, &names, rpc), impls }
}

/// What is not derived: derived, it would name the types of super-services, and one that is not there would be told once more.
fn is_a_plain_value(service: &Service) -> TokenStream {
    let methods = service.method_names();
    quote! {
        impl ::core::clone::Clone for #methods {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl ::core::marker::Copy for #methods {}

        impl ::core::cmp::Eq for #methods {}
    }
}

fn methods_type(service: &Service, names: &Names, rpc: &TokenStream) -> TokenStream {
    let (vis, methods, name) = (service.visibility(), service.method_names(), &service.item.ident);
    let deprecated = service.deprecated();
    let doc = format!("The methods of [`{name}`] by their names, to say which of them a right has.");
    let mut written: Vec<&Ident> = Vec::new();
    let own = service.methods.iter().zip(&names.own).filter_map(|(method, name)| {
        // Of two of one name a `#[cfg]` chooses; if there is none, rustc has told the mistake already.
        let is_told = method.cfgs().is_empty() && written.contains(&name);
        written.push(name);
        (!is_told).then(|| variant(method, name))
    });
    let supers = named_supers(service).zip(&names.supers).map(|(it, name)| {
        let (trait_name, nested) = (it.path.segments.last().map(|last| &last.ident), methods_of(it, rpc));
        let doc = format!("One of the super-service `{}`.", trait_name.to_token_stream());
        quote!(#[doc = #doc] #name(#nested))
    });
    quote! {
        #[doc = #doc]
        #(#deprecated)*
        #[derive(::core::fmt::Debug, ::core::cmp::PartialEq, ::core::hash::Hash)]
        #vis enum #methods {
            #(#own,)*
            #(#supers,)*
        }
    }
}

fn variant(method: &Method, name: &Ident) -> TokenStream {
    let (cfgs, docs, deprecated) = (method.cfgs(), &method.carried.docs, &method.carried.deprecated);
    let undocumented = docs.is_empty().then(|| format!("`{}`.", method.wire_name())).into_iter();
    quote! {
        #(#cfgs)*
        #(#docs)*
        #(#[doc = #undocumented])*
        #(#deprecated)*
        #name
    }
}

/// The super-services whose methods are among the variants. Those of a service with parameters may have some of these, and the enum has
/// none: they are named by enums of their own.
fn named_supers(service: &Service) -> impl Iterator<Item = &SuperService> {
    service.supers.iter().filter(|_| service.params.is_empty())
}

/// The enum of a super-service, found by way of its client.
fn methods_of(it: &SuperService, rpc: &TokenStream) -> TokenStream {
    let client = &it.client;
    quote!(<#client as #rpc::ServiceClient>::Method)
}

/// The variants' names, in the order of the methods and of the super-services.
struct Names {
    own: Vec<Ident>,
    supers: Vec<Ident>,
}

impl Names {
    fn of(service: &Service) -> Self {
        let mut taken = HashMap::new();
        let own = service.methods.iter().map(|method| {
            let name = method.wire_name();
            free_name(&mut taken, in_camel_case(&name), &name, method.ident().span())
        });
        let own = own.collect();
        let supers = named_supers(service).filter_map(|it| it.path.segments.last()).map(|last| {
            // No method is called like this.
            let whose = format!("{}::", last.ident);
            free_name(&mut taken, last.ident.to_string(), &whose, last.ident.span())
        });
        Self { own, supers: supers.collect() }
    }
}

/// The name, or one with more underscores where another method has it already. Two methods of one name have one: a `#[cfg]` chooses.
fn free_name(taken: &mut HashMap<String, String>, name: String, whose: &str, place: Span) -> Ident {
    match taken.get(&name) {
        Some(owner) if owner != whose => free_name(taken, name + "_", whose, place),
        _ => {
            let ident = format_ident!("{name}", span = place);
            taken.insert(name, whose.to_owned());
            ident
        }
    }
}

/// `AddAll` for `add_all`.
fn in_camel_case(name: &str) -> String {
    let capitalised = |word: &str| {
        let mut letters = word.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
    };
    let camel: String = name.split('_').map(capitalised).collect();
    match camel.as_str() {
        "" => name.to_owned(),
        // `self_` and `_1` are names of methods, and `Self` and `1` are none of variants.
        _ if parse_str::<Ident>(&camel).is_err() => format!("_{camel}"),
        _ => camel,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_is_named_like_its_method_in_camel_case() {
        let names = ["add", "add_all", "type", "_hidden", "self_", "_1", "a1_2", "größe", "__", "aB"];

        let variants = names.map(in_camel_case);

        assert_eq!(variants, ["Add", "AddAll", "Type", "Hidden", "_Self", "_1", "A12", "Größe", "__", "AB"]);
    }

    #[test]
    fn two_methods_whose_variants_would_have_one_name_have_two() {
        let mut taken = HashMap::new();
        let free = |method: &str| free_name(&mut taken, in_camel_case(method), method, Span::call_site()).to_string();

        let names = ["a_b", "ab", "aB", "a_b"].map(free);

        assert_eq!(names, ["AB", "Ab", "AB_", "AB"]);
    }
}

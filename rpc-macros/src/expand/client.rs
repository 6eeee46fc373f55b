//! The caller's side.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Index, Path, ReturnType};

use super::{
    Expanded, description, ids,
    streams::Brought,
    wire::{Results, ends},
};
use crate::ast::{Arg, Lent, Method, Output, Service, Viewed, angled};

pub(crate) fn client(service: &Service, rpc: &TokenStream) -> Expanded {
    Expanded { item: client_type(service, rpc), impls: client_impls(service, rpc) }
}

fn client_type(service: &Service, rpc: &TokenStream) -> TokenStream {
    let (vis, client, name) = (service.visibility(), service.client(), service.item.ident.to_string());
    let (declared, tuple) = (service.params.declared_with_defaults(None), service.params.tuple());
    let inner = inner_clients(service);
    let deprecated = service.deprecated();
    let mut docs = vec![
        format!("A client of [`{name}`]: a port that leads to a service, and a method for each of the trait's."),
        String::new(),
        "It is made from a port; it may be an argument or a result, anywhere inside one. Dropping it closes the port."
            .into(),
    ];
    if let Some(viewed) = &service.viewed {
        let of = viewed.path.segments.last().map(|last| &last.ident).to_token_stream();
        docs.extend([String::new(), format!("It is a view: it calls methods of a `{of}`, and has these only.")]);
    }
    if !service.supers.is_empty() {
        docs.extend([String::new(), "It holds a client of each super-service, and can be turned into one.".into()]);
    }
    quote! {
        #(#[doc = #docs])*
        #(#deprecated)*
        #vis struct #client #declared {
            stub: #rpc::ClientStub,
            supers: (#(#inner,)*),
            types: ::core::marker::PhantomData<fn() -> #tuple>,
        }
    }
}

fn client_impls(service: &Service, rpc: &TokenStream) -> TokenStream {
    let (client, params) = (service.client(), &service.params);
    let (declared, args, clause) = (params.declared(None), params.args(None), params.where_clause(rpc, []));
    let de_declared = params.declared_behind(&quote!('__de));
    let methods = service.methods.iter().map(|method| client_method(service, method, rpc));
    let positions: Vec<_> = (0..service.supers.len()).map(Index::from).collect();
    let (super_clients, inner) = (service.supers.iter().map(|it| &it.client), inner_clients(service));
    let supers = service.supers.iter().zip(&positions).map(|(it, position)| {
        let super_client = &it.client;
        quote! {
            impl #declared ::core::convert::AsRef<#super_client> for #client #args {
                fn as_ref(&self) -> &#super_client {
                    &self.supers.#position
                }
            }

            impl #declared #rpc::View<#client #args> for #super_client {}

            impl #declared ::core::convert::From<#client #args> for #super_client {
                fn from(client: #client #args) -> Self {
                    client.supers.#position
                }
            }
        }
    });
    let (shared, own) = if inner_clients(service).next().is_none() {
        (TokenStream::new(), quote!(stub))
    } else {
        (quote!(let stub = stub.into_shared();), quote!(stub.stub()))
    };
    let path = match &service.viewed {
        Some(Viewed { client, .. }) => quote!(<#client as #rpc::ServiceClient>::METHODS.service),
        None => quote!(__SERVICE),
    };
    let view = service.viewed.as_ref().map(|Viewed { client: of, .. }| {
        quote! {
            impl #declared #rpc::View<#of> for #client #args {}
        }
    });
    let deref = service.supers.first().map(|it| {
        let super_client = &it.client;
        quote! {
            impl #declared ::core::ops::Deref for #client #args {
                type Target = #super_client;

                fn deref(&self) -> &#super_client {
                    &self.supers.0
                }
            }
        }
    });
    let (clone, method_names) = (clone(service, rpc), service.method_names());
    let (text, look) = (client.to_string(), ids::look(service));
    // What any one of the methods asks.
    let of_methods = service.methods.iter().flat_map(|method| &method.predicates).map(|it| quote!(#it));
    let whole_clause = params.where_clause(rpc, of_methods);
    let (vis, description) = (service.visibility(), description::of_service(service, rpc));
    quote! {
        impl #declared #client #args #clause {
            #(#methods)*
        }

        impl #declared #client #args #whole_clause {
            /// What the service is: its methods, with their documentation and shapes. Costs nothing until it is looked at.
            #vis const DESCRIPTION: #rpc::StaticDescription = #description;
        }

        impl #declared ::core::convert::From<#rpc::MessagePort> for #client #args {
            fn from(port: #rpc::MessagePort) -> Self {
                <Self as #rpc::ServiceClient>::from_stub(#rpc::ClientStub::new(port))
            }
        }

        impl #declared #rpc::Client for #client #args {
            fn port(&self) -> &#rpc::MessagePort {
                self.stub.port()
            }

            fn into_port(self) -> #rpc::MessagePort {
                ::core::mem::drop(self.supers);
                self.stub.into_port()
            }

            fn stub(&self) -> &#rpc::ClientStub {
                &self.stub
            }

            fn with_options(self, options: #rpc::ClientOptions) -> Self {
                ::core::mem::drop(self.supers);
                <Self as #rpc::ServiceClient>::from_stub(self.stub.with(options))
            }
        }

        impl #declared #rpc::ServiceClient for #client #args {
            type Method = #method_names;

            const METHODS: #rpc::MethodTable = #rpc::MethodTable {
                service: #path,
                own: __METHODS,
                supers: &[#(<#super_clients as #rpc::ServiceClient>::METHODS),*],
            };

            fn from_stub(stub: #rpc::ClientStub) -> Self {
                #look
                #shared
                Self {
                    supers: (#(<#inner as #rpc::ServiceClient>::from_stub(stub.stub()),)*),
                    stub: #own,
                    types: ::core::marker::PhantomData,
                }
            }
        }

        #deref
        #(#supers)*
        #view
        #clone

        impl #declared #rpc::serde::Serialize for #client #args {
            fn serialize<__To: #rpc::serde::Serializer>(
                &self,
                to: __To,
            ) -> ::core::result::Result<<__To as #rpc::serde::Serializer>::Ok, <__To as #rpc::serde::Serializer>::Error> {
                #rpc::serde::Serialize::serialize(&self.stub, to)
            }
        }

        impl #de_declared #rpc::serde::Deserialize<'__de> for #client #args {
            fn deserialize<__From: #rpc::serde::Deserializer<'__de>>(
                from: __From,
            ) -> ::core::result::Result<Self, <__From as #rpc::serde::Deserializer<'__de>>::Error> {
                #rpc::serde::Deserialize::deserialize(from).map(<Self as #rpc::ServiceClient>::from_stub)
            }
        }

        impl #declared ::core::fmt::Debug for #client #args {
            fn fmt(&self, to: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                to.debug_tuple(#text).field(&self.stub).finish()
            }
        }
    }
}

/// A clone is a client of its own. Of a service that is good for one use there is none.
fn clone(service: &Service, rpc: &TokenStream) -> TokenStream {
    if service.methods.iter().any(Method::is_once) {
        return TokenStream::new();
    }
    let (client, params) = (service.client(), &service.params);
    let (declared, args) = (params.declared(None), params.args(None));
    // Whether a super-service is good for one use is known where that is; so it is asked, which needs a lifetime to ask for.
    let supers = service.supers.iter().map(|it| {
        let super_client = &it.client;
        quote!(for<'__clone> #super_client: ::core::clone::Clone)
    });
    let clause = params.where_clause(rpc, supers);
    quote! {
        /// A clone is a client of its own, with the same rights. It is made at once, with one message.
        impl #declared ::core::clone::Clone for #client #args #clause {
            fn clone(&self) -> Self {
                <Self as #rpc::ServiceClient>::from_stub(::core::clone::Clone::clone(&self.stub))
            }
        }
    }
}

fn client_method(service: &Service, method: &Method, rpc: &TokenStream) -> TokenStream {
    let (vis, ident) = (service.visibility(), method.ident());
    let marker = service.marker(method);
    let (cfgs, docs, others) = (method.cfgs(), &method.carried.docs, &method.carried.others);
    // Else a crate that denies what is undocumented would hear of each method twice.
    let undocumented = docs.is_empty().then(|| format!("Calls `{}`.", method.wire_name())).into_iter();
    let brought = Brought::of(service, method);
    let lifetimes = method.signature.generics.params.iter().map(ToTokens::to_token_stream);
    let generics = angled(lifetimes.chain(brought.generics(rpc)));
    let receiver = receiver(method);
    let (names, types) = (method.args.iter().map(|arg| &arg.name), brought.types());
    let lifetime = if method.is_once() { quote!('static) } else { quote!('_) };
    let predicates = &method.predicates;
    let clause = if predicates.is_empty() { TokenStream::new() } else { quote!(where #(#predicates),*) };
    let (future, error) = if method.is_oneway() {
        (quote!(#rpc::Tell<#lifetime>), TokenStream::new())
    } else {
        (call_type(method, &brought, &lifetime, rpc), quote!(, _))
    };
    // Streams in the arguments are used up with the client, so such a call gives nothing back.
    let gives_back = method.is_once() && brought.is_empty();
    let future = if gives_back { quote!(#rpc::OnceCall<Self, #future>) } else { future };
    let body = match &service.viewed {
        Some(_) => call_of_the_service(method, gives_back),
        None => {
            let (call, values) = (call(method), sent_values(&method.args, rpc));
            let (split, feeding) = (brought.split(rpc), brought.feeding(rpc));
            if gives_back {
                quote!(#rpc::OnceCall::new(self.stub, |stub| stub.#call::<#marker #error>((#(#values,)*))))
            } else {
                quote!(#split self.stub.#call::<#marker #error>((#(#values,)*))#feeding)
            }
        }
    };
    quote! {
        #(#cfgs)*
        #(#docs)*
        #(#[doc = #undocumented])*
        #(#others)*
        #vis fn #ident #generics (#receiver #(, #names: #types)*) -> #future #clause {
            #body
        }
    }
}

/// The same call of the service that this is a view of. Whatever that has in another way is told by rustc, at what the view says of it.
fn call_of_the_service(method: &Method, gives_back: bool) -> TokenStream {
    let ident = method.ident();
    let args = method.args.iter().map(|arg| {
        let place = ends(&arg.ty).0;
        Ident::new(&arg.name.to_string(), arg.name.span().located_at(place))
    });
    let place = match &method.signature.output {
        ReturnType::Type(_, ty) => ends(ty).0,
        ReturnType::Default => ident.span(),
    };
    let returned = Ident::new("call", Span::mixed_site().located_at(place));
    let this = Ident::new("self", ident.span());
    let by_view = gives_back.then(|| quote!(.by_view()));
    quote_spanned!(ident.span()=> let #returned = #this.supers.0.#ident(#(#args),*); #returned #by_view)
}

/// The clients that it holds, which go through its port.
fn inner_clients(service: &Service) -> impl Iterator<Item = &Path> {
    service.supers.iter().map(|it| &it.client).chain(service.viewed.iter().map(|it| &it.client))
}

/// The receiver, as it is written in the trait: without the pattern's `mut`.
fn receiver(method: &Method) -> TokenStream {
    match method.signature.receiver() {
        Some(receiver) if !method.is_once() => quote!(#receiver),
        _ => quote!(self),
    }
}

/// The method of the stub that makes the call.
pub(super) fn call(method: &Method) -> TokenStream {
    match (method.is_oneway(), method.is_once()) {
        (true, false) => quote!(tell),
        (true, true) => quote!(tell_once),
        (false, false) => quote!(call),
        (false, true) => quote!(call_once),
    }
}

/// The arguments as they are sent: what is lent becomes a value of its own.
pub(super) fn sent_values<'m>(args: &'m [Arg], rpc: &'m TokenStream) -> impl Iterator<Item = TokenStream> + 'm {
    args.iter().map(move |Arg { name, lent, .. }| match lent {
        // A type that cannot be cloned is told here, and nowhere else.
        Some(Lent::Slice(ty)) => quote!(#rpc::own_all::<#ty>(#name)),
        Some(Lent::Sized(ty)) => quote!(#rpc::own::<#ty>(#name)),
        Some(Lent::Unsized(_)) => quote!(#rpc::ToOwned::to_owned(#name)),
        None => quote!(#name),
    })
}

/// The call as a future.
fn call_type(method: &Method, brought: &Brought<'_>, lifetime: &TokenStream, rpc: &TokenStream) -> TokenStream {
    let (ok, error) = call_types(&method.output, rpc);
    if brought.is_empty() {
        return quote!(#rpc::Call<#lifetime, #ok, #error>);
    }
    let feeds = brought.feeds_type(rpc);
    match &method.yields {
        None => quote!(#rpc::FeedingCall<#lifetime, #ok, #error, #feeds>),
        Some(yields) => {
            let (item, item_error) = (&yields.stream.ok, yields.stream.error(rpc));
            quote!(#rpc::DuplexCall<#lifetime, #item, #item_error, #error, #feeds>)
        }
    }
}

/// What the call's future resolves to.
fn call_types(output: &Output, rpc: &TokenStream) -> (TokenStream, TokenStream) {
    let Results { ok, err, .. } = Results::of(output, rpc);
    match output {
        Output::Plain(_) => (ok, quote!(#rpc::CallError)),
        Output::Fallible { .. } | Output::Alias(_) => (ok, quote!(#rpc::RpcError<#err>)),
    }
}

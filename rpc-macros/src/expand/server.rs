//! The callee's side.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::Index;

use super::{Expanded, streams::stream_type};
use crate::ast::{Method, Output, Service, SuperService};

pub(super) fn server(service: &Service, rpc: &TokenStream) -> Expanded {
    Expanded { item: server_type(service, rpc), impls: server_impls(service, rpc) }
}

/// The parameter for what is served.
pub(crate) fn object() -> Ident {
    format_ident!("__Service")
}

/// The type that users name: also what stands in for it after a mistake.
pub(crate) fn server_type(service: &Service, rpc: &TokenStream) -> TokenStream {
    let (vis, server, name) = (service.visibility(), service.server(), &service.item.ident);
    let object = Ident::new("S", Span::call_site());
    // Named `S` in the documentation, where nothing else is.
    let object = if service.params.has(&object) { self::object() } else { object };
    let (declared, tuple) = (service.params.declared_with_defaults(Some(&object)), service.params.tuple());
    let deprecated = service.deprecated();
    let doc = format!("Serves a [`{name}`] over a port.");
    quote! {
        #[doc = #doc]
        #(#deprecated)*
        #vis struct #server #declared {
            service: #object,
            options: #rpc::ServeOptions,
            types: ::core::marker::PhantomData<fn() -> #tuple>,
        }
    }
}

fn server_impls(service: &Service, rpc: &TokenStream) -> TokenStream {
    let (vis, server, client) = (service.visibility(), service.server(), service.client());
    let (object, params) = (object(), &service.params);
    let (declared, args) = (params.declared(Some(&object)), params.args(Some(&object)));
    let client_args = params.args(None);
    let bound = params.the_bound();
    let of_methods = service.methods.iter().flat_map(|method| &method.predicates).map(|it| quote!(#it));
    let clause = params.where_clause(rpc, std::iter::once(quote!(#object: #bound)).chain(of_methods));
    let calls = calls(service, rpc, &clause);
    let (calls_args, service_impl) = (calls_args(service), service_impl(service, rpc));
    let text = server.to_string();
    quote! {
        #calls

        // Whatever it is: that it is no service is told once, where it is to be served.
        impl #declared #server #args {
            /// Makes a server of a service.
            #vis fn new(service: #object) -> Self {
                Self {
                    service,
                    options: ::core::default::Default::default(),
                    types: ::core::marker::PhantomData,
                }
            }

            /// Says how it is to be served, in place of what was said before.
            #[must_use]
            #vis fn with(self, options: #rpc::ServeOptions) -> Self {
                Self { options, ..self }
            }
        }

        impl #declared #server #args #clause {
            /// Serves a port until the other end has closed it and every call has ended. Dropping the future ends all calls.
            #vis fn serve(self, port: #rpc::MessagePort) -> impl ::core::future::Future<Output = ()> {
                #rpc::serve::<Self>(self.service, port, self.options)
            }

            /// Serves it at as many ports as one likes: makes a handle that makes clients, and what is to be served.
            #vis fn host(self) -> (#rpc::Host<#client #client_args>, #rpc::Hosting<Self>) {
                #rpc::host::<Self, _>(self.service, self.options)
            }
        }

        impl #declared ::core::fmt::Debug for #server #args {
            fn fmt(&self, to: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                to.write_str(#text)
            }
        }

        impl #declared #rpc::ServedBy<#object> for #client #client_args #clause {
            type Server = #server #args;
        }

        impl #declared #rpc::Service for #server #args #clause {
            type Object = #object;
            type SharedCall = __SharedCall #calls_args;
            type OnceCall = __OnceCall #calls_args;

            const DESCRIPTION: #rpc::StaticDescription = <#client #client_args>::DESCRIPTION;
            const METHODS: #rpc::MethodTable = <#client #client_args as #rpc::ServiceClient>::METHODS;

            #service_impl
        }
    }
}

/// The calls of the service that were read, and what a super-service read.
fn calls(service: &Service, rpc: &TokenStream, clause: &TokenStream) -> TokenStream {
    let vis = service.visibility();
    let is_open = needs_parameters(service);
    let declared = if is_open { service.params.declared(Some(&object())) } else { TokenStream::new() };
    let clause = if is_open { clause.clone() } else { TokenStream::new() };
    // Never made: it names parameters that no call has.
    let args = service.params.args(Some(&object()));
    let types = is_open.then(|| quote!(__Types(::core::marker::PhantomData<fn() -> __Parameters #args>, #rpc::Never),));
    let parameters = is_open.then(|| {
        let (object, types) = (object(), service.params.tuple());
        quote!(#vis struct __Parameters #declared(::core::marker::PhantomData<(#object, #types)>);)
    });
    let (shared, once): (Vec<_>, Vec<_>) = service.methods.iter().partition(|method| !method.is_once());
    let shared = shared.iter().map(|method| variant(service, method, rpc));
    let once = once.iter().map(|method| variant(service, method, rpc));
    let super_shared = service.supers.iter().map(|it| super_variant(it, rpc, &quote!(SharedCall)));
    let super_once = service.supers.iter().map(|it| super_variant(it, rpc, &quote!(OnceCall)));
    quote! {
        #parameters

        #vis enum __SharedCall #declared #clause {
            #(#shared,)*
            #(#super_shared,)*
            #types
        }

        #vis enum __OnceCall #declared #clause {
            #(#once,)*
            #(#super_once,)*
            #types
        }
    }
}

/// Whether the types of calls depend on what is served.
fn needs_parameters(service: &Service) -> bool {
    !(service.params.is_empty() && service.supers.is_empty())
}

fn calls_args(service: &Service) -> TokenStream {
    if needs_parameters(service) { service.params.args(Some(&object())) } else { TokenStream::new() }
}

/// A call of the method, opened.
fn variant(service: &Service, method: &Method, rpc: &TokenStream) -> TokenStream {
    let (cfgs, ident, marker) = (method.cfgs(), method.ident(), service.marker(method));
    quote!(#(#cfgs)* #ident(<#marker as #rpc::Method>::Args, #rpc::Responder<#marker>))
}

/// A call of a super-service's method, opened.
fn super_variant(it: &SuperService, rpc: &TokenStream, call: &TokenStream) -> TokenStream {
    let (variant, server) = (&it.variant, server_of(it, rpc));
    quote!(#variant(<#server as #rpc::Service>::#call))
}

/// The server of a super-service. It is found by way of its client, so that users import one name fewer.
fn server_of(it: &SuperService, rpc: &TokenStream) -> TokenStream {
    let (client, object) = (&it.client, object());
    quote!(<#client as #rpc::ServedBy<#object>>::Server)
}

fn service_impl(service: &Service, rpc: &TokenStream) -> TokenStream {
    let (object, calls_args) = (object(), calls_args(service));
    let (shared, once): (Vec<_>, Vec<_>) = service.methods.iter().partition(|method| !method.is_once());
    let ids = service.methods.iter().map(|method| {
        let (cfgs, id) = (method.cfgs(), super::wire::id_const(method));
        quote!(#(#cfgs)* #id => true,)
    });
    let servers: Vec<_> = service.supers.iter().map(|it| server_of(it, rpc)).collect();
    let openings = service.methods.iter().map(|method| opening(service, method, rpc));
    let super_openings = service.supers.iter().map(|it| super_opening(it, rpc));
    let shared_arms = shared.iter().map(|method| arm(service, method, rpc));
    let once_arms = once.iter().map(|method| arm(service, method, rpc));
    let super_arms = |call: TokenStream, run: TokenStream| {
        let arms = service.supers.iter().map(move |it| {
            let (variant, server) = (&it.variant, server_of(it, rpc));
            quote!(#call::#variant(call) => <#server as #rpc::Service>::#run(object, call).await,)
        });
        quote!(#(#arms)*)
    };
    let super_shared = super_arms(quote!(__SharedCall), quote!(run));
    let super_once = super_arms(quote!(__OnceCall), quote!(run_once));
    quote! {
        const RUNS_AT_ONCE: ::core::primitive::bool = true #(&& <#servers as #rpc::Service>::RUNS_AT_ONCE)*;

        fn serves(method: #rpc::MethodId) -> ::core::primitive::bool {
            match method {
                #(#ids)*
                _ => false #(|| <#servers as #rpc::Service>::serves(method))*,
            }
        }

        #[inline]
        fn open(incoming: #rpc::Incoming<'_>) -> ::core::result::Result<#rpc::Opened<Self>, #rpc::Answer> {
            match incoming.method() {
                #(#openings)*
                #(#super_openings)*
                _ => ::core::result::Result::Err(incoming.unknown_method()),
            }
        }

        // Blocks, and not `async fn`s: the futures of those keep room for their arguments twice.
        fn run(
            object: &#object,
            call: __SharedCall #calls_args,
        ) -> impl ::core::future::Future<Output = #rpc::Answer> {
            async move {
                match call {
                    #(#shared_arms)*
                    #super_shared
                }
            }
        }

        fn run_once(
            object: #object,
            call: __OnceCall #calls_args,
        ) -> impl ::core::future::Future<Output = #rpc::Answer> {
            async move {
                match call {
                    #(#once_arms)*
                    #super_once
                }
            }
        }
    }
}

/// How a call of the method is opened.
fn opening(service: &Service, method: &Method, rpc: &TokenStream) -> TokenStream {
    let (cfgs, ident, marker) = (method.cfgs(), method.ident(), service.marker(method));
    let id = super::wire::id_const(method);
    let open = match (method.is_oneway(), &method.yields) {
        (true, _) => quote!(open_oneway),
        (false, None) if method.is_once() => quote!(open),
        (false, None) => quote!(open_to_run),
        (false, Some(_)) => quote!(open_stream),
    };
    let (from, call) = match method.is_once() {
        true => (quote!(once_from), quote!(__OnceCall)),
        false => (quote!(shared_from), quote!(__SharedCall)),
    };
    quote! {
        #(#cfgs)*
        #id => #rpc::Opened::#from::<#marker>(incoming.#open(), #call::#ident),
    }
}

/// How a call of a super-service's method is opened.
fn super_opening(it: &SuperService, rpc: &TokenStream) -> TokenStream {
    let (variant, server) = (&it.variant, server_of(it, rpc));
    quote! {
        method if <#server as #rpc::Service>::serves(method) => {
            ::core::result::Result::Ok(match <#server as #rpc::Service>::open(incoming)? {
                #rpc::Opened::Shared(call, how) => #rpc::Opened::Shared(__SharedCall::#variant(call), how),
                #rpc::Opened::Once(call) => #rpc::Opened::Once(__OnceCall::#variant(call)),
            })
        }
    }
}

/// How a call of the method is run. No name of the user's is bound here, so none can clash with ours.
fn arm(service: &Service, method: &Method, rpc: &TokenStream) -> TokenStream {
    let (cfgs, ident) = (method.cfgs(), method.ident());
    let (object, name) = (object(), service.params.the_trait());
    let call = if method.is_once() { quote!(__OnceCall) } else { quote!(__SharedCall) };
    let (items, args) = (items(service, method), given(method));
    // Asked of the responder, which goes where the call came from.
    let ask = method.context.as_ref().map(|_| quote!(let context = responder.context();));
    let (lend, context) = (lend(method), method.context.iter().map(|it| given_context(method, it.is_lent)));
    let wait = method.is_async().then(|| quote!(.await));
    let has_items = method.args.iter().any(|arg| arg.stream.is_some());
    let future = quote!(<#object as #name>::#ident(object #(, #context)* #(, #args)*));
    let run = match &method.yields {
        // What a method takes of a stream is large, and so is kept once. Others are moved less often by way of a block.
        None if has_items && method.is_async() && !lends(method) => quote!(responder.run_method(move || #future).await),
        None => quote!(responder.run(async move { #future #wait }).await),
        Some(_) => run_stream(service, method, &quote!(#future #wait), rpc),
    };
    quote! {
        #(#cfgs)*
        #call::#ident(args, responder) => {
            #ask
            #items
            #lend
            #run
        }
    }
}

/// Runs a method that returns a stream, and then feeds what it returned.
fn run_stream(service: &Service, method: &Method, returned: &TokenStream, rpc: &TokenStream) -> TokenStream {
    let (stream, params) = (stream_type(method, None), service.params.args(None));
    let result = match &method.output {
        Output::Plain(_) => quote!(::core::result::Result::Ok(#returned)),
        Output::Fallible { .. } => returned.clone(),
        Output::Alias(_) => quote!(#rpc::IsResult::into_result(#returned)),
    };
    // A variable, so that the handler goes before what it borrows, in every edition.
    quote! {
        let answer = responder.run_streamed::<#stream #params, _>(async move { #result }).await;
        answer
    }
}

/// Whether a method borrows of what is kept for it.
fn lends(method: &Method) -> bool {
    method.args.iter().any(|arg| arg.lent.is_some()) || method.context.iter().any(|context| context.is_lent)
}

/// Lends what is lent to a method that returns a stream: the stream may borrow it, so it outlives the handler.
fn lend(method: &Method) -> TokenStream {
    if method.yields.is_none() {
        return TokenStream::new();
    }
    let args = method.args.iter().enumerate().filter_map(|(position, arg)| {
        let (index, name) = (Index::from(position), lent_name(position));
        arg.lent.as_ref().map(|_| quote!(let #name = &args.#index;))
    });
    let context = method.context.iter().filter(|it| it.is_lent).map(|_| quote!(let context = &context;));
    quote!(#(#args)* #(#context)*)
}

fn lent_name(position: usize) -> Ident {
    format_ident!("lent_{position}", span = Span::mixed_site())
}

fn given_context(method: &Method, is_lent: bool) -> TokenStream {
    if is_lent && method.yields.is_none() { quote!(&context) } else { quote!(context) }
}

/// The streams among the arguments, as the method gets them: if one is cut, the method ends.
fn items(service: &Service, method: &Method) -> TokenStream {
    let params = service.params.args(None);
    let items = method.args.iter().enumerate().filter_map(|(position, arg)| {
        let stream = arg.stream.as_ref()?;
        let (index, name, marker) = (Index::from(position), items_name(position), stream_type(method, Some(position)));
        let take = if stream.err.is_some() { quote!(streamed_results) } else { quote!(streamed_items) };
        Some(quote!(let (#name, responder) = responder.#take::<#marker #params>(args.#index);))
    });
    quote!(#(#items)*)
}

fn items_name(position: usize) -> Ident {
    format_ident!("items_{position}", span = Span::mixed_site())
}

/// The arguments as they are given to the method.
fn given(method: &Method) -> impl Iterator<Item = TokenStream> {
    method.args.iter().enumerate().map(|(position, arg)| {
        let index = Index::from(position);
        match (&arg.lent, &arg.stream) {
            (_, Some(_)) => items_name(position).to_token_stream(),
            (Some(_), None) if method.yields.is_some() => lent_name(position).to_token_stream(),
            (Some(_), None) => quote!(&args.#index),
            (None, None) => quote!(args.#index),
        }
    })
}

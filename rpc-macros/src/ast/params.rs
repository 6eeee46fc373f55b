//! The types that a service leaves open: the parameters of its trait, and its associated types.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{
    ConstParam, GenericParam, Ident, ItemTrait, Token, TraitItem, Type, TypeParam, TypeParamBound, WherePredicate,
    parse_quote, punctuated::Punctuated,
};

use super::{
    Method, SuperService,
    projections::Projections,
    tokens::{mentions, mentions_in},
};

/// The parameters of what is generated from a trait.
pub(crate) struct Params {
    trait_name: Ident,
    /// Those of the trait in their order, and the associated types behind them.
    list: Vec<Param>,
    /// What the user asks of them where they are declared.
    bounds: Vec<WherePredicate>,
    /// What the trait's `where` clause says.
    clause: Vec<WherePredicate>,
    /// What has to travel and to live as long as a call.
    travelling: Vec<Type>,
}

/// A type, or a constant, that is left open.
struct Param {
    ident: Ident,
    /// The type of a constant.
    constant: Option<Type>,
    default: Option<TokenStream>,
    /// The associated type that it stands for, if it is one.
    associated: Option<Ident>,
}

/// A parameter that travels, and the place where it is declared.
pub(crate) struct Travelling<'p> {
    pub(crate) ty: &'p Type,
    pub(crate) declared: Span,
}

impl Params {
    pub(super) fn read(
        item: &ItemTrait,
        methods: &[Method],
        supers: &[SuperService],
        projections: &Projections,
    ) -> Self {
        let mut params = Self {
            trait_name: item.ident.clone(),
            list: Vec::new(),
            bounds: Vec::new(),
            clause: Vec::new(),
            travelling: Vec::new(),
        };
        item.generics.params.iter().for_each(|param| params.read_param(param, projections));
        item.items.iter().for_each(|item| params.read_associated(item, projections));
        let clause = item.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        params.clause.extend(clause.map(|predicate| projections.resolve(predicate)));
        params.travelling = params.travelling_in(methods, supers);
        params
    }

    fn read_param(&mut self, param: &GenericParam, projections: &Projections) {
        match param {
            GenericParam::Type(TypeParam { ident, bounds, default, .. }) => {
                self.bind(ident, bounds, projections);
                let default = default.as_ref().map(|(_, default)| default.to_token_stream());
                self.list.push(Param { ident: ident.clone(), constant: None, default, associated: None });
            }
            GenericParam::Const(ConstParam { ident, ty, default, .. }) => {
                let default = default.as_ref().map(|(_, default)| default.to_token_stream());
                self.list.push(Param { ident: ident.clone(), constant: Some(ty.clone()), default, associated: None });
            }
            GenericParam::Lifetime(_) => {}
        }
    }

    fn read_associated(&mut self, item: &TraitItem, projections: &Projections) {
        let TraitItem::Type(item) = item else { return };
        let Some(ident) = projections.parameter(&item.ident) else { return };
        let mut ident = ident.clone();
        ident.set_span(item.ident.span());
        self.bind(&ident, &item.bounds, projections);
        self.list.push(Param { ident, constant: None, default: None, associated: Some(item.ident.clone()) });
    }

    fn bind(&mut self, ident: &Ident, bounds: &Punctuated<TypeParamBound, Token![+]>, projections: &Projections) {
        let bounds = bounds.iter().filter(|bound| !is_relaxed(bound)).map(|bound| projections.resolve(bound));
        self.bounds.extend(bounds.map(|bound| -> WherePredicate { parse_quote!(#ident: #bound) }));
    }

    /// The parameters, and the types that are theirs, of which a method or a super-service speaks.
    fn travelling_in(&self, methods: &[Method], supers: &[SuperService]) -> Vec<Type> {
        let args = methods.iter().flat_map(|method| &method.args).map(|arg| arg.ty.to_token_stream());
        let outputs = methods.iter().map(|method| method.output.whole().to_token_stream());
        let supers = supers.iter().map(|service| service.client.to_token_stream());
        let types = args.chain(outputs).chain(supers);
        let mut found: Vec<Type> = Vec::new();
        for mention in types.flat_map(mentions_in) {
            let ident = &mention.ident;
            if mention.is_qualified || self.types().all(|param| param.ident != *ident) {
                continue;
            }
            let ty = match &mention.then {
                Some(item) => parse_quote!(#ident::#item),
                None => parse_quote!(#ident),
            };
            let text = |ty: &Type| ty.to_token_stream().to_string();
            if found.iter().all(|known| text(known) != text(&ty)) {
                found.push(ty);
            }
        }
        found
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether there is a parameter of this name.
    pub(crate) fn has(&self, name: &Ident) -> bool {
        self.idents().any(|ident| ident == name)
    }

    fn types(&self) -> impl Iterator<Item = &Param> {
        self.list.iter().filter(|param| param.constant.is_none())
    }

    /// What travels, each with the place where its parameter is declared.
    pub(crate) fn travelling(&self) -> impl Iterator<Item = Travelling<'_>> {
        self.travelling.iter().map(|ty| {
            let declared = self.types().find(|param| mentions(ty.to_token_stream(), &param.ident));
            let declared = declared.map_or_else(Span::call_site, |param| param.ident.span());
            Travelling { ty, declared }
        })
    }

    /// `<S, K, V, const N: usize>`, to declare an item: `first`, and the parameters, without bounds.
    pub(crate) fn declared(&self, first: Option<&Ident>) -> TokenStream {
        angled(first.into_iter().map(ToTokens::to_token_stream).chain(self.list.iter().map(Param::declared)))
    }

    /// `<'de, K, V>`, likewise.
    pub(crate) fn declared_behind(&self, lifetime: &TokenStream) -> TokenStream {
        angled(std::iter::once(lifetime.clone()).chain(self.list.iter().map(Param::declared)))
    }

    /// The same, with the defaults that the trait has.
    pub(crate) fn declared_with_defaults(&self, first: Option<&Ident>) -> TokenStream {
        if self.bindings().next().is_some() {
            // Nothing without a default may come behind one with a default.
            return self.declared(first);
        }
        let with_default = |param: &Param| {
            let (declared, default) = (param.declared(), param.default.iter());
            quote!(#declared #(= #default)*)
        };
        angled(first.into_iter().map(ToTokens::to_token_stream).chain(self.list.iter().map(with_default)))
    }

    /// `<S, K, V, N>`, as arguments.
    pub(crate) fn args(&self, first: Option<&Ident>) -> TokenStream {
        angled(first.into_iter().chain(self.idents()).map(ToTokens::to_token_stream))
    }

    /// The names of the parameters.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Ident> {
        self.idents()
    }

    fn idents(&self) -> impl Iterator<Item = &Ident> {
        self.list.iter().map(|param| &param.ident)
    }

    /// The parameters of the trait itself.
    fn trait_args(&self) -> impl Iterator<Item = TokenStream> {
        let own = self.list.iter().filter(|param| param.associated.is_none());
        own.map(|param| param.ident.to_token_stream())
    }

    /// `Store<K, V, N>`: the trait.
    pub(crate) fn the_trait(&self) -> TokenStream {
        let (name, args) = (&self.trait_name, angled(self.trait_args()));
        quote!(#name #args)
    }

    /// `Store<K, V, N, Key = Key>`: the trait, with what its associated types are.
    pub(crate) fn the_bound(&self) -> TokenStream {
        let bindings = self.bindings().map(|(associated, ident)| quote!(#associated = #ident));
        let (name, args) = (&self.trait_name, angled(self.trait_args().chain(bindings)));
        quote!(#name #args)
    }

    /// The associated types, and the parameters that stand for them.
    pub(crate) fn bindings(&self) -> impl Iterator<Item = (&Ident, &Ident)> {
        self.list.iter().filter_map(|param| Some((param.associated.as_ref()?, &param.ident)))
    }

    /// `(K, V)`, for a `PhantomData`.
    pub(crate) fn tuple(&self) -> TokenStream {
        let types = self.types().map(|param| &param.ident);
        quote!((#(#types,)*))
    }

    /// What the user asks of the parameters.
    pub(crate) fn predicates(&self) -> impl Iterator<Item = &WherePredicate> {
        let self_type = Ident::new("Self", Span::call_site());
        // What is asked of the service is a mistake, and told where the trait is looked at.
        let clause = self.clause.iter().filter(move |it| !mentions(it.to_token_stream(), &self_type));
        self.bounds.iter().chain(clause)
    }

    /// What the trait's `where` clause says.
    pub(crate) fn clause(&self) -> &[WherePredicate] {
        &self.clause
    }

    /// `where …`: what the user asks of the parameters, what a call asks of them, and `more`.
    pub(crate) fn where_clause(&self, rpc: &TokenStream, more: impl IntoIterator<Item = TokenStream>) -> TokenStream {
        let mut predicates: Vec<_> = self.predicates().map(ToTokens::to_token_stream).collect();
        predicates.extend(self.types().map(|Param { ident, .. }| quote!(#ident: 'static)));
        predicates.extend(self.travelling.iter().map(|ty| quote!(#ty: #rpc::Wire + ::core::marker::Send + 'static)));
        predicates.extend(more);
        if predicates.is_empty() {
            return TokenStream::new();
        }
        quote!(where #(#predicates),*)
    }

    /// The parameters that start a path in the tokens, if an alias of the tokens can have them: one of `K::Item` would have to
    /// know what `K` is.
    pub(crate) fn for_alias(&self, tokens: &TokenStream) -> Option<Vec<&Ident>> {
        let mentions = mentions_in(tokens.clone());
        let of = |ident: &Ident| mentions.iter().filter(|it| it.ident == *ident).collect::<Vec<_>>();
        if self.idents().any(|ident| of(ident).iter().any(|it| it.then.is_some() || it.is_qualified)) {
            return None;
        }
        Some(self.idents().filter(|ident| !of(ident).is_empty()).collect())
    }

    /// Parameters as an item declares them.
    pub(crate) fn declare(&self, idents: &[&Ident]) -> TokenStream {
        let declared = self.list.iter().filter(|param| idents.contains(&&param.ident));
        angled(declared.map(Param::declared))
    }
}

impl Param {
    fn declared(&self) -> TokenStream {
        let ident = &self.ident;
        match &self.constant {
            Some(ty) => quote!(const #ident: #ty),
            None => ident.to_token_stream(),
        }
    }
}

/// `?Sized`, which what is generated does not need.
fn is_relaxed(bound: &TypeParamBound) -> bool {
    matches!(bound, TypeParamBound::Trait(bound) if bound.maybe.is_some())
}

/// `<…>`, or nothing.
pub(crate) fn angled(parts: impl Iterator<Item = TokenStream>) -> TokenStream {
    let parts: Vec<_> = parts.collect();
    if parts.is_empty() { TokenStream::new() } else { quote!(<#(#parts),*>) }
}

//! A service trait, read into what the later phases need.

use proc_macro2::Span;
use quote::format_ident;
use syn::{
    Attribute, Expr, ExprLit, FnArg, GenericArgument, Ident, ItemTrait, Lit, LitInt, Pat, PathArguments, ReceiverKind,
    ReturnType, Signature, Token, TraitItem, Type, Visibility, ext::IdentExt, meta::ParseNestedMeta, parse_quote,
    spanned::Spanned,
};

use crate::errors::Errors;

/// A service trait.
pub(crate) struct Service {
    /// The trait as it is written back: without our attributes.
    pub(crate) item: ItemTrait,
    pub(crate) methods: Vec<Method>,
}

/// One method of a service.
pub(crate) struct Method {
    /// Goes on every item that is made from the method.
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) docs: Vec<Attribute>,
    /// Whether it is deprecated, which it is for its callers too.
    pub(crate) deprecated: Vec<Attribute>,
    pub(crate) signature: Signature,
    pub(crate) options: Options,
    pub(crate) args: Vec<Arg>,
    pub(crate) output: Output,
}

/// What `#[rpc(…)]` says.
#[derive(Default)]
pub(crate) struct Options {
    /// Where `oneway` stands, if it does.
    pub(crate) oneway: Option<Span>,
    /// A `u32`.
    pub(crate) id: Option<LitInt>,
}

/// One argument.
pub(crate) struct Arg {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
}

/// What a method returns.
pub(crate) enum Output {
    /// Anything but a `Result`.
    Plain(Type),
    /// A `Result` that is spelled out.
    Fallible { whole: Type, ok: Box<Type>, err: Box<Type> },
    /// An alias of a `Result`, which only the compiler can look into.
    Alias(Type),
}

impl Service {
    pub(crate) fn read(mut item: ItemTrait, errors: &mut Errors) -> Self {
        let mut methods = Vec::new();
        for part in &mut item.items {
            if let TraitItem::Fn(function) = part {
                let options = Options::take(&mut function.attrs, errors);
                methods.push(Method::read(&function.attrs, &function.sig, options));
            }
        }
        Self { item, methods }
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

    /// Goes on every item that is made from the trait.
    pub(crate) fn cfgs(&self) -> Vec<Attribute> {
        named(&self.item.attrs, "cfg")
    }
}

fn named(attrs: &[Attribute], name: &str) -> Vec<Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident(name)).cloned().collect()
}

impl Method {
    fn read(attrs: &[Attribute], signature: &Signature, options: Options) -> Self {
        Self {
            cfgs: named(attrs, "cfg"),
            docs: named(attrs, "doc"),
            deprecated: named(attrs, "deprecated"),
            signature: signature.clone(),
            options,
            args: Arg::read_all(signature),
            output: Output::read(&signature.output),
        }
    }

    pub(crate) fn ident(&self) -> &Ident {
        &self.signature.ident
    }

    /// The name on the wire: `type` for `r#type`.
    pub(crate) fn wire_name(&self) -> String {
        self.ident().unraw().to_string()
    }

    /// The type that stands for the method.
    pub(crate) fn marker(&self) -> Ident {
        format_ident!("__handover_{}", self.ident().unraw(), span = Span::mixed_site())
    }

    /// Whether the method takes `self`.
    pub(crate) fn is_once(&self) -> bool {
        self.signature.receiver().is_some_and(|receiver| matches!(receiver.kind, ReceiverKind::Value))
    }

    pub(crate) fn is_oneway(&self) -> bool {
        self.options.oneway.is_some()
    }
}

impl Arg {
    fn read_all(signature: &Signature) -> Vec<Self> {
        let mut args: Vec<Self> = Vec::new();
        for (position, input) in signature.inputs.iter().enumerate() {
            let FnArg::Typed(input) = input else { continue };
            let name = match &*input.pat {
                Pat::Ident(pat) if args.iter().all(|arg| arg.name != pat.ident) => pat.ident.clone(),
                // `_`, a pattern, or the same name again: where rustc allows them, the client needs another name.
                _ => format_ident!("arg{position}", span = Span::mixed_site()),
            };
            args.push(Self { name, ty: (*input.ty).clone() });
        }
        args
    }
}

impl Output {
    fn read(output: &ReturnType) -> Self {
        let ReturnType::Type(_, whole) = output else { return Self::Plain(parse_quote!(())) };
        let whole = peel(whole).clone();
        let Type::Path(path) = &whole else { return Self::Plain(whole) };
        let Some(last) = path.path.segments.last().filter(|last| last.ident == "Result") else {
            return Self::Plain(whole);
        };
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return Self::Alias(whole) };
        let types: Vec<_> = arguments.args.iter().collect();
        if let [GenericArgument::Type(ok), GenericArgument::Type(err)] = types[..] {
            let (ok, err) = (Box::new(ok.clone()), Box::new(err.clone()));
            return Self::Fallible { whole, ok, err };
        }
        Self::Alias(whole)
    }
}

/// The type inside parentheses, or inside the invisible ones of a `$ty` that a macro passed on.
pub(crate) fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peel(&group.elem),
        Type::Paren(paren) => peel(&paren.elem),
        _ => ty,
    }
}

impl Options {
    /// Takes the `#[rpc(…)]` attributes out of the list.
    fn take(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        attrs.retain(|attr| {
            let is_ours = attr.path().is_ident("rpc");
            if is_ours && let Err(error) = options.parse(attr) {
                errors.push(error);
            }
            !is_ours
        });
        options
    }

    fn parse(&mut self, attr: &Attribute) -> syn::Result<()> {
        let Ok(_) = attr.meta.require_list() else {
            return Err(syn::Error::new_spanned(attr, "write `#[rpc(oneway)]`, `#[rpc(id = 7)]`, or both in one"));
        };
        attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("oneway") {
                return self.set_oneway(&meta);
            }
            if meta.path.is_ident("id") {
                return self.set_id(&meta);
            }
            Err(meta.error("`#[rpc]` knows no such option: it knows `oneway` and `id = 7`"))
        })
    }

    fn set_oneway(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        if !meta.input.is_empty() && !meta.input.peek(Token![,]) {
            return Err(meta.error("`oneway` takes no value: say it, or leave it out"));
        }
        if self.oneway.replace(meta.path.span()).is_some() {
            return Err(meta.error("`oneway` is said already: leave one out"));
        }
        Ok(())
    }

    fn set_id(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        const WHAT_TO_WRITE: &str = "a method's id is a number from 0 to 4294967295: write `id = 7`";
        if !meta.input.peek(Token![=]) {
            return Err(meta.error(WHAT_TO_WRITE));
        }
        let value: Expr = meta.value()?.parse()?;
        let id = id_literal(&value).ok_or_else(|| syn::Error::new_spanned(&value, WHAT_TO_WRITE))?;
        if self.id.replace(id).is_some() {
            return Err(meta.error("the method has an id already: leave one out"));
        }
        Ok(())
    }
}

fn id_literal(value: &Expr) -> Option<LitInt> {
    match value {
        Expr::Group(group) => id_literal(&group.expr),
        Expr::Lit(ExprLit { lit: Lit::Int(id), .. }) => {
            (id.base10_parse::<u32>().is_ok() && matches!(id.suffix(), "" | "u32")).then(|| id.clone())
        }
        _ => None,
    }
}

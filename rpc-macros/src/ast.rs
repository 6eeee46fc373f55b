//! A service trait, read into what the later phases need.

use proc_macro2::Span;
use quote::format_ident;
use syn::{
    Attribute, FnArg, GenericArgument, Ident, ItemTrait, LitInt, Pat, PathArguments, ReceiverKind, ReturnType,
    Signature, TraitItem, Type, Visibility, ext::IdentExt, parse_quote, spanned::Spanned,
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
    Fallible { whole: Type, ok: Type, err: Type },
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
}

impl Method {
    fn read(attrs: &[Attribute], signature: &Signature, options: Options) -> Self {
        let named = |name: &str| attrs.iter().filter(|attr| attr.path().is_ident(name)).cloned().collect();
        Self {
            cfgs: named("cfg"),
            docs: named("doc"),
            signature: signature.clone(),
            options,
            args: signature.inputs.iter().enumerate().filter_map(Arg::read).collect(),
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
    fn read((position, input): (usize, &FnArg)) -> Option<Self> {
        let FnArg::Typed(input) = input else { return None };
        let name = match &*input.pat {
            Pat::Ident(name) => name.ident.clone(),
            // A pattern is for rustc to refuse; until then the argument needs some name.
            _ => format_ident!("arg{position}", span = Span::mixed_site()),
        };
        Some(Self { name, ty: (*input.ty).clone() })
    }
}

impl Output {
    fn read(output: &ReturnType) -> Self {
        let ReturnType::Type(_, whole) = output else { return Self::Plain(parse_quote!(())) };
        let whole = (**whole).clone();
        let Type::Path(path) = &whole else { return Self::Plain(whole) };
        let Some(last) = path.path.segments.last().filter(|last| last.ident == "Result") else {
            return Self::Plain(whole);
        };
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return Self::Alias(whole) };
        let types: Vec<_> = arguments.args.iter().collect();
        if let [GenericArgument::Type(ok), GenericArgument::Type(err)] = types[..] {
            let (ok, err) = (ok.clone(), err.clone());
            return Self::Fallible { whole, ok, err };
        }
        Self::Alias(whole)
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
        attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("oneway") {
                if self.oneway.replace(meta.path.span()).is_some() {
                    return Err(meta.error("`oneway` is said already: leave one out"));
                }
                return Ok(());
            }
            if meta.path.is_ident("id") {
                let id: LitInt = meta.value()?.parse()?;
                id.base10_parse::<u32>().map_err(|_| syn::Error::new(id.span(), "a method's id is a `u32`"))?;
                if self.id.replace(id).is_some() {
                    return Err(meta.error("the method has an id already: leave one out"));
                }
                return Ok(());
            }
            Err(meta.error("`#[rpc]` knows no such option: it knows `oneway` and `id = 7`"))
        })
    }
}

//! The message trait of a type: its name, its policy, and where its size, id, context and attributes are.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use crate::options::capture::{Bytes, Capture};
use crate::options::crate_path::Private;
use crate::options::expression::Expression;
use crate::options::sample::{Policy, Rate, Rule, SampleOptions};
use crate::shape::data::{Field, MessageType, Shape};
use crate::shape::tokens::{bind_self, mention, replace_ident};

/// `impl Message for T`
pub(crate) fn implementation(
    message: &MessageType,
    options: &SampleOptions,
    enabled: bool,
) -> TokenStream {
    let span = Span::mixed_site();
    let (root, p) = (options.crate_path.root(), options.crate_path.private());
    let name = &message.item.ident;
    let (generics, arguments, bounds) = message.item.generics.split_for_impl();
    // The attributes `#[cfg]` of the type itself are gone before a macro sees it.
    let kind = kind(message, options, &p);
    let verdict = verdict(message, options, &p);
    let size = size(options, &p);
    let context = context(message, &p);
    let id = id(message, &p);
    let describe = describe(message, &p);
    let capture = capture(message, options, enabled, &p);
    let says_nothing = id.is_empty() && describe.is_empty() && capture.is_empty();
    let describes = says_nothing
        .then(|| quote_spanned!(span=> const DESCRIBES: ::core::primitive::bool = false;));
    quote_spanned! {span=>
        impl #generics #root::Message for #name #arguments #bounds {
            #describes
            #kind
            #verdict
            #size
            #context
            #id
            #describe
            #capture
        }
    }
}

fn kind(message: &MessageType, options: &SampleOptions, p: &Private) -> TokenStream {
    let span = Span::mixed_site();
    let arms = message.shapes.iter().map(|shape| {
        let own = shape.options.name.as_ref().or(options.name.as_ref());
        let name = own.map_or_else(
            || shape.name.to_string().trim_start_matches("r#").to_owned(),
            syn::LitStr::value,
        );
        let rate = shape
            .options
            .policy
            .rate
            .as_ref()
            .or(options.policy.rate.as_ref())
            .map(|rate| match rate {
                Rate::Literal(rate) => quote_spanned!(span=> .rate(#rate)),
                Rate::Constant(expression) => {
                    let constant = without_self(expression, message);
                    let share = quote_spanned!(expression.place()=> #p::share((#constant) as ::core::primitive::f64));
                    quote_spanned!(span=> .rate(#share))
                }
            });
        let always = actors(&options.always_actors, "always_actors");
        let never = actors(&options.never_actors, "never_actors");
        let capture = capture_bytes(message, captures(shape, options), p);
        let (cfg, pattern) = (&shape.cfg, shape.pattern());
        quote_spanned! {span=>
            #(#cfg)*
            #pattern => {
                static KIND: #p::MessageKind = #p::MessageKind::new(#name) #rate #always #never #capture;
                &KIND
            }
        }
    });
    let body = match message.shapes.is_empty() {
        true => quote_spanned!(span=> match *self {}),
        false => quote_spanned!(span=> match self { #(#arms)* }),
    };
    quote_spanned! {span=>
        fn kind(&self) -> &'static #p::MessageKind { #body }
    }
}

/// A static inside a function cannot say `Self`.
fn without_self(expression: &Expression, message: &MessageType) -> TokenStream {
    replace_ident(expression.tokens(), "Self", &|ident| {
        let mut name = message.item.ident.clone();
        name.set_span(ident.span());
        TokenTree::Ident(name)
    })
}

/// What holds for a shape: its own word, else that of the type.
fn captures<'a>(shape: &'a Shape, options: &'a SampleOptions) -> Option<&'a Capture> {
    shape.options.capture.as_ref().or(options.capture.as_ref())
}

fn capture_bytes(message: &MessageType, capture: Option<&Capture>, p: &Private) -> TokenStream {
    let span = Span::mixed_site();
    let bytes = match capture {
        None | Some(Capture::Off) => return TokenStream::new(),
        Some(Capture::On { bytes, .. }) => match bytes {
            Bytes::Default => quote_spanned!(span=> #p::CONTENT_BYTES_DEFAULT),
            Bytes::Literal(bytes) => {
                let bytes = proc_macro2::Literal::u64_unsuffixed(*bytes);
                quote!(#bytes)
            }
            Bytes::Constant(expression) => {
                let constant = without_self(expression, message);
                // The compiler points here when the number is none.
                let there = expression.span().resolved_at(span);
                quote_spanned!(there=> #p::capture_bytes(#constant))
            }
        },
    };
    quote_spanned!(span=> .capture(#bytes))
}

/// Hands the message over. Where nothing is recorded it is still checked that this could be done.
fn capture(
    message: &MessageType,
    options: &SampleOptions,
    enabled: bool,
    p: &Private,
) -> TokenStream {
    let span = Span::mixed_site();
    let key = message
        .shapes
        .iter()
        .find_map(|shape| captures(shape, options)?.span());
    let Some(key) = key else {
        return TokenStream::new();
    };
    // That the type is no `Serialize` is reported where the user asks for it to be one.
    let key = key.resolved_at(span);
    let body = match enabled {
        true => quote_spanned!(key=> content.put(self)),
        false => quote_spanned!(key=> let _nothing_is_recorded = content; #p::capturable(self)),
    };
    quote_spanned! {span=>
        fn capture(&self, content: &mut #p::Content<'_>) { #body }
    }
}

fn actors(names: &[syn::LitStr], method: &str) -> TokenStream {
    if names.is_empty() {
        return TokenStream::new();
    }
    let method = Ident::new(method, Span::mixed_site());
    quote_spanned!(Span::mixed_site()=> .#method(&[#(#names),*]))
}

/// Never before always before rate. Conditions of the type hold for every variant; what the type says without a
/// condition, and its rate, hold for variants that say nothing of their own instead.
fn verdict(message: &MessageType, options: &SampleOptions, p: &Private) -> TokenStream {
    let span = Span::mixed_site();
    let outer = &options.policy;
    let variants = message
        .shapes
        .iter()
        .any(|shape| !shape.options.policy.is_empty());
    if outer.always.is_none() && outer.never.is_none() && !variants {
        return TokenStream::new();
    }
    let never_of_type = return_if(
        &outer.never,
        &[],
        &quote_spanned!(span=> #p::Verdict::Never),
    );
    let always_of_type = return_if(
        &outer.always,
        &[],
        &quote_spanned!(span=> #p::Verdict::Always),
    );
    let arms = message.shapes.iter().map(|shape| {
        let own = &shape.options.policy;
        let bindings = mentioned_fields(shape, own);
        let fields = bindings.iter().map(|(member, name)| match member {
            syn::Member::Named(_) => quote!(#name,),
            syn::Member::Unnamed(index) => quote!(#index: #name,),
        });
        let (cfg, path) = (&shape.cfg, &shape.path);
        let decide = decide(own, outer, &bindings, always_of_type.as_ref(), p);
        quote_spanned!(span=> #(#cfg)* #path { #(#fields)* .. } => { #decide })
    });
    let body = match message.shapes.is_empty() {
        true => quote_spanned!(span=> match *self {}),
        false => quote_spanned!(span=> #never_of_type match self { #(#arms)* }),
    };
    quote_spanned! {span=>
        fn verdict(&self) -> #p::Verdict { #body }
    }
}

/// The decision for one shape, once the type's own `never` did not hold.
fn decide(
    own: &Policy,
    outer: &Policy,
    bindings: &[(syn::Member, Ident)],
    always_of_type: Option<&TokenStream>,
    p: &Private,
) -> TokenStream {
    let span = Span::mixed_site();
    let verdict = |name: &str| {
        let name = Ident::new(name, span);
        quote_spanned!(span=> #p::Verdict::#name)
    };
    if let Some(Rule::Flat) = own.never {
        return verdict("Never");
    }
    let never = return_if(&own.never, bindings, &verdict("Never"));
    if let Some(Rule::Flat) = own.always {
        let always = verdict("Always");
        return quote_spanned!(span=> #never #always);
    }
    let always = return_if(&own.always, bindings, &verdict("Always"));
    let rest = verdict(match (&own.rate, &outer.never, &outer.always) {
        (None, Some(Rule::Flat), _) => "Never",
        (None, _, Some(Rule::Flat)) => "Always",
        _ => "ByRate",
    });
    quote_spanned!(span=> #never #always #always_of_type #rest)
}

/// Returns `verdict` if the rule holds. The mistakes of its expression are reported where the user wrote it.
fn return_if(
    rule: &Option<Rule>,
    bindings: &[(syn::Member, Ident)],
    verdict: &TokenStream,
) -> Option<TokenStream> {
    let Some(Rule::When(expression)) = rule else {
        return None;
    };
    let span = Span::mixed_site();
    let is_field = expression
        .bare_name()
        .is_some_and(|name| bindings.iter().any(|(_, field)| *field == name));
    let tokens = bind_self(expression.tokens(), Span::mixed_site());
    Some(if expression.is_callable() && !is_field {
        quote_spanned!(span=> let holds: fn(&Self) -> ::core::primitive::bool = #tokens; if holds(self) { return #verdict; })
    } else {
        quote_spanned!(span=> let holds: ::core::primitive::bool = #tokens; if holds { return #verdict; })
    })
}

/// The fields of a variant that its rules mention, under the names they mention: `name`, or `_0` in a tuple.
fn mentioned_fields(shape: &Shape, policy: &Policy) -> Vec<(syn::Member, Ident)> {
    let mut mentioned = TokenStream::new();
    for rule in [&policy.always, &policy.never] {
        if let Some(Rule::When(expression)) = rule {
            expression.to_tokens(&mut mentioned);
        }
    }
    let fields = shape.fields.iter().filter_map(|field| {
        let name = match &field.member {
            syn::Member::Named(name) => name.to_string(),
            syn::Member::Unnamed(index) => format!("_{}", index.index),
        };
        mention(&mentioned, &name).map(|found| (field.member.clone(), found))
    });
    fields.collect()
}

fn size(options: &SampleOptions, p: &Private) -> TokenStream {
    let span = Span::mixed_site();
    let body = match &options.size {
        Some(expression) => {
            let size = bind_self(expression.tokens(), Span::mixed_site());
            quote_spanned!(span=> #p::Size::known({ #size }))
        }
        None => quote_spanned! {span=>
            use #p::SizeFallback as _;
            #p::Size::measured(self.size_bytes(), self)
        },
    };
    quote_spanned!(span=> fn size(&self) -> #p::Size { #body })
}

fn context(message: &MessageType, p: &Private) -> TokenStream {
    let span = Span::mixed_site();
    let part = |method: &str| {
        let give = |name: &Ident| {
            let method = Ident::new(method, name.span());
            let given = quote_spanned!(name.span()=> #p::ContextField::#method(#name));
            quote_spanned!(span=> ::core::option::Option::Some(#given))
        };
        from_one_field(message, |field| field.is_context, give)
    };
    let (Some(body), Some(body_mut)) = (part("context"), part("context_mut")) else {
        return TokenStream::new();
    };
    quote_spanned! {span=>
        fn context(&self) -> ::core::option::Option<&#p::Context> { #body }
        fn context_mut(&mut self) -> ::core::option::Option<&mut #p::Context> { #body_mut }
    }
}

fn id(message: &MessageType, p: &Private) -> TokenStream {
    let span = Span::mixed_site();
    let value = |name: &Ident| {
        let value = quote_spanned!(name.span()=> (&&&#p::Value(#name)).value());
        quote_spanned!(span=> ::core::option::Option::Some(#value))
    };
    let Some(body) = from_one_field(message, |field| field.is_id, value) else {
        return TokenStream::new();
    };
    quote_spanned! {span=>
        fn id(&self) -> ::core::option::Option<#p::AttributeValue<'_>> {
            use #p::AsValue as _;
            #body
        }
    }
}

/// A match that gives what the marked field of each shape holds, or `None`.
fn from_one_field(
    message: &MessageType,
    marked: impl Fn(&Field) -> bool,
    give: impl Fn(&Ident) -> TokenStream,
) -> Option<TokenStream> {
    let span = Span::mixed_site();
    if !message
        .shapes
        .iter()
        .flat_map(|shape| &shape.fields)
        .any(&marked)
    {
        return None;
    }
    let arms = message.shapes.iter().map(|shape| {
        let cfg = &shape.cfg;
        let pattern = shape.pattern();
        let none = quote_spanned!(span=> #(#cfg)* #pattern => ::core::option::Option::None,);
        match shape.fields.iter().find(|field| marked(field)) {
            None => none,
            Some(field) => {
                let name = format_ident!("field", span = field.place());
                let (pattern, given, field_cfg) =
                    (shape.binding(&field.member, &name), give(&name), &field.cfg);
                // A field that may be absent leaves its shape to the arm without it.
                let rest = (!field_cfg.is_empty()).then_some(none);
                quote_spanned!(span=> #(#cfg)* #(#field_cfg)* #pattern => #given, #rest)
            }
        }
    });
    Some(quote_spanned!(span=> match self { #(#arms)* }))
}

fn describe(message: &MessageType, p: &Private) -> TokenStream {
    let span = Span::mixed_site();
    let is_described = |shape: &Shape| shape.fields.iter().any(|field| field.is_attribute);
    if !message.shapes.iter().any(is_described) {
        return TokenStream::new();
    }
    let arms = message.shapes.iter().map(|shape| {
        let marked: Vec<(&Field, Ident)> = shape
            .fields
            .iter()
            .filter(|field| field.is_attribute)
            .enumerate()
            .map(|(at, field)| (field, format_ident!("field_{at}", span = field.place())))
            .collect();
        let bindings = marked.iter().map(|(field, name)| {
            let (cfg, member) = (&field.cfg, &field.member);
            quote_spanned!(span=> #(#cfg)* #member: #name,)
        });
        let puts = marked.iter().map(|(field, name)| {
            let (cfg, key) = (&field.cfg, field.written_name());
            let value = quote_spanned!(name.span()=> (&&&#p::Value(#name)).value());
            quote_spanned!(span=> #(#cfg)* attributes.put(#key, #value);)
        });
        let (cfg, path) = (&shape.cfg, &shape.path);
        quote_spanned!(span=> #(#cfg)* #path { #(#bindings)* .. } => { #(#puts)* })
    });
    quote_spanned! {span=>
        fn describe(&self, attributes: &mut #p::Attributes<'_>) {
            use #p::AsValue as _;
            match self { #(#arms)* }
        }
    }
}

impl ToTokens for Rule {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        if let Rule::When(expression) = self {
            expression.to_tokens(tokens);
        }
    }
}

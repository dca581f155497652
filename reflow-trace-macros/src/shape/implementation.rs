//! An impl block: attributes, header, and the members between the braces.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;

use super::attribute::Attribute;
use super::method::Method;
use super::returned::Returned;
use super::tokens::{Angles, as_group, is_ident, is_punct, without_invisible_group};

/// One impl block.
pub(crate) struct Implementation {
    pub(crate) attributes: Vec<Attribute>,
    header: Vec<TokenTree>,
    pub(crate) members: Vec<Member>,
    braces: Group,
}

/// What stands inside an impl.
pub(crate) enum Member {
    Method(Box<Method>),
    /// Constants, types, macro calls, inner attributes and whatever is not understood: kept as it is.
    Other(TokenStream),
}

/// Why some tokens are not an impl block, with the place to say so.
pub(crate) struct NotAnImplementation {
    pub(crate) found: String,
    pub(crate) span: Span,
}

impl Implementation {
    pub(crate) fn read(item: TokenStream) -> Result<Self, NotAnImplementation> {
        let trees: Vec<TokenTree> = without_invisible_group(item).into_iter().collect();
        let mut at = 0;
        let attributes = Attribute::read_all(&trees, &mut at);
        let mut keyword = at;
        while is_ident(trees.get(keyword), "default") || is_ident(trees.get(keyword), "unsafe") {
            keyword += 1;
        }
        if !is_ident(trees.get(keyword), "impl") {
            return Err(NotAnImplementation::naming(&trees[at..]));
        }
        let Some(braces) = as_group(trees.last(), Delimiter::Brace).cloned() else {
            return Err(NotAnImplementation {
                found: "an impl without braces".into(),
                span: trees[keyword].span(),
            });
        };
        let header = trees[at..trees.len() - 1].to_vec();
        let mut members = read_members(braces.stream().into_iter().collect());
        resolve_futures(&mut members);
        Ok(Implementation {
            attributes,
            header,
            members,
            braces,
        })
    }

    /// Knows our attributes behind a path to this crate under another name.
    pub(crate) fn understand(&mut self, crate_path: &[String]) {
        for attribute in &mut self.attributes {
            attribute.understand(crate_path);
        }
        for method in self.methods_mut() {
            for attribute in &mut method.attributes {
                attribute.understand(crate_path);
            }
        }
    }

    pub(crate) fn methods(&self) -> impl Iterator<Item = &Method> {
        self.members.iter().filter_map(|member| match member {
            Member::Method(method) => Some(&**method),
            Member::Other(_) => None,
        })
    }

    pub(crate) fn methods_mut(&mut self) -> impl Iterator<Item = &mut Method> {
        self.members.iter_mut().filter_map(|member| match member {
            Member::Method(method) => Some(&mut **method),
            Member::Other(_) => None,
        })
    }

    /// The keyword `impl` and what follows, up to the braces.
    pub(crate) fn header(&self) -> TokenStream {
        self.header.iter().cloned().collect()
    }

    /// What stands between the braces, unread.
    pub(crate) fn content(&self) -> TokenStream {
        self.braces.stream()
    }

    /// Whether functions of ours may stand beside the user's: in an inherent impl under no attribute that might be
    /// somebody's macro.
    pub(crate) fn has_room(&self) -> bool {
        const HARMLESS: [&str; 10] = [
            "doc", "cfg", "cfg_attr", "allow", "expect", "warn", "deny", "forbid", "rustfmt",
            "clippy",
        ];
        let mut header = self.header.iter();
        let of_a_trait = header.any(|tree| is_ident(Some(tree), "for"));
        !of_a_trait
            && self
                .attributes
                .iter()
                .all(|attribute| HARMLESS.iter().any(|name| attribute.begins_with(name)))
    }

    /// The whole impl, with each method (numbered as in [`Self::methods`]) as `replace` writes it, and with other
    /// functions `behind` them.
    pub(crate) fn emit(
        &self,
        mut replace: impl FnMut(usize, &Method, &mut TokenStream),
        behind: TokenStream,
    ) -> TokenStream {
        let mut content = TokenStream::new();
        let mut number = 0;
        for member in &self.members {
            match member {
                Member::Method(method) => {
                    replace(number, method, &mut content);
                    number += 1;
                }
                Member::Other(other) => content.extend(other.clone()),
            }
        }
        content.extend(behind);
        let mut braces = Group::new(Delimiter::Brace, content);
        braces.set_span(self.braces.span());
        let mut tokens: TokenStream = self
            .attributes
            .iter()
            .map(ToTokens::to_token_stream)
            .collect();
        tokens.extend(self.header.iter().cloned());
        braces.to_tokens(&mut tokens);
        tokens
    }

    /// The name of the type that is implemented, without generics and pointers.
    pub(crate) fn type_name(&self) -> String {
        let start = self
            .header
            .iter()
            .position(|tree| is_ident(Some(tree), "impl"))
            .map_or(0, |at| at + 1);
        let mut angles = Angles::default();
        let mut type_trees = Vec::new();
        let mut generics_may_follow = true;
        for (at, tree) in self.header.iter().enumerate().skip(start) {
            let outside = angles.are_closed();
            angles.step(tree);
            if generics_may_follow && (!outside || is_punct(Some(tree), '<')) {
                generics_may_follow = !angles.are_closed();
                continue;
            }
            generics_may_follow = false;
            if outside && is_ident(Some(tree), "where") {
                break;
            }
            if outside && is_ident(Some(tree), "for") && !is_punct(self.header.get(at + 1), '<') {
                type_trees.clear();
                continue;
            }
            type_trees.push(tree.clone());
        }
        name_of_type(type_trees)
    }
}

/// The last segment of the path; what a pointer points to instead of the pointer.
fn name_of_type(trees: Vec<TokenTree>) -> String {
    let trees: Vec<TokenTree> = without_invisible_group(trees.into_iter().collect())
        .into_iter()
        .collect();
    let mut angles = Angles::default();
    let mut name = String::new();
    let mut arguments = Vec::new();
    let mut after_quote = false;
    for tree in trees {
        let outside = angles.are_closed();
        angles.step(&tree);
        match &tree {
            TokenTree::Ident(ident)
                if outside && !after_quote && ident != "dyn" && ident != "mut" =>
            {
                name = ident.to_string();
            }
            _ if !outside && !angles.are_closed() => arguments.push(tree.clone()),
            _ => {}
        }
        after_quote = is_punct(Some(&tree), '\'');
    }
    if matches!(name.as_str(), "Arc" | "Rc" | "Box" | "Pin") && !arguments.is_empty() {
        return name_of_type(arguments);
    }
    name
}

fn read_members(mut trees: Vec<TokenTree>) -> Vec<Member> {
    let mut members = Vec::new();
    let mut at = 0;
    while at < trees.len() {
        // A whole method that came out of a `macro_rules!` fragment.
        if let Some(group) = as_group(trees.get(at), Delimiter::None)
            && group
                .stream()
                .into_iter()
                .any(|tree| is_ident(Some(&tree), "fn"))
        {
            let inside: Vec<TokenTree> = group.stream().into_iter().collect();
            trees.splice(at..=at, inside);
            continue;
        }
        let start = at;
        let attributes = Attribute::read_all(&trees, &mut at);
        if let Some(method) = Method::read(attributes, &trees, &mut at) {
            members.push(Member::Method(Box::new(method)));
        } else {
            at = end_of_other_member(&trees, at);
            members.push(Member::Other(trees[start..at].iter().cloned().collect()));
        }
    }
    members
}

/// `-> Self::Future` is a boxed future where this impl says that `Future` is one.
fn resolve_futures(members: &mut [Member]) {
    let types: Vec<(String, Returned)> = members.iter().filter_map(Member::as_type).collect();
    if types.is_empty() {
        return;
    }
    for member in members {
        let Member::Method(method) = member else {
            continue;
        };
        let name = method
            .returned
            .as_deref()
            .and_then(Returned::associated_type);
        let is_boxed = |(known, kind): &(String, Returned)| {
            name.as_ref() == Some(known) && *kind == Returned::BoxedFuture
        };
        if types.iter().any(is_boxed) {
            method.kind = Returned::BoxedFuture;
        }
    }
}

/// Constants and types end at a semicolon, macro calls perhaps at a brace, inner attributes at their bracket.
fn end_of_other_member(trees: &[TokenTree], start: usize) -> usize {
    let mut macro_call = false;
    for (at, tree) in trees.iter().enumerate().skip(start) {
        if is_punct(Some(tree), '!') && at + 1 < trees.len() {
            macro_call = true;
        }
        let inner_attribute =
            macro_call && as_group(Some(tree), Delimiter::Bracket).is_some() && at == start + 2;
        let braced_call = macro_call && as_group(Some(tree), Delimiter::Brace).is_some();
        let is_item = ["const", "type"].iter().any(|keyword| {
            trees[start..at]
                .iter()
                .any(|earlier| is_ident(Some(earlier), keyword))
        });
        if is_punct(Some(tree), ';') || (!is_item && (inner_attribute || braced_call)) {
            return at + 1;
        }
    }
    trees.len()
}

impl Member {
    /// The name and the kind of an associated type.
    fn as_type(&self) -> Option<(String, Returned)> {
        let Member::Other(tokens) = self else {
            return None;
        };
        let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
        let keyword = trees.iter().position(|tree| is_ident(Some(tree), "type"))?;
        let TokenTree::Ident(name) = trees.get(keyword + 1)? else {
            return None;
        };
        let mut angles = Angles::default();
        let equals = trees.iter().skip(keyword).position(|tree| {
            angles.step(tree);
            angles.are_closed() && is_punct(Some(tree), '=')
        })?;
        let mut angles = Angles::default();
        let value = trees[keyword + equals + 1..].iter().take_while(|tree| {
            let ends = is_punct(Some(tree), ';') || is_ident(Some(tree), "where");
            let outside = angles.are_closed();
            angles.step(tree);
            !(outside && ends)
        });
        let value: Vec<TokenTree> = value.cloned().collect();
        Some((name.to_string(), Returned::of(Some(&value))))
    }
}

impl NotAnImplementation {
    fn naming(trees: &[TokenTree]) -> Self {
        const KEYWORDS: [(&str, &str); 11] = [
            ("struct", "a struct"),
            ("enum", "an enum"),
            ("union", "a union"),
            ("fn", "a function"),
            ("mod", "a module"),
            ("trait", "a trait"),
            ("type", "a type alias"),
            ("use", "an import"),
            ("static", "a static"),
            ("extern", "an extern block"),
            ("const", "a constant"),
        ];
        // `unsafe fn`, `const fn` and `extern "C" fn` are functions before they are anything else.
        let keywords = trees
            .iter()
            .take_while(|tree| as_group(Some(tree), Delimiter::Brace).is_none());
        let keyword = keywords
            .filter_map(|tree| match tree {
                TokenTree::Ident(ident) => {
                    let rank = KEYWORDS.iter().position(|(keyword, _)| ident == keyword)?;
                    Some((rank, ident))
                }
                _ => None,
            })
            .min_by_key(|(rank, _)| *rank);
        match keyword {
            Some((rank, ident)) => NotAnImplementation {
                found: KEYWORDS[rank].1.into(),
                span: ident.span(),
            },
            None => NotAnImplementation {
                found: "something else".into(),
                span: trees.first().map_or_else(Span::call_site, TokenTree::span),
            },
        }
    }
}

impl ToTokens for Implementation {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.emit(
            |_, method, tokens| method.to_tokens(tokens),
            TokenStream::new(),
        ));
    }
}

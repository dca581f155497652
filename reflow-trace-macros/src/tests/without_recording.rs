//! Without the feature `enable` the rules are the same: what is a mistake with it is one without it.

use std::fs;
use std::path::Path;

use quote::ToTokens;

use super::expand;

/// The items of a source that have an attribute of ours, as text.
fn annotated(source: &str) -> Vec<String> {
    let file = syn::parse_file(source).expect("the sources of the suite are Rust");
    let is_ours = |attribute: &syn::Attribute| {
        ["traced_connector", "traced_actor", "sample"]
            .iter()
            .any(|name| attribute.path().is_ident(name))
    };
    let items = file.items.into_iter();
    let items = items.filter(|item| {
        let attributes = match item {
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Struct(item) => &item.attrs,
            syn::Item::Enum(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Trait(item) => &item.attrs,
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Type(item) => &item.attrs,
            syn::Item::Union(item) => &item.attrs,
            _ => return false,
        };
        attributes.first().is_some_and(is_ours)
    });
    items
        .map(|item| item.to_token_stream().to_string())
        .collect()
}

#[test]
fn every_mistake_is_one_without_recording_as_well() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/tests/ui/fail");
    let mut mistakes = 0;
    for entry in fs::read_dir(folder).expect("the folder of the mistakes") {
        let path = entry.expect("an entry of the folder").path();
        if path.extension().is_none_or(|end| end != "rs") {
            continue;
        }
        let source = fs::read_to_string(&path).expect("a readable source");
        for item in annotated(&source) {
            let count = |enabled| {
                let expanded = expand(&item, enabled).to_string();
                expanded.matches("compile_error").count()
            };
            let (with, without) = (count(true), count(false));
            assert_eq!(with, without, "{}: {item}", path.display());
            mistakes += with;
        }
    }
    assert!(mistakes > 100, "only {mistakes} mistakes were seen");
}

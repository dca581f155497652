//! Whatever tokens come, a macro answers with tokens: it never panics.
//!
//! Two ways to what nobody wrote on purpose: soups of words, and real items with some of their tokens taken away, doubled,
//! swapped, replaced or put elsewhere, as they are while somebody edits them.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::expand;

const WORDS: [&str; 60] = [
    "impl",
    "for",
    "fn",
    "send",
    "recv",
    "handle",
    "run",
    "self",
    "&",
    "mut",
    "async",
    "const",
    "unsafe",
    "extern",
    "\"C\"",
    "pub",
    "<",
    ">",
    "->",
    "=>",
    "::",
    ":",
    ",",
    ";",
    "=",
    "!",
    "#",
    "'a",
    "dyn",
    "where",
    "struct",
    "enum",
    "union",
    "trait",
    "type",
    "message",
    "data",
    "_",
    "0",
    "0.5",
    "rate",
    "always",
    "never",
    "from",
    "to",
    "edge",
    "depth",
    "skip",
    "message",
    "returns",
    "attributes",
    "crate",
    "\"self.\"",
    "\"\"",
    "trace",
    "sample",
    "Future",
    "Pin",
    "Box",
    "name",
];

/// A small generator of its own (xorshift), so that a failure can be replayed from its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % sides
    }

    fn soup(&mut self, depth: usize) -> String {
        let mut text = String::new();
        for _ in 0..self.roll(14) {
            match self.roll(if depth == 0 { 6 } else { 9 }) {
                0..=5 => text.push_str(WORDS[self.roll(WORDS.len())]),
                bracket => {
                    let (open, close) = [('(', ')'), ('[', ']'), ('{', '}')][bracket - 6];
                    text.push(open);
                    text.push_str(&self.soup(depth - 1));
                    text.push(close);
                }
            }
            text.push(' ');
        }
        text
    }
}

#[test]
fn no_soup_of_tokens_makes_a_macro_panic() {
    for seed in 1..=4_000_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (options, soup, more) = (dice.soup(2), dice.soup(3), dice.soup(2));
        let name = ["traced_connector", "traced_actor", "sample"][dice.roll(3)];
        let item = match dice.roll(4) {
            0 => soup,
            1 => format!("impl C {{ {soup} fn send(&self, {more}) {{ }} }}"),
            2 => {
                format!("impl C {{ #[trace({more})] fn send(&self, message: M) -> {soup} {{ }} }}")
            }
            _ => format!("enum E {{ #[sample({more})] A {{ #[trace({soup})] a: u8 }}, B }}"),
        };
        let source = format!("#[{name}({options})] {item}");
        // Some soups are no tokens at all, such as a quote without a letter.
        if source.parse::<proc_macro2::TokenStream>().is_ok() {
            let done = std::panic::catch_unwind(|| expand(&source, true));
            assert!(done.is_ok(), "seed {seed}: {source}");
        }
    }
}

impl Dice {
    /// The same tokens after a few slips of an editor, at any depth.
    fn mutate(&mut self, stream: TokenStream) -> TokenStream {
        let mut trees: Vec<TokenTree> = stream.into_iter().collect();
        for tree in &mut trees {
            if let TokenTree::Group(group) = tree
                && self.roll(3) > 0
            {
                let delimiter = match self.roll(24) {
                    0 => Delimiter::None,
                    1 => Delimiter::Brace,
                    2 => Delimiter::Parenthesis,
                    _ => group.delimiter(),
                };
                *tree = TokenTree::Group(Group::new(delimiter, self.mutate(group.stream())));
            }
        }
        for _ in 0..self.roll(3) {
            if trees.is_empty() {
                break;
            }
            let (at, other) = (self.roll(trees.len()), self.roll(trees.len()));
            match self.roll(6) {
                0 => drop(trees.remove(at)),
                1 => trees.insert(other, trees[at].clone()),
                2 => trees.swap(at, other),
                3 => trees.truncate(at + 1),
                4 => trees[at] = trees[other].clone(),
                _ => {
                    let word: TokenStream =
                        WORDS[self.roll(WORDS.len())].parse().unwrap_or_default();
                    trees.splice(at..at, word);
                }
            }
        }
        trees.into_iter().collect()
    }
}

/// Real items with attributes of ours: those of the snapshots, those of the shapes, and those with mistakes.
fn real_items() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [
        root.join("tests/expansions"),
        root.join("../tests/shapes"),
        root.join("../tests/tests/ui/fail"),
    ];
    let files = folders.iter().flat_map(|folder| {
        let entries = fs::read_dir(folder).expect("a folder of sources");
        entries.map(|entry| entry.expect("an entry of the folder").path())
    });
    let mut files: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect();
    files.sort();
    let mut items = Vec::new();
    for file in files {
        let source = fs::read_to_string(&file).expect("a readable source");
        let Ok(parsed) = syn::parse_file(&source) else {
            continue;
        };
        for item in parsed.items {
            let text = quote::ToTokens::to_token_stream(&item).to_string();
            let ours = ["# [traced_connector", "# [traced_actor", "# [sample"];
            if ours.iter().any(|start| text.starts_with(start)) {
                items.push(text);
            }
        }
    }
    items
}

#[test]
fn no_slip_in_a_real_item_makes_a_macro_panic() {
    let items = real_items();
    assert!(
        items.len() > 100,
        "only {} real items were found",
        items.len()
    );
    let mut expanded = 0;
    for seed in 1..=6_000_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let item = &items[dice.roll(items.len())];
        let tokens: TokenStream = item.parse().expect("a real item is made of tokens");
        // The attribute at the front stays, so that a macro is asked at all; what is in it does not.
        let mut trees = tokens.into_iter();
        let (pound, attribute) = (trees.next(), trees.next());
        let attribute = match attribute {
            Some(TokenTree::Group(group)) => {
                let mut inside: Vec<TokenTree> = group.stream().into_iter().collect();
                if let Some(TokenTree::Group(options)) = inside.get(1).cloned() {
                    let options = dice.mutate(options.stream());
                    inside[1] = TokenTree::Group(Group::new(Delimiter::Parenthesis, options));
                }
                TokenTree::Group(Group::new(Delimiter::Bracket, inside.into_iter().collect()))
            }
            _ => continue,
        };
        let rest = dice.mutate(trees.collect());
        let mut whole: TokenStream = pound.into_iter().chain([attribute]).collect();
        whole.extend(rest);
        for enabled in [true, false] {
            let done = std::panic::catch_unwind(|| super::expand_tokens(whole.clone(), enabled));
            assert!(done.is_ok(), "seed {seed}: {whole}");
        }
        expanded += 1;
    }
    assert!(expanded > 5_000, "only {expanded} were expanded");
}

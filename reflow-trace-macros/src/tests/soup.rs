//! Whatever tokens come, a macro answers with tokens: it never panics.

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

//! Where answers are printed: how wide, in which colours, and what happens when nobody reads any more.
//!
//! Standard output is for what was asked for, standard error for everything said about it, so that
//! `… | head`, `… > file` and `… | jq` get the answer alone.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use reflow_trace::terminal::{Table, columns};

use super::failure::Failure;

/// Standard output.
pub(super) struct Screen {
    out: BufWriter<Stdout>,
    width: Option<usize>,
    is_coloured: bool,
    is_terminal: bool,
}

/// What a text means, where colours can show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it is.
    Plain,
    /// Beside the point: times, numbers of events.
    Faint,
    /// As it should be.
    Good,
    /// To be looked at.
    Warning,
    /// Something is wrong.
    Bad,
}

impl Tone {
    const fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Faint => Some("2"),
            Self::Good => Some("32"),
            Self::Warning => Some("33"),
            Self::Bad => Some("31"),
        }
    }
}

impl Screen {
    pub(super) fn new() -> Self {
        let is_terminal = io::stdout().is_terminal();
        Self {
            out: BufWriter::new(io::stdout()),
            width: width(is_terminal),
            is_coloured: is_terminal && wants_colours(),
            is_terminal,
        }
    }

    /// Columns there are; `None`: as many as are needed.
    pub(super) fn width(&self) -> Option<usize> {
        self.width
    }

    /// Whether a person looks at it.
    pub(super) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// One line.
    pub(super) fn line(&mut self, line: &str) -> Result<(), Failure> {
        writeln!(self.out, "{line}").map_err(Failure::printing)
    }

    /// Text that brings its own line ends.
    pub(super) fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.out
            .write_all(text.as_bytes())
            .map_err(Failure::printing)
    }

    /// A table, as wide as it may be.
    pub(super) fn table(&mut self, table: &Table) -> Result<(), Failure> {
        let text = match self.width {
            Some(width) => table.within(width),
            None => table.to_string(),
        };
        self.text(&text)
    }

    /// A table from which may be left out what matters least; that is said beside it.
    pub(super) fn fit(&mut self, fit: &super::show::Fit) -> Result<(), Failure> {
        let (text, left_out) = fit.within(self.width);
        self.text(&text)?;
        if !left_out.is_empty() {
            self.flush()?;
            let named = left_out.join(", ");
            remark(&format!(
                "no room for: {named} (a wider terminal or --json)"
            ));
        }
        Ok(())
    }

    /// A value as one line of JSON, in which nothing can control a terminal.
    pub(super) fn json(&mut self, value: &impl serde::Serialize) -> Result<(), Failure> {
        let json = serde_json::to_string(value)
            .map_err(|error| Failure::printing(io::Error::from(error)))?;
        self.line(&escaped(json))
    }

    /// A sentence, broken between words into lines that fit, all but the first behind `indent` blanks.
    pub(super) fn wrapped(
        &mut self,
        lead: &str,
        sentence: &str,
        indent: usize,
    ) -> Result<(), Failure> {
        let text = wrapped(lead, sentence, indent, self.width.unwrap_or(usize::MAX));
        self.text(&text)
    }

    /// A sentence behind a mark that takes `columns`, however many characters it has.
    pub(super) fn marked(
        &mut self,
        mark: &str,
        columns: usize,
        sentence: &str,
    ) -> Result<(), Failure> {
        let lead = " ".repeat(columns);
        let text = wrapped(&lead, sentence, columns, self.width.unwrap_or(usize::MAX));
        self.text(&format!("{mark}{}", &text[columns..]))
    }

    /// The text in the colour of its meaning, where there are colours.
    pub(super) fn paint(&self, tone: Tone, text: &str) -> String {
        match tone.code() {
            Some(code) if self.is_coloured => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            _ => text.to_owned(),
        }
    }

    /// Makes everything visible that was printed.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(Failure::printing)
    }

    /// Empties the terminal, where there is one.
    pub(super) fn clear(&mut self) -> Result<(), Failure> {
        if self.is_terminal {
            self.text("\u{1b}[H\u{1b}[2J\u{1b}[3J")?;
        }
        Ok(())
    }
}

/// Ends when standard output is read by nobody any more; who only writes finds that out with the next word,
/// and there may be none for hours.
#[cfg(unix)]
pub(super) async fn nobody_reads() {
    use rustix::event::{PollFd, PollFlags, poll};
    // Waits on a thread that ends with the process. What it waits for is reported unasked.
    let gone = tokio::task::spawn_blocking(|| {
        let stdout = io::stdout();
        let mut wanted = [PollFd::new(&stdout, PollFlags::empty())];
        loop {
            match poll(&mut wanted, None) {
                Ok(_) if !wanted[0].revents().is_empty() => return true,
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    });
    if !gone.await.unwrap_or(false) {
        std::future::pending().await
    }
}

/// Ends never: here it is found out by writing.
#[cfg(not(unix))]
pub(super) async fn nobody_reads() {
    std::future::pending().await
}

/// A sentence to standard error, beside the answer.
pub(super) fn remark(sentence: &str) {
    let mut stderr = io::stderr();
    for line in sentence.lines() {
        // Nobody reads: nothing is left to be done.
        let _unread = writeln!(stderr, "{}", reflow_trace::terminal::harmless(line));
    }
}

/// JSON in which everything that a terminal might obey or hide stands as `\u….`: JSON itself escapes only what
/// is below a blank. Outside of its texts there is no such character.
pub(super) fn escaped(json: String) -> String {
    let is_plain = |byte: u8| (b' '..0x7f).contains(&byte);
    if json.bytes().all(is_plain) {
        return json;
    }
    let mut text = String::with_capacity(json.len() + 64);
    for character in json.chars() {
        let is_suspicious =
            character == '\u{7f}' || (!character.is_ascii() && is_changed_by_showing(character));
        if is_suspicious {
            for unit in character.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(character);
        }
    }
    text
}

fn is_changed_by_showing(character: char) -> bool {
    // Behind a letter, so that a combining mark has something to mark and stays what it is.
    let pair: String = ['a', character].iter().collect();
    reflow_trace::terminal::harmless(&pair) != pair
}

/// What `COLUMNS` says, else the terminal; a file or a pipe is as wide as it has to be.
fn width(is_terminal: bool) -> Option<usize> {
    let said = std::env::var("COLUMNS").ok();
    let said = said.and_then(|columns| columns.trim().parse().ok());
    said.filter(|&columns: &usize| columns > 0)
        .or_else(|| is_terminal.then(of_terminal).flatten())
}

/// Whether a person at standard error may see something that moves.
pub(super) fn may_move() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// How wide the terminal at standard error is.
pub(super) fn width_of_stderr() -> usize {
    const USUAL: usize = 80;
    width(true).unwrap_or(USUAL)
}

#[cfg(unix)]
fn of_terminal() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout())
        .or_else(|_| rustix::termios::tcgetwinsize(io::stderr()))
        .ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

#[cfg(not(unix))]
fn of_terminal() -> Option<usize> {
    None
}

/// <https://no-color.org>: set and not empty means none.
fn wants_colours() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn wrapped(lead: &str, sentence: &str, indent: usize, width: usize) -> String {
    let mut text = lead.to_owned();
    let mut at = columns(lead);
    let mut is_first = true;
    for word in sentence.split_whitespace() {
        let wide = columns(word);
        if !is_first && at + 1 + wide > width {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            at = indent;
        } else if !is_first {
            text.push(' ');
            at += 1;
        }
        text.push_str(word);
        at += wide;
        is_first = false;
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_the_same_to_programs_and_harmless_to_terminals() {
        let hostile = "a\u{9b}2J\u{202e}b\u{7f}é漢🦀e\u{301}\u{e0041}\u{1b}";
        let json = escaped(serde_json::to_string(hostile).expect("is JSON"));
        assert_eq!(
            serde_json::from_str::<String>(&json).expect("is JSON"),
            hostile
        );
        assert!(json.contains("é漢🦀e\u{301}"), "{json}");
        assert!(!json.contains(['\u{9b}', '\u{202e}', '\u{7f}', '\u{e0041}', '\u{1b}']));
    }

    #[test]
    fn a_sentence_is_broken_between_words() {
        assert_eq!(
            wrapped("- ", "one two three four", 2, 10),
            "- one two\n  three\n  four\n"
        );
        assert_eq!(wrapped("", "one two", 4, usize::MAX), "one two\n");
        assert_eq!(wrapped("", "longerthanthat", 2, 5), "longerthanthat\n");
        assert_eq!(wrapped("x", "", 2, 5), "x\n");
    }
}

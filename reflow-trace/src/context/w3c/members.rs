//! The members of a `tracestate`: `key=value`, divided by commas.

/// Most members.
pub(super) const MEMBERS_MAX: usize = 32;
/// Most characters that are kept and passed on.
pub(super) const LENGTH_MAX: usize = 512;
/// Members longer than this go first when there is too much.
const LONG: usize = 128;
const KEY_LENGTH_MAX: usize = 256;
pub(super) const VALUE_LENGTH_MAX: usize = 256;

/// One member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member<'a> {
    pub(super) key: &'a str,
    pub(super) value: &'a str,
}

impl<'a> Member<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (key, value) = text.split_once('=')?;
        (is_key(key) && is_value(value)).then_some(Self { key, value })
    }

    fn length(&self) -> usize {
        self.key.len() + 1 + self.value.len()
    }
}

fn is_key(key: &str) -> bool {
    let is_first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_later = |byte: u8| is_first(byte) || b"_-*/@".contains(&byte);
    (1..=KEY_LENGTH_MAX).contains(&key.len())
        && key.bytes().next().is_some_and(is_first)
        && key.bytes().all(is_later)
}

fn is_value(value: &str) -> bool {
    let is_allowed = |byte: u8| matches!(byte, b' '..=b'~') && byte != b',' && byte != b'=';
    (1..=VALUE_LENGTH_MAX).contains(&value.len()) && value.bytes().all(is_allowed)
}

/// The members of all `tracestate` fields of one message, in order; `None` when they are malformed as a
/// whole: a member is none, there are too many, or two have one key.
pub(super) fn parse<'a>(fields: impl IntoIterator<Item = &'a str>) -> Option<Vec<Member<'a>>> {
    let mut members: Vec<Member<'a>> = Vec::new();
    for field in fields {
        for text in field.split(',') {
            let text = text.trim_matches([' ', '\t']);
            if text.is_empty() {
                continue;
            }
            let member = Member::parse(text)?;
            let is_known = members.iter().any(|other| other.key == member.key);
            if is_known || members.len() == MEMBERS_MAX {
                return None;
            }
            members.push(member);
        }
    }
    Some(members)
}

/// Leaves out what is too much for the members and for their text, the first `kept` excepted: long
/// ones first, then from the end. Gives the number of those left out.
pub(super) fn fit(members: &mut Vec<Member<'_>>, kept: usize) -> u64 {
    let before = members.len();
    let is_too_much = |members: &[Member<'_>]| {
        let commas = members.len().saturating_sub(1);
        let length = commas + members.iter().map(Member::length).sum::<usize>();
        members.len() > MEMBERS_MAX || length > LENGTH_MAX
    };
    while is_too_much(members) && members.len() > kept {
        let long = members[kept..]
            .iter()
            .rposition(|member| member.length() > LONG);
        let last = members.len() - 1;
        members.remove(long.map_or(last, |index| kept + index));
    }
    (before - members.len()) as u64
}

/// The text.
pub(super) fn join(members: &[Member<'_>]) -> String {
    let mut text = String::new();
    for Member { key, value } in members {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(key);
        text.push('=');
        text.push_str(value);
    }
    text
}

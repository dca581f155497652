//! Which known name somebody may have meant.

/// Longest name that is compared, in characters; what is longer is no typo of ours.
const LENGTH_MAX: usize = 64;

/// The known name that is nearest to `name`, when it is near enough to be a slip of the fingers.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = name.to_lowercase().chars().take(LENGTH_MAX + 1).collect();
    if name.len() > LENGTH_MAX {
        return None;
    }
    let with_distance = known.into_iter().map(|known| {
        let letters: Vec<char> = known.to_lowercase().chars().collect();
        (steps(&name, &letters), known)
    });
    let (steps, nearest) = with_distance.min_by_key(|&(steps, _)| steps)?;
    // A third of the letters may be wrong, but not all of a short name.
    (steps <= (name.len() / 3).max(1) && steps < name.len()).then_some(nearest)
}

/// Letters to insert, drop, replace or swap with their neighbour until one is the other.
fn steps(one: &[char], other: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for i in 1..=one.len() {
        let mut row = vec![i];
        for j in 1..=other.len() {
            let replaced = last[j - 1] + usize::from(one[i - 1] != other[j - 1]);
            let mut least = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                least = least.min(before_last[j - 2] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_fingers_is_understood_and_another_word_is_not() {
        let known = ["queue_depth", "message_id", "outcome", "port"];
        for (name, expected) in [
            ("queue_dpeth", Some("queue_depth")),
            ("QueueDepth", Some("queue_depth")),
            ("messageid", Some("message_id")),
            ("outcom", Some("outcome")),
            ("prot", Some("port")),
            ("x", None),
            ("", None),
            ("temperature", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
        assert_eq!(nearest(&"port".repeat(1_000), known), None);
    }
}

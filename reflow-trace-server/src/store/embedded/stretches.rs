//! Stretches of offsets: each the first and the one after the last.

/// The same offsets, ascending, in stretches that are apart from each other.
pub(super) fn united(all: impl IntoIterator<Item = (u64, u64)>) -> Vec<(u64, u64)> {
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_unstable();
    let mut apart: Vec<(u64, u64)> = Vec::new();
    for (from, to) in all {
        match apart.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => apart.push((from, to)),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_touches_becomes_one() {
        let all = [(7, 9), (1, 3), (3, 4), (2, 3), (12, 13), (8, 10)];
        assert_eq!(united(all), [(1, 4), (7, 10), (12, 13)]);
        assert_eq!(united([]), []);
    }
}

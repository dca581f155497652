//! Places things on a line, in order and apart, as near as possible to where they want to be.

/// Something that has a place on a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    /// Where its centre wants to be.
    pub(super) at: f64,
    /// How much that matters, above 0.
    pub(super) weight: f64,
    /// The least distance of its centre from the centre of the one before it.
    pub(super) distance: f64,
}

/// The places with the least sum of `weight · (place − at)²` that keep order and distances.
///
/// Subtracting from each wish the distances before it turns this into isotonic regression, which
/// merging neighbours in the wrong order solves exactly in linear time ("pool adjacent violators").
pub(super) fn align(wishes: &[Wish]) -> Vec<f64> {
    struct Pool {
        sum: f64,
        weight: f64,
        members: usize,
    }

    let mut offsets = Vec::with_capacity(wishes.len());
    let mut pools: Vec<Pool> = Vec::new();
    let mut offset = 0.0;
    for (number, wish) in wishes.iter().enumerate() {
        if number > 0 {
            offset += wish.distance;
        }
        offsets.push(offset);
        let mut pool = Pool {
            sum: wish.weight * (wish.at - offset),
            weight: wish.weight,
            members: 1,
        };
        while let Some(before) = pools.pop_if(|it| it.sum * pool.weight >= pool.sum * it.weight) {
            pool.sum += before.sum;
            pool.weight += before.weight;
            pool.members += before.members;
        }
        pools.push(pool);
    }
    let places = pools
        .iter()
        .flat_map(|pool| std::iter::repeat_n(pool.sum / pool.weight, pool.members));
    places
        .zip(offsets)
        .map(|(at, offset)| at + offset)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wishes: &[(f64, f64)], places: &[f64]) {
        let wish = |&(at, weight)| Wish {
            at,
            weight,
            distance: 10.0,
        };
        let wishes: Vec<_> = wishes.iter().map(wish).collect();
        assert_eq!(align(&wishes), places);
    }

    #[test]
    fn wishes_that_do_not_conflict_are_fulfilled() {
        check(&[], &[]);
        check(&[(3.0, 1.0), (20.0, 1.0)], &[3.0, 20.0]);
    }

    #[test]
    fn those_in_conflict_meet_in_the_middle() {
        check(&[(0.0, 1.0), (0.0, 1.0)], &[-5.0, 5.0]);
        check(&[(5.0, 1.0), (-5.0, 1.0), (40.0, 1.0)], &[-5.0, 5.0, 40.0]);
    }

    #[test]
    fn the_weightier_one_moves_less() {
        check(&[(0.0, 3.0), (6.0, 1.0)], &[-1.0, 9.0]);
    }
}

//! Breaks cycles and assigns layers.
//!
//! In a cycle the arrow with the fewest messages is taken for the way back: feedback, retries and
//! refusals are rarer than what they answer. Where numbers are of one magnitude, a depth-first
//! search from where the cycle is entered decides.

use super::Sketch;

/// With more arrows than this the depth-first search decides alone: weighing takes quadratic time.
const WEIGHED_ARROWS_MAX: usize = 5_000;

/// The column of every box, and the arrows that are placed against their direction.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layers {
    pub(super) column_of_box: Vec<usize>,
    pub(super) reversed: Vec<bool>,
}

/// Boxes without incoming arrows stand in column 0, every other one right of all it receives from.
pub(super) fn layers(sketch: &Sketch) -> Layers {
    let mut reversed = arrows_that_close_cycles(sketch);
    if reversed.contains(&true) && sketch.arrows.len() <= WEIGHED_ARROWS_MAX {
        reversed = rarest_of_each_cycle(sketch, &reversed);
    }
    let count = sketch.boxes.len();
    let mut successors = vec![Vec::new(); count];
    let mut missing = vec![0usize; count];
    for (arrow, &reversed) in sketch.arrows.iter().zip(&reversed) {
        if arrow.from != arrow.to {
            let (left, right) = match reversed {
                false => (arrow.from, arrow.to),
                true => (arrow.to, arrow.from),
            };
            successors[left].push(right);
            missing[right] += 1;
        }
    }
    // Kahn's topological order; a box is placed when all that lead to it are.
    let mut column_of_box = vec![0; count];
    let mut ready: Vec<usize> = (0..count).filter(|&it| missing[it] == 0).collect();
    while let Some(left) = ready.pop() {
        for &right in &successors[left] {
            column_of_box[right] = column_of_box[right].max(column_of_box[left] + 1);
            missing[right] -= 1;
            if missing[right] == 0 {
                ready.push(right);
            }
        }
    }
    Layers {
        column_of_box,
        reversed,
    }
}

/// The arrows that lead back to a box on the current path of a depth-first search.
///
/// The search begins at boxes that nothing leads to, then at those that send more than they
/// receive: a cycle is cut where a reader would say that it starts over.
fn arrows_that_close_cycles(sketch: &Sketch) -> Vec<bool> {
    #[derive(Clone, Copy, PartialEq)]
    enum Visit {
        Not,
        OnPath,
        Done,
    }

    let count = sketch.boxes.len();
    let mut outgoing = vec![Vec::new(); count];
    let mut incoming = vec![0usize; count];
    for (number, arrow) in sketch.arrows.iter().enumerate() {
        if arrow.from != arrow.to {
            outgoing[arrow.from].push(number);
            incoming[arrow.to] += 1;
        }
    }
    let mut starts: Vec<usize> = (0..count).collect();
    starts.sort_by_key(|&it| {
        let surplus = outgoing[it].len() as isize - incoming[it] as isize;
        (incoming[it] > 0, -surplus, it)
    });

    let mut reversed = vec![false; sketch.arrows.len()];
    let mut visits = vec![Visit::Not; count];
    for start in starts {
        if visits[start] != Visit::Not {
            continue;
        }
        visits[start] = Visit::OnPath;
        // The path with, for each box on it, how many of its arrows were followed.
        let mut path = vec![(start, 0)];
        while let Some((at, followed)) = path.last_mut() {
            let Some(&number) = outgoing[*at].get(*followed) else {
                visits[*at] = Visit::Done;
                path.pop();
                continue;
            };
            *followed += 1;
            let to = sketch.arrows[number].to;
            match visits[to] {
                Visit::OnPath => reversed[number] = true,
                Visit::Not => {
                    visits[to] = Visit::OnPath;
                    path.push((to, 0));
                }
                Visit::Done => {}
            }
        }
    }
    reversed
}

/// Keeps the direction of one arrow after another, the heaviest first, unless it closes a cycle.
fn rarest_of_each_cycle(sketch: &Sketch, by_search: &[bool]) -> Vec<bool> {
    let mut heaviest_first: Vec<usize> = (0..sketch.arrows.len()).collect();
    heaviest_first.sort_by_key(|&number| {
        let magnitude = sketch.arrows[number].weight.checked_ilog2();
        (std::cmp::Reverse(magnitude), by_search[number], number)
    });
    let mut kept = vec![Vec::new(); sketch.boxes.len()];
    let mut reversed = vec![false; sketch.arrows.len()];
    // The arrow for which a box was visited last, so that nothing needs to be cleared.
    let mut visited_for = vec![usize::MAX; sketch.boxes.len()];
    for number in heaviest_first {
        let arrow = &sketch.arrows[number];
        if arrow.from == arrow.to {
            continue;
        }
        let mut open = vec![arrow.to];
        while let Some(at) = open.pop() {
            if at == arrow.from {
                reversed[number] = true;
                break;
            }
            if std::mem::replace(&mut visited_for[at], number) != number {
                open.extend(&kept[at]);
            }
        }
        match reversed[number] {
            false => kept[arrow.from].push(arrow.to),
            true => kept[arrow.to].push(arrow.from),
        }
    }
    reversed
}

#[cfg(test)]
mod tests {
    use super::super::tests::sketch;
    use super::*;

    fn check(boxes: usize, arrows: &[(usize, usize)], columns: &[usize], reversed: &[usize]) {
        let found = layers(&sketch(boxes, arrows));
        assert_eq!(found.column_of_box, columns, "{arrows:?}");
        let numbers = 0..arrows.len();
        let numbers: Vec<_> = numbers.filter(|&it| found.reversed[it]).collect();
        assert_eq!(numbers, reversed, "{arrows:?}");
    }

    #[test]
    fn a_box_stands_right_of_all_it_receives_from() {
        check(3, &[(0, 1), (1, 2)], &[0, 1, 2], &[]);
        check(3, &[(0, 1), (1, 2), (0, 2)], &[0, 1, 2], &[]);
        check(4, &[(0, 1), (0, 2), (1, 3), (2, 3)], &[0, 1, 1, 2], &[]);
    }

    #[test]
    fn a_cycle_is_cut_once() {
        check(3, &[(0, 1), (1, 2), (2, 0)], &[0, 1, 2], &[2]);
        check(2, &[(0, 1), (1, 0)], &[0, 1], &[1]);
    }

    #[test]
    fn a_cycle_starts_where_it_is_entered() {
        // 3 feeds 1, so 1 comes first although 0 has the smaller number.
        check(4, &[(0, 1), (1, 2), (2, 0), (3, 1)], &[3, 1, 2, 0], &[0]);
    }

    #[test]
    fn the_rarest_arrow_of_a_cycle_runs_back() {
        let mut sketch = sketch(3, &[(0, 1), (1, 2), (2, 0)]);
        for (arrow, weight) in sketch.arrows.iter_mut().zip([3, 400, 420]) {
            arrow.weight = weight;
        }
        assert_eq!(layers(&sketch).reversed, [true, false, false]);
        assert_eq!(layers(&sketch).column_of_box, [2, 0, 1]);
    }

    #[test]
    fn a_loop_moves_nothing() {
        check(2, &[(0, 0), (0, 1)], &[0, 1], &[]);
    }

    #[test]
    fn a_very_long_chain_overflows_no_stack() {
        let chain: Vec<_> = (0..99_999).map(|it| (it, it + 1)).collect();
        assert_eq!(
            layers(&sketch(100_000, &chain)).column_of_box[99_999],
            99_999
        );
    }
}

//! Each limit is reached, and gone over by one.

use super::super::*;
use super::*;

fn refused(text: &str) -> FilterErrorKind {
    Filter::parse(text)
        .expect_err("it is over the limit")
        .kind()
}

#[test]
fn four_kibibytes_are_read_and_one_byte_more_is_not() {
    let of_length = |bytes: usize| {
        let frame = "message_id = ''".len();
        format!("message_id = '{}'", "x".repeat(bytes - frame))
    };
    parsed(&of_length(FILTER_BYTES_MAX));
    assert_eq!(
        refused(&of_length(FILTER_BYTES_MAX + 1)),
        FilterErrorKind::Limit
    );
    // In the middle of a character.
    let long = format!("message_id = '{}'", "漢".repeat(FILTER_BYTES_MAX));
    assert_eq!(refused(&long), FilterErrorKind::Limit);
}

#[test]
fn the_terms_are_counted_in_lists_and_in_chains() {
    let list = |values: usize| format!("hop_count IN ({})", vec!["1"; values].join(","));
    parsed(&list(FILTER_TERMS_MAX));
    assert_eq!(refused(&list(FILTER_TERMS_MAX + 1)), FilterErrorKind::Limit);

    let chain = |tests: usize| vec!["port=''"; tests].join(" OR ");
    let most = FILTER_BYTES_MAX / "port='' OR ".len();
    parsed(&chain(most));
    assert_eq!(refused(&chain(20_000)), FilterErrorKind::Limit);
}

#[test]
fn the_depth_is_counted_in_parentheses_in_nots_and_in_chains() {
    let test = "port = ''";
    let parentheses = |depth: usize| format!("{}{test}{}", "(".repeat(depth), ")".repeat(depth));
    let nots = |depth: usize| format!("{}{test}", "NOT ".repeat(depth));
    let chains = |depth: usize| {
        (0..depth).fold(test.to_owned(), |inside, level| match level % 2 {
            0 => format!("{test} OR ({inside})"),
            _ => format!("{test} AND ({inside})"),
        })
    };
    let of_depth: [&dyn Fn(usize) -> String; 3] = [&parentheses, &nots, &chains];
    for of_depth in of_depth {
        let filter = parsed(&of_depth(FILTER_DEPTH_MAX));
        assert_eq!(Filter::new(filter.expr().clone()), Ok(filter));
        assert_eq!(
            refused(&of_depth(FILTER_DEPTH_MAX + 1)),
            FilterErrorKind::Limit
        );
    }
    // Nothing closes them, which nobody comes to see.
    assert_eq!(
        refused(&"(".repeat(FILTER_BYTES_MAX)),
        FilterErrorKind::Limit
    );
}

#[test]
fn a_pattern_has_a_longest_length() {
    let like = |chars: usize| format!("port LIKE '{}'", "\u{301}".repeat(chars));
    parsed(&like(PATTERN_CHARS_MAX));
    assert_eq!(
        refused(&like(PATTERN_CHARS_MAX + 1)),
        FilterErrorKind::Limit
    );
}

#[test]
fn a_tree_that_a_program_builds_has_the_same_limits() {
    let test = || Expr::IsNull(Field::Column(Column::Port));
    let nested = |depth: usize| (0..depth).fold(test(), |inside, _| Expr::Not(Box::new(inside)));
    assert!(Filter::new(nested(FILTER_DEPTH_MAX)).is_ok());
    assert_eq!(
        Filter::new(nested(FILTER_DEPTH_MAX + 1)),
        Err(TreeError::TooDeep)
    );
    assert_eq!(Filter::new(nested(20_000)), Err(TreeError::TooDeep));

    let hop_in = |values: usize| Expr::In {
        field: Field::Column(Column::HopCount),
        values: vec![Literal::Number(Number::Integer(1)); values],
    };
    assert!(Filter::new(hop_in(FILTER_TERMS_MAX)).is_ok());
    assert_eq!(
        Filter::new(hop_in(FILTER_TERMS_MAX + 1)),
        Err(TreeError::TooManyTerms)
    );
    assert_eq!(
        Filter::new(Expr::Or(vec![test(); 20_000])),
        Err(TreeError::TooManyTerms)
    );
    assert_eq!(Filter::new(hop_in(0)), Err(TreeError::TooFewMembers("IN")));
    assert_eq!(
        Filter::new(Expr::And(vec![test()])),
        Err(TreeError::TooFewMembers("AND"))
    );
    assert_eq!(
        Filter::new(Expr::Or(Vec::new())),
        Err(TreeError::TooFewMembers("OR"))
    );

    let attribute = Expr::IsNull(Field::Attribute("x".repeat(FILTER_BYTES_MAX)));
    assert_eq!(Filter::new(attribute), Err(TreeError::TooLong));
}

#[test]
fn a_tree_that_no_text_could_have_is_refused() {
    let compare = |column: Column, comparison: Comparison, literal: Literal| Expr::Compare {
        left: Operand::Field(Field::Column(column)),
        comparison,
        right: Operand::Literal(literal),
    };
    let text = |text: &str| Literal::Text(text.to_owned());
    let number = |float: f64| Literal::Number(Number::Float(float));
    use Comparison::{Equal, Less};
    for wrong in [
        compare(Column::QueueDepth, Equal, text("3")),
        compare(Column::MessageId, Equal, number(3.0)),
        compare(Column::QueueDepth, Equal, number(f64::NAN)),
        compare(Column::QueueDepth, Equal, number(f64::INFINITY)),
        compare(
            Column::QueueDepth,
            Equal,
            Literal::Number(Number::Integer(1 << 64)),
        ),
        compare(Column::Outcome, Equal, text("lost")),
        compare(Column::Outcome, Less, text("failed")),
        compare(Column::EventId, Less, Literal::Id(uuid::Uuid::nil())),
        compare(Column::Port, Equal, Literal::Boolean(true)),
        compare(Column::Timestamp, Less, text("2026-01-01")),
        compare(
            Column::Timestamp,
            Less,
            Literal::Time(chrono::DateTime::<chrono::Utc>::MAX_UTC),
        ),
        Expr::Like {
            field: Field::Column(Column::SizeBytes),
            pattern: Pattern::new("4%", None).expect("short"),
        },
        Expr::Compare {
            left: Operand::Field(Field::Column(Column::SizeBytes)),
            comparison: Less,
            right: Operand::Field(Field::Column(Column::WaitingTimeNs)),
        },
    ] {
        let error = Filter::new(wrong.clone()).expect_err("it is wrong");
        assert!(
            matches!(error, TreeError::Mismatch { .. }),
            "{wrong}: {error}"
        );
    }
    let constants = Expr::Compare {
        left: Operand::Literal(text("a")),
        comparison: Equal,
        right: Operand::Literal(text("a")),
    };
    assert_eq!(Filter::new(constants), Err(TreeError::NoField));
}

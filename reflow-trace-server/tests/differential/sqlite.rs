//! The events as a table of SQLite, and conditions as SQL with parameters.

use reflow_trace::TraceEvent;
use reflow_trace::query::filter::{
    Column, Comparison, Expr, Field, Literal, Number, Operand, Pattern, Row, Value, ValueKind,
};
use rusqlite::Connection;
use rusqlite::types::Value as Sql;

/// One row for each event, one for each of its attributes.
pub(crate) struct Table(Connection);

impl Table {
    pub(crate) fn of(events: &[TraceEvent]) -> Self {
        let database = Connection::open_in_memory().expect("SQLite has memory");
        let columns: Vec<_> = Column::ALL.iter().map(|column| column.name()).collect();
        let made = database.execute_batch(&format!(
            "PRAGMA case_sensitive_like = ON;
             CREATE TABLE events (place INTEGER PRIMARY KEY, {});
             CREATE TABLE attributes (place, name, is_null, text, number, boolean, PRIMARY KEY (place, name));",
            columns.join(", ")
        ));
        made.expect("the tables can be made");
        for (place, event) in (0..).zip(events) {
            let mut row = vec![Sql::Integer(place)];
            row.extend(
                Column::ALL
                    .iter()
                    .map(|&column| value(event.column(column))),
            );
            let holders = vec!["?"; row.len()].join(", ");
            let insert = format!("INSERT INTO events VALUES ({holders})");
            let inserted = database.execute(&insert, rusqlite::params_from_iter(row));
            inserted.expect("the event fits");
            for (name, own) in &event.data.custom_attributes {
                let number = match own {
                    serde_json::Value::Number(number) => match number.as_i64() {
                        Some(whole) => Sql::Integer(whole),
                        None => Sql::Real(number.as_f64().expect("it is a number")),
                    },
                    _ => Sql::Null,
                };
                let text = own
                    .as_str()
                    .map_or(Sql::Null, |text| Sql::Text(text.to_owned()));
                let boolean = own
                    .as_bool()
                    .map_or(Sql::Null, |is| Sql::Integer(i64::from(is)));
                let row = [
                    Sql::Integer(place),
                    Sql::Text(name.clone()),
                    Sql::Integer(i64::from(own.is_null())),
                    text,
                    number,
                    boolean,
                ];
                let insert = "INSERT INTO attributes VALUES (?, ?, ?, ?, ?, ?)";
                let inserted = database.execute(insert, rusqlite::params_from_iter(row));
                inserted.expect("the attribute fits");
            }
        }
        Self(database)
    }

    /// The places of the events of which the condition is true.
    pub(crate) fn select(&self, expr: &Expr) -> Vec<usize> {
        let mut sql = Translation::default();
        let condition = sql.condition(expr);
        let text = format!("SELECT place FROM events WHERE {condition} ORDER BY place");
        let mut statement = self.0.prepare(&text).expect("it is SQL");
        let places = statement.query_map(rusqlite::params_from_iter(sql.parameters), |row| {
            row.get::<_, i64>(0)
        });
        let places: Result<Vec<_>, _> = places.expect("it can be asked").collect();
        let places = places.expect("it is answered").into_iter();
        places.map(|place| place as usize).collect()
    }
}

fn value(value: Option<Value<'_>>) -> Sql {
    match value {
        None => Sql::Null,
        Some(Value::Text(text)) => Sql::Text(text.into_owned()),
        Some(Value::Number(number)) => numeric(number),
        Some(Value::Boolean(boolean)) => Sql::Integer(i64::from(boolean)),
        Some(Value::Time(time)) => Sql::Integer(time.timestamp_nanos_opt().expect("it is near")),
        Some(Value::Id(id)) => Sql::Text(id.to_string()),
    }
}

fn numeric(number: Number) -> Sql {
    match number {
        Number::Integer(whole) => Sql::Integer(i64::try_from(whole).expect("it is small")),
        Number::Float(float) => Sql::Real(float),
    }
}

/// Which kind of value is compared; of an attribute each has a column of its own.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Boolean,
}

#[derive(Default)]
struct Translation {
    parameters: Vec<Sql>,
}

impl Translation {
    fn bind(&mut self, value: Sql) -> String {
        self.parameters.push(value);
        format!("?{}", self.parameters.len())
    }

    fn literal(&mut self, literal: &Literal) -> String {
        let value = match literal {
            Literal::Text(text) => Sql::Text(text.clone()),
            Literal::Number(number) => numeric(*number),
            Literal::Boolean(boolean) => Sql::Integer(i64::from(*boolean)),
            Literal::Time(time) => Sql::Integer(time.timestamp_nanos_opt().expect("it is near")),
            Literal::Id(id) => Sql::Text(id.to_string()),
        };
        self.bind(value)
    }

    /// The value of a field, as far as it is of this kind.
    fn field(&mut self, field: &Field, kind: Kind) -> String {
        match field {
            Field::Column(column) => format!("events.{}", column.name()),
            Field::Attribute(name) => {
                let name = self.bind(Sql::Text(name.clone()));
                let column = match kind {
                    Kind::Text => "text",
                    Kind::Number => "number",
                    Kind::Boolean => "boolean",
                };
                format!(
                    "(SELECT {column} FROM attributes WHERE attributes.place = events.place AND name = {name})"
                )
            }
        }
    }

    fn condition(&mut self, expr: &Expr) -> String {
        match expr {
            Expr::And(members) => self.joined(members, " AND "),
            Expr::Or(members) => self.joined(members, " OR "),
            Expr::Not(member) => format!("(NOT {})", self.condition(member)),
            Expr::Compare {
                left,
                comparison,
                right,
            } => self.comparison(left, *comparison, right),
            Expr::In { field, values } => {
                let tests = values.iter().map(|value| {
                    let field = self.field(field, kind_of(value));
                    format!("({field} = {})", self.literal(value))
                });
                // One after the other, because each has a kind of its own.
                let tests: Vec<_> = tests.collect();
                format!("({})", tests.join(" OR "))
            }
            Expr::Between { field, low, high } => {
                let from = self.field(field, kind_of(low));
                let low = self.literal(low);
                let to = self.field(field, kind_of(high));
                let high = self.literal(high);
                format!("({from} >= {low} AND {to} <= {high})")
            }
            Expr::Like { field, pattern } => {
                let field = self.field(field, Kind::Text);
                let pattern = self.bind(Sql::Text(like(pattern)));
                format!("({field} LIKE {pattern} ESCAPE '\\')")
            }
            Expr::IsNull(Field::Attribute(name)) => {
                let name = self.bind(Sql::Text(name.clone()));
                format!(
                    "(NOT EXISTS (SELECT 1 FROM attributes WHERE attributes.place = events.place AND name = {name} AND NOT is_null))"
                )
            }
            Expr::IsNull(field) => format!("({} IS NULL)", self.field(field, Kind::Text)),
        }
    }

    fn joined(&mut self, members: &[Expr], by: &str) -> String {
        let members: Vec<_> = members
            .iter()
            .map(|member| self.condition(member))
            .collect();
        format!("({})", members.join(by))
    }

    fn comparison(&mut self, left: &Operand, comparison: Comparison, right: &Operand) -> String {
        let symbol = comparison.symbol();
        let mut compare = |kind| {
            let [left, right] = [left, right].map(|side| match side {
                Operand::Field(field) => self.field(field, kind),
                Operand::Literal(literal) => self.literal(literal),
            });
            format!("({left} {symbol} {right})")
        };
        match (left, right) {
            (Operand::Literal(literal), _) | (_, Operand::Literal(literal)) => {
                compare(kind_of(literal))
            }
            (Operand::Field(one), Operand::Field(other)) => {
                let of_column = [one, other]
                    .into_iter()
                    .find_map(|field| match field.kind() {
                        ValueKind::Any => None,
                        ValueKind::Number | ValueKind::Nanoseconds | ValueKind::Bytes => {
                            Some(Kind::Number)
                        }
                        _ => Some(Kind::Text),
                    });
                match of_column {
                    Some(kind) => compare(kind),
                    // Two attributes, which are of one kind or not compared.
                    None if comparison.is_order() => {
                        format!(
                            "COALESCE({}, {})",
                            compare(Kind::Text),
                            compare(Kind::Number)
                        )
                    }
                    None => format!(
                        "COALESCE({}, {}, {})",
                        compare(Kind::Text),
                        compare(Kind::Number),
                        compare(Kind::Boolean)
                    ),
                }
            }
        }
    }
}

fn kind_of(literal: &Literal) -> Kind {
    match literal {
        Literal::Number(_) => Kind::Number,
        Literal::Boolean(_) => Kind::Boolean,
        Literal::Text(_) | Literal::Time(_) | Literal::Id(_) => Kind::Text,
    }
}

/// As SQL has it, with a backslash before what means something.
fn like(pattern: &Pattern) -> String {
    pattern.to_string()
}

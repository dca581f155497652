//! What a column may hold for its row to be looked at further, asked of statistics and of values.
//!
//! Necessary and not sufficient: whoever asks for less reads less, and has to look at what is left.

use std::cmp::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int32Type, TimestampNanosecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType, PrimitiveArray};
use arrow_schema::DataType;

use super::Place;

/// A value, as columns and their statistics have it.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// Of a column of whole numbers, or of times in nanoseconds.
    Whole(i128),
    /// Of a column of fractions.
    Float(f64),
    /// Of a column of texts, of ids or of bytes.
    Bytes(Box<[u8]>),
}

/// A value where it lies.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Seen<'a> {
    Whole(i128),
    Float(f64),
    Bytes(&'a [u8]),
}

/// The values of a column that are worth looking at.
#[derive(Clone, Debug)]
pub struct Within {
    /// Which column.
    pub place: Place,
    /// Its values, where it has one.
    pub values: Values,
    /// Also where there is none.
    pub or_null: bool,
}

/// Which values.
#[derive(Clone, Debug)]
pub enum Values {
    /// One of these.
    Among(Vec<Scalar>),
    /// From the one to the other, both included.
    Between {
        /// The least.
        low: Option<Scalar>,
        /// The greatest.
        high: Option<Scalar>,
    },
}

impl Scalar {
    /// Of a column of texts.
    pub fn text(text: &str) -> Self {
        Self::Bytes(text.as_bytes().into())
    }

    fn seen(&self) -> Seen<'_> {
        match self {
            Self::Whole(whole) => Seen::Whole(*whole),
            Self::Float(float) => Seen::Float(*float),
            Self::Bytes(bytes) => Seen::Bytes(bytes),
        }
    }
}

impl Seen<'_> {
    /// `None` where that cannot be said.
    fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => Some(one.cmp(&other)),
            (Self::Float(one), Self::Float(other)) => one.partial_cmp(&other),
            (Self::Whole(one), Self::Float(other)) => order_with_float(one, other),
            (Self::Float(one), Self::Whole(other)) => {
                order_with_float(other, one).map(Ordering::reverse)
            }
            (Self::Bytes(one), Self::Bytes(other)) => Some(one.cmp(other)),
            _ => None,
        }
    }
}

/// Exact, also where the whole number is no float.
fn order_with_float(whole: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    let has_fraction = float.fract() != 0.0;
    // The cast saturates, far beyond what the columns can hold.
    let order = whole.cmp(&(float.floor() as i128));
    Some(order.then(if has_fraction {
        Ordering::Less
    } else {
        Ordering::Equal
    }))
}

impl Values {
    /// Whether a value is one of them.
    pub(crate) fn admit(&self, value: Seen<'_>) -> bool {
        match self {
            Self::Among(among) => among
                .iter()
                .any(|one| value.order(one.seen()).is_none_or(Ordering::is_eq)),
            Self::Between { low, high } => {
                let above = low.as_ref().and_then(|low| value.order(low.seen()));
                let below = high.as_ref().and_then(|high| value.order(high.seen()));
                above.is_none_or(Ordering::is_ge) && below.is_none_or(Ordering::is_le)
            }
        }
    }

    /// Whether one of them can lie between two others, both included; where one of these is not known, it
    /// may be anything.
    pub(crate) fn touch(&self, least: Option<Seen<'_>>, greatest: Option<Seen<'_>>) -> bool {
        let lies = |low: &Scalar, high: &Scalar| {
            let above = least.and_then(|least| high.seen().order(least));
            let below = greatest.and_then(|greatest| low.seen().order(greatest));
            above.is_none_or(Ordering::is_ge) && below.is_none_or(Ordering::is_le)
        };
        match self {
            Self::Among(among) => among.iter().any(|one| lies(one, one)),
            Self::Between { low, high } => {
                let above = high
                    .as_ref()
                    .zip(least)
                    .and_then(|(high, least)| high.seen().order(least));
                let below = low
                    .as_ref()
                    .zip(greatest)
                    .and_then(|(low, greatest)| low.seen().order(greatest));
                above.is_none_or(Ordering::is_ge) && below.is_none_or(Ordering::is_le)
            }
        }
    }
}

/// Values that many rows are asked about.
///
/// A long list is put in order first, so that a row does not cost as much as the list is long.
struct Admission<'a> {
    values: &'a Values,
    in_order: InOrder<'a>,
}

/// The values of a list of one kind, in their order.
enum InOrder<'a> {
    Wholes(Vec<i128>),
    Bytes(Vec<&'a [u8]>),
    /// What is short, of several kinds, or no list.
    AsItIs,
}

/// Up to so many values are compared one after the other.
const SHORT: usize = 8;

impl<'a> Admission<'a> {
    fn new(values: &'a Values) -> Self {
        let in_order = match values {
            Values::Among(among) if among.len() > SHORT => InOrder::of(among),
            _ => InOrder::AsItIs,
        };
        Self { values, in_order }
    }

    /// As [`Values::admit`] says.
    fn admit(&self, value: Seen<'_>) -> bool {
        match (&self.in_order, value) {
            (InOrder::Wholes(wholes), Seen::Whole(whole)) => wholes.binary_search(&whole).is_ok(),
            (InOrder::Bytes(all), Seen::Bytes(bytes)) => all.binary_search(&bytes).is_ok(),
            _ => self.values.admit(value),
        }
    }
}

impl<'a> InOrder<'a> {
    fn of(among: &'a [Scalar]) -> Self {
        let wholes = among.iter().map(|one| match one {
            Scalar::Whole(whole) => Some(*whole),
            _ => None,
        });
        if let Some(mut wholes) = wholes.collect::<Option<Vec<_>>>() {
            wholes.sort_unstable();
            return Self::Wholes(wholes);
        }
        let bytes = among.iter().map(|one| match one {
            Scalar::Bytes(bytes) => Some(&**bytes),
            _ => None,
        });
        match bytes.collect::<Option<Vec<_>>>() {
            Some(mut bytes) => {
                bytes.sort_unstable();
                Self::Bytes(bytes)
            }
            None => Self::AsItIs,
        }
    }
}

impl Within {
    /// Takes out of `mask` the rows whose value is not one that is worth looking at.
    pub fn narrow(&self, array: &dyn Array, mask: &mut [bool]) {
        let values = &Admission::new(&self.values);
        match array.data_type() {
            DataType::Timestamp(..) => self.whole::<TimestampNanosecondType>(values, array, mask),
            DataType::UInt64 => self.whole::<UInt64Type>(values, array, mask),
            DataType::UInt32 => self.whole::<UInt32Type>(values, array, mask),
            DataType::UInt16 => self.whole::<UInt16Type>(values, array, mask),
            DataType::UInt8 => self.whole::<UInt8Type>(values, array, mask),
            DataType::Float32 => self.primitive::<Float32Type>(values, array, mask, |value| {
                Seen::Float(f64::from(value))
            }),
            DataType::Float64 => self.primitive::<Float64Type>(values, array, mask, Seen::Float),
            DataType::Dictionary(..) => self.dictionary(values, array, mask),
            DataType::FixedSizeBinary(_) => {
                let bytes = array.as_fixed_size_binary();
                self.each(array, mask, |at| values.admit(Seen::Bytes(bytes.value(at))));
            }
            DataType::Utf8 => {
                let texts = array.as_string::<i32>();
                self.each(array, mask, |at| {
                    values.admit(Seen::Bytes(texts.value(at).as_bytes()))
                });
            }
            // What cannot be told from here is looked at.
            _ => {}
        }
    }

    fn whole<T: ArrowPrimitiveType>(
        &self,
        values: &Admission<'_>,
        array: &dyn Array,
        mask: &mut [bool],
    ) where
        T::Native: Into<i128>,
    {
        // Numbers of 64 bits are compared as they are, which is what most of the time goes into.
        self.primitive::<T>(values, array, mask, |value| Seen::Whole(value.into()));
    }

    fn primitive<T: ArrowPrimitiveType>(
        &self,
        values: &Admission<'_>,
        array: &dyn Array,
        mask: &mut [bool],
        seen: impl Fn(T::Native) -> Seen<'static>,
    ) {
        let held: &PrimitiveArray<T> = array.as_primitive();
        self.each(array, mask, |at| values.admit(seen(held.value(at))));
    }

    /// Each different value is asked about once.
    fn dictionary(&self, values: &Admission<'_>, array: &dyn Array, mask: &mut [bool]) {
        let array = array.as_dictionary::<Int32Type>();
        let texts = array.values().as_string::<i32>();
        let admitted: Vec<bool> = (0..texts.len())
            .map(|at| texts.is_null(at) || values.admit(Seen::Bytes(texts.value(at).as_bytes())))
            .collect();
        let keys = array.keys();
        self.each(keys, mask, |at| {
            let key = usize::try_from(keys.value(at)).ok();
            key.and_then(|key| admitted.get(key))
                .copied()
                .unwrap_or(true)
        });
    }

    fn each(&self, array: &dyn Array, mask: &mut [bool], admits: impl Fn(usize) -> bool) {
        let nulls = array.nulls();
        for (at, is_left) in mask.iter_mut().enumerate().take(array.len()) {
            if *is_left {
                *is_left = if nulls.is_some_and(|nulls| nulls.is_null(at)) {
                    self.or_null
                } else {
                    admits(at)
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{StringArray, UInt64Array};
    use fastrand::Rng;

    use super::*;

    #[test]
    fn a_long_list_admits_what_its_values_admit_one_by_one() {
        let mut random = Rng::with_seed(12);
        for round in 0..400 {
            let value = |kind: u8, random: &mut Rng| match kind {
                0 => Scalar::Whole(i128::from(random.i8(-40..80))),
                1 => Scalar::text(&random.u8(0..90).to_string()),
                _ => Scalar::Float(f64::from(random.i8(..)) / 2.0),
            };
            let length = random.usize(0..60);
            let kind = random.u8(0..4);
            let values = (0..length).map(|_| {
                // Of one kind, or of all.
                let kind = if kind == 3 { random.u8(0..3) } else { kind };
                value(kind, &mut random)
            });
            let within = Within {
                place: Place::message_number,
                values: Values::Among(values.collect()),
                or_null: random.bool(),
            };
            let numbers = (0..90).map(|number| (number % 13 > 0).then_some(number));
            let numbers: UInt64Array = numbers.collect();
            let mut mask = vec![true; numbers.len()];
            within.narrow(&numbers, &mut mask);
            for (at, is_left) in mask.into_iter().enumerate() {
                let due = if numbers.is_null(at) {
                    within.or_null
                } else {
                    let number = Seen::Whole(i128::from(numbers.value(at)));
                    within.values.admit(number)
                };
                assert_eq!(is_left, due, "round {round}: {within:?}, row {at}");
            }
            let texts = (0..90).map(|number| (number % 13 > 0).then(|| number.to_string()));
            let texts: StringArray = texts.collect();
            let mut mask = vec![true; texts.len()];
            within.narrow(&texts, &mut mask);
            for (at, is_left) in mask.into_iter().enumerate() {
                let due = if texts.is_null(at) {
                    within.or_null
                } else {
                    within.values.admit(Seen::Bytes(texts.value(at).as_bytes()))
                };
                assert_eq!(is_left, due, "round {round}: {within:?}, row {at}");
            }
        }
    }
}

//! `attr(attributes, 'name')`: an attribute that the program itself has attached.

use std::sync::Arc;

use datafusion::arrow::array::builder::StringViewBuilder;
use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::{Array, StringViewArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::as_string_view_array;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Attribute {
    signature: Signature,
}

impl Attribute {
    pub(super) fn new() -> Self {
        let texts = vec![DataType::Utf8View, DataType::Utf8View];
        Self {
            signature: Signature::exact(texts, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Attribute {
    fn name(&self) -> &str {
        "attr"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [attributes, names] = arrays.as_slice() else {
            return Err(DataFusionError::Plan(
                "`attr` takes `attributes` and a name".to_owned(),
            ));
        };
        let attributes = as_string_view_array(attributes)?;
        let names: &StringViewArray = names.as_string_view();
        let mut found = StringViewBuilder::with_capacity(attributes.len());
        for at in 0..attributes.len() {
            let value = (attributes.is_valid(at) && names.is_valid(at))
                .then(|| of(attributes.value(at), names.value(at)))
                .flatten();
            found.append_option(value);
        }
        Ok(ColumnarValue::Array(Arc::new(found.finish())))
    }
}

/// The attribute as text: what stands in a JSON text, or the JSON of anything else; `None` for null.
fn of(attributes: &str, name: &str) -> Option<String> {
    let mut reader = serde_json::Deserializer::from_str(attributes);
    match Member(name).deserialize(&mut reader).ok()?? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

/// Reads one member of an object and passes over the others.
struct Member<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = Option<Value>;

    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        reader: D,
    ) -> std::result::Result<Option<Value>, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut map: A,
    ) -> std::result::Result<Option<Value>, A::Error> {
        let mut found = None;
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if name == self.0 {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_the_text_of_its_value() {
        let all = r#"{"a":"x","b":5,"c":null,"d":[1],"a b":true}"#;
        let some = |name| of(all, name);
        assert_eq!(some("a").as_deref(), Some("x"));
        assert_eq!(some("b").as_deref(), Some("5"));
        assert_eq!(some("c"), None);
        assert_eq!(some("d").as_deref(), Some("[1]"));
        assert_eq!(some("a b").as_deref(), Some("true"));
        assert_eq!(some("e"), None);
        assert_eq!(of("no object", "e"), None);
    }
}

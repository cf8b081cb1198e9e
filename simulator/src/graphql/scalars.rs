//! Linear's own scalars.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};

use crate::stamp::{iso, parse_iso};

/// A moment; milliseconds inside, ISO 8601 outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DateTime(pub i64);

#[Scalar]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => parse_iso(text)
                .map(DateTime)
                .ok_or_else(|| InputValueError::custom("not an ISO 8601 date-time")),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(iso(self.0))
    }
}

/// A day without a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimelessDate(pub String);

#[Scalar]
impl ScalarType for TimelessDate {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(TimelessDate(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// An object of any shape; empty unless something was put in.
#[derive(Clone, Debug, Default)]
pub struct JsonObject(pub serde_json::Map<String, serde_json::Value>);

#[Scalar(name = "JSONObject")]
impl ScalarType for JsonObject {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value.into_json()? {
            serde_json::Value::Object(fields) => Ok(JsonObject(fields)),
            _ => Err(InputValueError::custom("not an object")),
        }
    }

    fn to_value(&self) -> Value {
        Value::from_json(serde_json::Value::Object(self.0.clone())).unwrap_or_default()
    }
}

/// Anything JSON can say.
#[derive(Clone, Debug)]
pub struct Json(pub serde_json::Value);

#[Scalar(name = "JSON")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Json(value.into_json()?))
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or_default()
    }
}

//! A JSON object as a row.

use std::fmt;
use std::sync::Arc;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{Cell, Header, Row};
use crate::{Error, Location, Result};

/// The fields of an object in their order.
struct Fields(Vec<(String, Cell)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        match raw.get() {
            "null" => Ok(Self::Null),
            text if text.starts_with('"') => unescaped(text)
                .map(Self::Text)
                .ok_or_else(|| D::Error::custom("half of a character in an escape, as `\\ud83d` is alone")),
            nested if nested.starts_with(['[', '{']) => Ok(Self::Nested(nested.to_owned())),
            plain => Ok(Self::Plain(plain.to_owned())),
        }
    }
}

/// What a JSON string says, which is known to be valid JSON: what is around it was looked through once, so it need not be looked
/// through again. `None` where half of a character stands alone.
fn unescaped(string: &str) -> Option<String> {
    let mut rest = string.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = String::with_capacity(rest.len());
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (before, escape) = rest.split_at(at);
        let (character, length) = match escape.as_bytes().get(1)? {
            b'n' => ('\n', 2),
            b't' => ('\t', 2),
            b'r' => ('\r', 2),
            b'b' => ('\u{8}', 2),
            b'f' => ('\u{c}', 2),
            b'u' => of_units(escape)?,
            itself => (char::from(*itself), 2),
        };
        text.push_str(before);
        text.push(character);
        rest = escape.get(length..)?;
    }
    text.push_str(rest);
    Some(text)
}

/// The character that one or two units of UTF-16 stand for, each written as `\u12ab`, and how long that is.
fn of_units(escapes: &str) -> Option<(char, usize)> {
    const LENGTH: usize = 6;
    let unit = |at: usize| u16::from_str_radix(escapes.get(at..at + LENGTH)?.strip_prefix("\\u")?, 16).ok();
    let character = char::decode_utf16([0, LENGTH].into_iter().map_while(unit)).next()?.ok()?;
    Some((character, LENGTH * character.len_utf16()))
}

/// Makes rows of objects; those with the same keys share a header.
pub(crate) struct Objects {
    pub path: String,
    last: Option<Arc<Header>>,
}

impl Objects {
    pub fn new(path: &str) -> Self {
        Self { path: path.to_owned(), last: None }
    }

    /// The row that `json`, which begins on `line`, is.
    pub fn row(&mut self, json: &str, line: u64) -> Result<Row> {
        let Fields(fields) = serde_json::from_str(json).map_err(|error| self.broken(json, line, &error))?;
        let same = |header: &Arc<Header>| fields.iter().map(|(name, _)| name).eq(&header.names);
        let (names, cells): (Vec<String>, Vec<Cell>) = match self.last.as_ref().filter(|header| same(header)) {
            Some(header) => {
                let cells = fields.into_iter().map(|(_, cell)| cell).collect();
                return Ok(Row { header: header.clone(), line, number: line, cells });
            }
            None => fields.into_iter().unzip(),
        };
        let header = Arc::new(Header { path: self.path.clone(), line: None, names });
        header.check_names(Location::line(self.path.clone(), line))?;
        self.last = Some(header.clone());
        Ok(Row { header, line, number: line, cells })
    }

    fn broken(&self, json: &str, line: u64, error: &serde_json::Error) -> Error {
        let inside = json.lines().nth(error.line().saturating_sub(1)).unwrap_or(json);
        let before = inside.get(..error.column().saturating_sub(1)).unwrap_or(inside);
        let column = before.chars().count() as u64 + 1;
        let whole = error.to_string();
        let message = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(message, _)| message);
        let found = match error.classify() {
            serde_json::error::Category::Data => {
                message.strip_suffix(", expected an object").unwrap_or(message).replace("invalid type: ", "")
            }
            _ => format!("broken JSON ({message})"),
        };
        let line = line + error.line().saturating_sub(1) as u64;
        Error::format(Location::line(self.path.clone(), line).at_column(column), found, "a JSON object")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn strings_say_what_serde_json_reads(
            string in r#""([ a-z0-9é漢🇵🇱/]|\\["\\/bfnrt]|\\u(00[0-9a-fA-F]{2}|20[12][0-9]|d83c\\udd(f5|F1)|[dD][89cCdD][0-9a-f]{2})){0,8}""#,
        ) {
            proptest::prop_assert_eq!(unescaped(&string), serde_json::from_str(&string).ok());
        }
    }
}

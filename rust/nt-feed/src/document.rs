//! A JSON document as a tree, for descriptions that are read once.

use std::borrow::Cow;

use crate::json::Scan;
use crate::malformed::{Malformed, MalformedKind};

/// Lists and objects inside one another, at most; reading is recursive.
const DEPTH_MAX: usize = 32;

/// A value. Numbers keep their text, because they are decimals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A text without quotes, a number, true, false or null.
    Scalar(Cow<'a, str>),
    /// A list.
    List(Vec<Value<'a>>),
    /// An object with its keys in their order.
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
}

impl<'a> Value<'a> {
    /// Reads a whole document.
    pub fn read(document: &'a [u8]) -> Result<Self, Malformed> {
        let mut scan = Scan::new(document);
        let value = read(&mut scan, 0)?;
        scan.end()?;
        Ok(value)
    }

    /// The value of a key of an object.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        match self {
            Self::Object(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a key of an object.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Self::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list; of anything else none.
    pub fn items(&self) -> &[Value<'a>] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The entries of an object; of anything else none.
    pub fn entries(&self) -> &[(Cow<'a, str>, Value<'a>)] {
        match self {
            Self::Object(entries) => entries,
            _ => &[],
        }
    }
}

fn read<'a>(scan: &mut Scan<'a>, depth: usize) -> Result<Value<'a>, Malformed> {
    if depth > DEPTH_MAX {
        return Err(Malformed::at(MalformedKind::TooDeep, scan.offset()));
    }
    let mut first = true;
    match scan.peek() {
        Some(b'[') => {
            scan.expect(b'[')?;
            let mut items = Vec::new();
            while scan.item(&mut first)? {
                items.push(read(scan, depth + 1)?);
            }
            Ok(Value::List(items))
        }
        Some(b'{') => {
            scan.expect(b'{')?;
            let mut entries = Vec::new();
            while let Some(key) = scan.key(&mut first)? {
                let name = unescaped(key, scan.offset())?;
                entries.push((name, read(scan, depth + 1)?));
            }
            Ok(Value::Object(entries))
        }
        _ => {
            let token = scan.token()?;
            Ok(Value::Scalar(unescaped(token.text, token.at)?))
        }
    }
}

/// The text of a string; venues escape slashes (`"AAVE\/AUD"`) and now and then a letter.
fn unescaped(text: &[u8], offset: usize) -> Result<Cow<'_, str>, Malformed> {
    let wrong = Malformed::at(MalformedKind::UnexpectedByte, offset);
    let text = std::str::from_utf8(text).map_err(|_| wrong)?;
    if !text.contains('\\') {
        return Ok(Cow::Borrowed(text));
    }
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        plain.push(match letters.next().ok_or(wrong)? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                let code: String = letters.by_ref().take(4).collect();
                let code = u32::from_str_radix(&code, 16).map_err(|_| wrong)?;
                // Halves of surrogate pairs name no instrument.
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            other @ ('"' | '\\' | '/') => other,
            _ => return Err(wrong),
        });
    }
    Ok(Cow::Owned(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_text_and_escapes_are_resolved() {
        let found = Value::read(br#"{"a":[1e-08,null,{"b":"AAVE\/AUD \u00e9"}]}"#).unwrap();
        let items = found.get("a").unwrap().items();
        assert_eq!(items[0], Value::Scalar("1e-08".into()));
        assert_eq!(items[2].text("b"), Some("AAVE/AUD é"));
    }

    #[test]
    fn a_document_nested_without_end_is_refused() {
        let deep = "[".repeat(50_000);
        assert_eq!(Value::read(deep.as_bytes()).unwrap_err().kind, MalformedKind::TooDeep);
        assert!(Value::read(b"{\"a\":\"\\x\"}").is_err());
    }
}

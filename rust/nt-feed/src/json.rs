//! A cursor over the bytes of a JSON message that hands out slices of it and never copies or recurses.

use nt_book::PRICE_MAX;
use nt_core::Step;

use crate::counting::{Plain, Shape, count_of, on_step, plain};
use crate::malformed::{Malformed, MalformedKind};

/// Deeper than any message of a venue.
const DEPTH_MAX: u32 = 64;

/// A price and a quantity as they are written.
type Pair = (Plain, Plain);

/// A text or number of the message without its quotes, and where it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// The bytes; escapes are left as they are.
    pub text: &'a [u8],
    /// The offset of the first byte.
    pub at: usize,
}

impl Token<'_> {
    /// The fault of this token.
    pub fn wrong(&self, kind: MalformedKind) -> Malformed {
        Malformed::at(kind, self.at)
    }

    /// A price in ticks; a price is above zero.
    pub fn price(&self, tick: Step) -> Result<i64, Malformed> {
        let count = count_of(self.text, tick).map_err(|kind| self.wrong(kind))?;
        checked_price(count).map_err(|kind| self.wrong(kind))
    }

    /// A quantity in lots, zero or more.
    pub fn quantity(&self, lot: Step) -> Result<i64, Malformed> {
        match count_of(self.text, lot).map_err(|kind| self.wrong(kind))? {
            count if count >= 0 => Ok(count),
            _ => Err(self.wrong(MalformedKind::NotPositive)),
        }
    }

    /// An unsigned integer, such as an id.
    pub fn unsigned(&self) -> Result<u64, Malformed> {
        let mut value = 0_u64;
        for byte in self.text {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return Err(self.wrong(MalformedKind::NotADecimal));
            }
            let next = value.checked_mul(10).and_then(|value| value.checked_add(u64::from(digit)));
            value = next.ok_or(self.wrong(MalformedKind::OutOfRange))?;
        }
        if self.text.is_empty() { Err(self.wrong(MalformedKind::NotADecimal)) } else { Ok(value) }
    }

    /// `true` or `false`.
    pub fn boolean(&self) -> Result<bool, Malformed> {
        match self.text {
            b"true" => Ok(true),
            b"false" => Ok(false),
            _ => Err(self.wrong(MalformedKind::UnknownWord)),
        }
    }
}

/// A price that books can hold.
#[inline]
fn checked_price(count: i64) -> Result<i64, MalformedKind> {
    match count {
        1..=PRICE_MAX => Ok(count),
        ..=0 => Err(MalformedKind::NotPositive),
        _ => Err(MalformedKind::OutOfRange),
    }
}

/// The value of a field that the message must have.
pub fn required<T>(field: Option<T>, name: &'static str) -> Result<T, Malformed> {
    field.ok_or(Malformed::at(MalformedKind::MissingField(name), 0))
}

/// The cursor.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    /// A cursor before the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The same message, read from another offset.
    pub fn at(&self, offset: usize) -> Self {
        Self { bytes: self.bytes, at: offset }
    }

    /// The offset of the next byte.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// The bytes from an offset to the next byte.
    pub fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    #[cold]
    fn stop(&self, kind: MalformedKind) -> Malformed {
        let kind = if self.at >= self.bytes.len() { MalformedKind::UnexpectedEnd } else { kind };
        Malformed::at(kind, self.at.min(self.bytes.len()))
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// The next byte that is no space.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Passes one byte of the grammar.
    #[inline]
    pub fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.take(byte) { Ok(()) } else { Err(self.stop(MalformedKind::UnexpectedByte)) }
    }

    /// Ends the message: only spaces may follow.
    pub fn end(&mut self) -> Result<(), Malformed> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.stop(MalformedKind::TrailingBytes)),
        }
    }

    /// The next key of an object whose brace was passed, up to its colon; `None` behind the closing brace.
    #[inline]
    pub fn key(&mut self, first: &mut bool) -> Result<Option<&'a [u8]>, Malformed> {
        if self.take(b'}') {
            // A brace behind a comma is not JSON, but nothing that it could mean differs.
            return Ok(None);
        }
        if !std::mem::take(first) {
            self.expect(b',')?;
        }
        let key = self.quoted()?;
        self.expect(b':')?;
        Ok(Some(key))
    }

    /// Whether another item follows in a list whose bracket was passed; the closing bracket is passed too.
    #[inline]
    pub fn item(&mut self, first: &mut bool) -> Result<bool, Malformed> {
        if self.take(b']') {
            return Ok(false);
        }
        if !std::mem::take(first) {
            self.expect(b',')?;
        }
        Ok(true)
    }

    #[inline]
    fn quoted(&mut self) -> Result<&'a [u8], Malformed> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(0..=0x1f) => return Err(self.stop(MalformedKind::UnexpectedByte)),
                Some(_) => self.at += 1,
                None => return Err(self.stop(MalformedKind::UnexpectedEnd)),
            }
        }
        self.at += 1;
        Ok(&self.bytes[start..self.at - 1])
    }

    /// A text, a number, or one of the words true, false and null, quoted or not.
    #[inline]
    pub fn token(&mut self) -> Result<Token<'a>, Malformed> {
        if self.peek() == Some(b'"') {
            let at = self.at + 1;
            return Ok(Token { text: self.quoted()?, at });
        }
        let start = self.at;
        while let Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'-' | b'.') = self.bytes.get(self.at) {
            self.at += 1;
        }
        let text = &self.bytes[start..self.at];
        let known = match text.first() {
            Some(b'0'..=b'9' | b'-') => true,
            _ => matches!(text, b"true" | b"false" | b"null"),
        };
        if known {
            Ok(Token { text, at: start })
        } else {
            self.at = start;
            Err(self.stop(MalformedKind::UnexpectedByte))
        }
    }

    /// A decimal, quoted or not, as a count of steps.
    #[inline]
    fn count(&mut self, step: Step) -> Result<i64, Malformed> {
        let quoted = self.peek() == Some(b'"');
        let start = self.at + usize::from(quoted);
        if let Some(found) = plain(self.bytes, start) {
            let closed = match self.bytes.get(found.end) {
                Some(b'"') => quoted,
                Some(b',' | b']' | b'}') => !quoted,
                _ => false,
            };
            if closed {
                self.at = found.end + usize::from(quoted);
                return on_step(found.mantissa as i64, found.decimals, step).map_err(|kind| Malformed::at(kind, start));
            }
        }
        let token = self.token()?;
        count_of(token.text, step).map_err(|kind| token.wrong(kind))
    }

    /// Levels as Binance and the older Coinbase feed write them, `["61837.63000000","1.60520000"]`, one behind the other
    /// and read without looking for spaces, up to one that is written otherwise or is wrong. Returns whether there was
    /// one. `shapes` are those of the level before, which most levels share.
    #[inline]
    pub fn tight_pairs(
        &mut self,
        shapes: &mut Option<[Shape; 2]>,
        (tick, lot): (Step, Step),
        mut each: impl FnMut(i64, i64),
    ) -> bool {
        let start = self.at;
        // Kept apart from the cursor, so that it stays in a register.
        let (mut at, mut latest) = (start, *shapes);
        while let Some((price, quantity)) = self.tight_pair(at, &mut latest) {
            let ticks = on_step(price.mantissa as i64, price.decimals, tick).and_then(checked_price);
            let lots = on_step(quantity.mantissa as i64, quantity.decimals, lot);
            let (Ok(ticks), Ok(lots)) = (ticks, lots) else { break };
            each(ticks, lots);
            self.at = quantity.end + 2;
            at = self.at + 1;
            if self.bytes.get(self.at) != Some(&b',') {
                break;
            }
        }
        *shapes = latest;
        self.at > start
    }

    #[inline]
    fn tight_pair(&self, at: usize, shapes: &mut Option<[Shape; 2]>) -> Option<Pair> {
        if self.bytes.get(at..at + 2)? != b"[\"" {
            return None;
        }
        if let Some(pair) = shapes.and_then(|shapes| self.pair_like(at + 2, shapes)) {
            return Some(pair);
        }
        let (pair, found) = self.pair(at + 2)?;
        *shapes = found;
        Some(pair)
    }

    /// Two quoted decimals of known shapes, from the first digit up to the closing bracket.
    #[inline]
    fn pair_like(&self, start: usize, [price, quantity]: [Shape; 2]) -> Option<Pair> {
        let price_end = start + price.length();
        let quantity_end = price_end + 3 + quantity.length();
        if self.bytes.get(price_end..price_end + 3)? != b"\",\""
            || self.bytes.get(quantity_end..quantity_end + 2)? != b"\"]"
        {
            return None;
        }
        Some((price.read(self.bytes, start)?, quantity.read(self.bytes, price_end + 3)?))
    }

    /// Two quoted decimals, and the shapes to read the next ones by.
    #[inline(never)]
    fn pair(&self, start: usize) -> Option<(Pair, Option<[Shape; 2]>)> {
        let price = plain(self.bytes, start)?;
        if self.bytes.get(price.end..price.end + 3)? != b"\",\"" {
            return None;
        }
        let quantity = plain(self.bytes, price.end + 3)?;
        if self.bytes.get(quantity.end..quantity.end + 2)? != b"\"]" {
            return None;
        }
        let shapes = Shape::of(start, &price).zip(Shape::of(price.end + 3, &quantity));
        Some(((price, quantity), shapes.map(|(price, quantity)| [price, quantity])))
    }

    /// A price in ticks, above zero.
    #[inline]
    pub fn price(&mut self, tick: Step) -> Result<i64, Malformed> {
        let start = self.at;
        checked_price(self.count(tick)?).map_err(|kind| Malformed::at(kind, start))
    }

    /// A quantity in lots, zero or more.
    #[inline]
    pub fn quantity(&mut self, lot: Step) -> Result<i64, Malformed> {
        let start = self.at;
        match self.count(lot)? {
            count if count >= 0 => Ok(count),
            _ => Err(Malformed::at(MalformedKind::NotPositive, start)),
        }
    }

    /// Passes a value of any kind and returns where it began.
    pub fn skip(&mut self) -> Result<usize, Malformed> {
        let _ = self.peek();
        let start = self.at;
        // One bit per open bracket, set for a brace, and a number of them: no stack to overflow.
        let (mut braces, mut depth) = (0_u64, 0_u32);
        loop {
            match self.peek() {
                Some(byte @ (b'{' | b'[')) => {
                    if depth == DEPTH_MAX {
                        return Err(self.stop(MalformedKind::TooDeep));
                    }
                    braces = braces << 1 | u64::from(byte == b'{');
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                Some(byte @ (b'}' | b']')) if depth > 0 && (braces & 1 == 1) == (byte == b'}') => {
                    braces >>= 1;
                    depth -= 1;
                    self.at += 1;
                }
                Some(b',' | b':') if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                _ => {
                    self.token()?;
                }
            }
            if depth == 0 {
                return Ok(start);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_and_values_come_as_slices_whatever_the_spacing() {
        for text in [
            r#"{"a":"x\"y","b":[1,{"c":null}],"d":-1.5e3}"#,
            " { \"a\" : \"x\\\"y\" ,\n\"b\":[ 1 , {} ],\"d\": -1.5e3 } ",
        ] {
            let mut scan = Scan::new(text.as_bytes());
            scan.expect(b'{').unwrap();
            let mut first = true;
            assert_eq!(scan.key(&mut first).unwrap(), Some(b"a".as_slice()));
            assert_eq!(scan.token().unwrap().text, br#"x\"y"#);
            assert_eq!(scan.key(&mut first).unwrap(), Some(b"b".as_slice()));
            scan.skip().unwrap();
            assert_eq!(scan.key(&mut first).unwrap(), Some(b"d".as_slice()));
            assert_eq!(scan.token().unwrap().text, b"-1.5e3");
            assert_eq!(scan.key(&mut first).unwrap(), None);
            scan.end().unwrap();
        }
    }

    #[test]
    fn a_value_that_is_cut_crossed_or_nested_without_end_is_refused_with_its_offset() {
        let wrong = |text: &[u8]| Scan::new(text).skip().unwrap_err();
        assert_eq!(wrong(b"[1,2"), Malformed::at(MalformedKind::UnexpectedEnd, 4));
        assert_eq!(wrong(b"[1}"), Malformed::at(MalformedKind::UnexpectedByte, 2));
        assert_eq!(wrong(b"\"abc\\"), Malformed::at(MalformedKind::UnexpectedEnd, 5));
        assert_eq!(wrong(&[b'['; 100_000]).kind, MalformedKind::TooDeep);
        assert_eq!(wrong(b"nope"), Malformed::at(MalformedKind::UnexpectedByte, 0));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_cursor_panic_or_leave_the_message(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut scan = Scan::new(&bytes);
            while scan.skip().is_ok() && scan.offset() < bytes.len() {}
            prop_assert!(scan.offset() <= bytes.len() + 1);
        }

        #[test]
        fn no_jumble_of_json_makes_the_cursor_panic(text in r#"[\[\]{}",:\\0-9.e\- a]{0,120}"#) {
            let mut scan = Scan::new(text.as_bytes());
            let _ = scan.skip();
            let mut scan = Scan::new(text.as_bytes());
            let _ = scan.price(Step { mantissa: 1, decimals: 2 });
        }
    }
}

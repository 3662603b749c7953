//! JSON as all commands write it: one object on one line, harmless to whoever shows it.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::diagnostics::{Failure, unless_secret};
use crate::exit::Exit;
use crate::input::Origin;
use crate::printable::is_harmful;

/// The number in `schema`; a change that breaks readers raises it.
pub(crate) const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Unreadable<'a> {
    schema: u32,
    file: &'a str,
    message: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signatures: Option<[(); 0]>,
    error: &'a str,
    remedy: Option<&'a str>,
    exit: u8,
}

/// Writes why there is nothing to be found, with an empty list where signatures are listed.
pub(crate) fn unreadable(
    out: &mut impl Write,
    origin: &Origin,
    failure: &Failure,
    lists_signatures: bool,
) -> io::Result<()> {
    let unreadable = Unreadable {
        schema: SCHEMA,
        file: unless_secret(&origin.file),
        message: origin.number,
        // What was read and is no message bears no signature.
        signatures: (lists_signatures && failure.exit == Exit::Data).then_some([]),
        error: &failure.what,
        remedy: failure.remedy.as_deref(),
        exit: failure.exit.code(),
    };
    line(out, &unreadable)
}

/// Writes an object on one line.
pub(crate) fn line(out: &mut impl Write, object: &impl Serialize) -> io::Result<()> {
    let mut text = Vec::new();
    object.serialize(&mut Serializer::with_formatter(&mut text, Harmless))?;
    text.push(b'\n');
    out.write_all(&text)
}

/// JSON in which what could steer a terminal is written as `\u009b`.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for c in fragment.chars() {
            if is_harmful(c) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            } else {
                write!(out, "{c}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_harmless_and_read_back() {
        let text = "a\u{1b}\"\\\n\u{9b}\u{202e}\u{e0041}\u{fc}";
        let mut out = Vec::new();
        line(&mut out, &text).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out, "\"a\\u001b\\\"\\\\\\n\\u009b\\u202e\\udb40\\udc41\u{fc}\"\n");
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
    }
}

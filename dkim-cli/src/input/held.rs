//! Messages held as a whole, to be compared.

use std::path::Path;

use dkim_stack::Signature;
use dkim_stack::message::Header;

use super::{LineEnds, Message, Origin, open_message, refuse_mbox};
use crate::diagnostics::{Failure, note};
use crate::exit::Exit;

/// A message held as a whole, in transit form.
pub(crate) struct Held {
    /// The header and the empty line after it, in which there may be a defect, too.
    pub(crate) header: Vec<u8>,
    pub(crate) body: Vec<u8>,
    /// As they were.
    pub(crate) line_ends: LineEnds,
}

impl Held {
    /// Reads two messages, of which standard input can be one.
    pub(crate) fn read_two(first: &Path, second: &Path) -> Result<(Self, Self), Failure> {
        if [first, second] == [Path::new("-"); 2] {
            return Err(Failure::new(Exit::Usage, "`-` stands twice, and can be one message only")
                .remedy("put one of them into a file, and name that"));
        }
        Ok((Self::read(first)?, Self::read(second)?))
    }

    /// Reads a file, or standard input for `-`.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let origin = Origin::of(path);
        let read = || -> Result<Self, Failure> {
            let mut octets = open_message(path)?;
            let mut message = Message::open(&mut octets)?;
            refuse_mbox(message.header().octets())?;
            if message.line_ends == LineEnds::Lf {
                note(&origin, "lines end with LF; read as CRLF");
            }
            let body = message.whole_body()?;
            let line_ends = message.line_ends;
            Ok(Self { header: message.into_header(), body, line_ends })
        };
        read().map_err(|failure| failure.on(&origin))
    }

    /// The DKIM-Signature fields that can be read, by their positions.
    pub(crate) fn signatures(&self) -> Vec<(usize, Signature)> {
        let header = Header::parse(&self.header);
        let signatures = header.fields().named(Signature::FIELD_NAME);
        signatures
            .filter_map(|(position, field)| Some((position, Signature::parse(field.body()).ok()?)))
            .collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;

    /// A line end of another kind behind the header is as much a defect as in it.
    #[test]
    fn the_empty_line_belongs_to_the_header() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mail.eml");
        for (empty_line, is_well_formed) in [("\r\n", true), ("\n", false)] {
            fs::write(&path, format!("A: b\r\nC: d\r\n{empty_line}Hi.\r\n")).unwrap();
            let held = Held::read(&path).unwrap();
            assert_eq!(held.header, format!("A: b\r\nC: d\r\n{empty_line}").as_bytes());
            assert_eq!(held.body, b"Hi.\r\n");
            assert_eq!(Header::parse(&held.header).defects().is_empty(), is_well_formed);
        }
    }
}

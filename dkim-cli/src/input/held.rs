//! Messages held as a whole, to be compared.

use std::path::Path;

use dkim_stack::Signature;
use dkim_stack::message::Header;

use super::{LineEnds, Message, Origin, open_file};
use crate::diagnostics::{Failure, note};

/// A message held as a whole.
pub(crate) struct Held {
    pub(crate) header: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

impl Held {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let origin = Origin::of(path);
        let read = || -> Result<Self, Failure> {
            let mut file = open_file(path)?;
            let mut message = Message::open(&mut file)?;
            if message.line_ends == LineEnds::Lf {
                note(&origin, "lines end with LF; read as CRLF");
            }
            let body = message.whole_body()?;
            Ok(Self { header: message.header().octets().to_vec(), body })
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

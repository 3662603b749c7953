//! The message that a report is about, or what of it is sent back.

use dkim_message::Header;

/// The third part of a report (RFC 6591 §3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "closed by RFC 5965 §2 d")]
pub enum Original {
    /// Its header alone, `text/rfc822-headers`.
    Header(Vec<u8>),
    /// All of it, `message/rfc822`.
    Message(Vec<u8>),
}

impl Original {
    /// The header of a message, "the entire header block".
    #[must_use]
    pub fn of_header(header: &Header<'_>) -> Self {
        Self::Header(header.octets().to_vec())
    }

    /// The octets of the header, and of the body if it is there.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        match self {
            Self::Header(octets) | Self::Message(octets) => octets,
        }
    }

    /// The header, split into fields.
    #[must_use]
    pub fn header(&self) -> Header<'_> {
        dkim_message::split(self.octets()).0
    }
}

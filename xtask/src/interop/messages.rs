//! The messages that are exchanged, and what happens to them on the way.

use super::peer::Peer;

/// A message to sign.
pub(super) struct Message {
    pub(super) title: &'static str,
    header: &'static str,
    body: &'static [u8],
}

const PLAIN: &str = "From: Alice <alice@example.com>\r\nTo: Bob <bob@example.net>,\r\n\tCarol\r\n \
    <carol@example.net>\r\nSubject: a  report on \tblanks\r\nDate: Tue, 14 Nov 2023 22:13:20 \
    +0000\r\n";

/// Field names and first blanks of every kind.
const ODD: &str = "FROM:Alice <alice@example.com>\r\nto: \t Bob <bob@example.net> \t\r\n\
    Subject:\r\n  folded at once  \r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n";

const TEXT: &[u8] = b"Hello Bob,\r\n\r\nas agreed.\r\n";

pub(super) const NO_FINAL_LINE_END: &str = "no final line end";
const MANY_LINES: &[[u8; 7]] = &[*b"line \r\n"; 2000];

pub(super) const MESSAGES: [Message; 10] = [
    Message { title: "plain text", header: PLAIN, body: TEXT },
    Message { title: "odd fields", header: ODD, body: TEXT },
    Message { title: "empty body", header: PLAIN, body: b"" },
    Message { title: "empty lines only", header: PLAIN, body: b"\r\n\r\n\r\n" },
    Message { title: "empty lines at the end", header: PLAIN, body: b"Hello\r\n\r\n\r\n\r\n" },
    Message {
        title: "white space",
        header: PLAIN,
        body: b" a \t b  \r\n\tc\t\r\n\r\nd\r\n \r\n\t\r\n",
    },
    Message { title: NO_FINAL_LINE_END, header: PLAIN, body: b"Hello\r\nBob" },
    Message { title: "8-bit", header: PLAIN, body: b"Gr\xc3\xbc\xc3\x9fe \xff\xa0\r\n" },
    Message { title: "dots", header: PLAIN, body: b".\r\n..\r\n.Hello\r\n" },
    Message { title: "many lines", header: PLAIN, body: MANY_LINES.as_flattened() },
];

/// What happens to a signed message.
pub(super) struct Damage {
    pub(super) title: &'static str,
    what: &'static str,
    with: &'static str,
    /// The canonicalization that forgives it, and in which part: `header` or `body`.
    forgiven: Option<Part>,
}

#[derive(Clone, Copy)]
enum Part {
    Header,
    Body,
}

/// What happens to the message of plain text.
const DAMAGES: [Damage; 5] = [
    Damage {
        title: "a word of Subject changed",
        what: "a  report",
        with: "no report",
        forgiven: None,
    },
    Damage { title: "a word of the body changed", what: "agreed", with: "denied", forgiven: None },
    Damage {
        title: "blanks added to Subject",
        what: "a  report",
        with: "a \t  report",
        forgiven: Some(Part::Header),
    },
    Damage {
        title: "blanks added to the body",
        what: "as agreed.",
        with: "as   agreed.  ",
        forgiven: Some(Part::Body),
    },
    Damage {
        title: "a line added",
        what: "agreed.\r\n",
        with: "agreed.\r\n--\r\n",
        forgiven: None,
    },
];

impl Message {
    pub(super) fn octets(&self) -> Vec<u8> {
        [self.header.as_bytes(), b"\r\n", self.body].concat()
    }

    /// Whether it can be exchanged with a peer in this form.
    pub(super) fn suits(&self, peer: &dyn Peer, form: &str) -> bool {
        self.header != ODD || peer.keeps_first_blanks() || form.starts_with("relaxed/")
    }

    /// The signed message as it is, and with every damage that may happen to it.
    pub(super) fn with_damages(
        &self,
        signed: &[u8],
    ) -> impl Iterator<Item = (Option<&'static Damage>, Vec<u8>)> {
        let damages: &'static [Damage] = match (self.header == PLAIN, self.body == TEXT) {
            (true, true) => &DAMAGES,
            _ => &[],
        };
        let damaged =
            damages.iter().filter_map(|damage| Some((Some(damage), damage.do_to(signed)?)));
        std::iter::once((None, signed.to_vec())).chain(damaged.collect::<Vec<_>>())
    }
}

impl Damage {
    /// Whether a signature survives it.
    pub(super) fn is_forgiven(&self, form: &str) -> bool {
        match self.forgiven {
            None => false,
            Some(Part::Header) => form.starts_with("relaxed/"),
            Some(Part::Body) => form.ends_with("/relaxed"),
        }
    }

    /// Whether it is white space only that comes and goes within a line.
    pub(super) fn is_white_space(&self) -> bool {
        self.forgiven.is_some()
    }

    fn do_to(&self, message: &[u8]) -> Option<Vec<u8>> {
        let at = message.windows(self.what.len()).position(|octets| octets == self.what.as_bytes());
        let at = at?;
        let mut damaged = message.to_vec();
        damaged.splice(at..at + self.what.len(), self.with.bytes());
        Some(damaged)
    }
}

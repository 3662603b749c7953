//! Where the header ends and the body begins.

use memchr::memchr_iter;

use crate::Header;

/// Splits a message into its header and its body at the first empty line (RFC 5322 §2.1).
///
/// A message without an empty line is all header and its body is empty.
///
/// ```
/// let (header, body) = dkim_message::split(b"From: joe@example.com\r\n\r\nHi.\r\n");
/// assert!(header.fields().get(0).is_some_and(|field| field.is("from")));
/// assert_eq!(body, b"Hi.\r\n");
/// ```
#[must_use]
pub fn split(message: &[u8]) -> (Header<'_>, &[u8]) {
    Header::parse_prefix(message)
}

/// Splits a message that comes in pieces: it keeps the header and hands back the body.
///
/// ```
/// use dkim_message::Splitter;
///
/// let mut splitter = Splitter::new(1024);
/// assert_eq!(splitter.push(b"From: joe@example.com\r\n\r")?, None);
/// assert_eq!(splitter.push(b"\nHi.\r\n")?, Some(&b"Hi.\r\n"[..]));
/// assert_eq!(splitter.header().fields().len(), 1);
/// # Ok::<(), dkim_message::HeaderTooLong>(())
/// ```
#[derive(Clone, Debug)]
pub struct Splitter {
    octets: Vec<u8>,
    line_start: usize,
    limit: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    InHeader,
    InBody,
    TooLong,
}

impl Splitter {
    /// A splitter for a header of at most `limit` octets, not counting the empty line that ends it, nor
    /// a CR that may be the beginning of that for as long as nothing has come behind it.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { octets: Vec::new(), line_start: 0, limit, state: State::InHeader }
    }

    /// Takes the next octets of the message. Once the header has ended, returns those of them that
    /// belong to the body; `None` while it has not.
    ///
    /// # Errors
    ///
    /// When the header is longer than the limit, now and whenever more of the message is pushed.
    /// [`header`](Self::header) is then its beginning, longer than the limit by an octet: a verifier
    /// with the same limit has a result for each signature in it, and refuses all of them.
    pub fn push<'c>(&mut self, chunk: &'c [u8]) -> Result<Option<&'c [u8]>, HeaderTooLong> {
        match self.state {
            State::InHeader => {}
            State::InBody => return Ok(Some(chunk)),
            State::TooLong => return Err(HeaderTooLong { limit: self.limit }),
        }
        let before = self.octets.len();
        for lf in memchr_iter(b'\n', chunk) {
            let line = (before + lf).saturating_sub(self.line_start);
            let last = match lf.checked_sub(1) {
                Some(at) => chunk.get(at),
                None => self.octets.last(),
            };
            if line == 0 || (line == 1 && last == Some(&b'\r')) {
                self.state = State::InBody;
                let (header, body) = chunk.split_at_checked(lf + 1).unwrap_or((chunk, &[]));
                self.take(header)?;
                return Ok(Some(body));
            }
            self.line_start = before + lf + 1;
        }
        self.take(chunk)?;
        Ok(None)
    }

    /// The header read so far; the whole of it once [`push`](Self::push) returned body octets or
    /// the message has ended.
    #[must_use]
    pub fn header(&self) -> Header<'_> {
        Header::parse(&self.octets)
    }

    fn take(&mut self, octets: &[u8]) -> Result<(), HeaderTooLong> {
        let read = self.octets.len() + octets.len();
        let last_line = read.saturating_sub(self.line_start);
        // What may be the empty line, or its beginning, is not counted until it is known.
        let may_be_empty = self.state == State::InBody
            || last_line == 0
            || last_line == 1 && octets.last().or(self.octets.last()) == Some(&b'\r');
        let length = if may_be_empty { self.line_start } else { read };
        if length > self.limit {
            let room = self.limit.saturating_add(1).saturating_sub(self.octets.len());
            self.octets.extend_from_slice(octets.get(..room).unwrap_or(octets));
            self.octets.truncate(self.limit.saturating_add(1));
            self.state = State::TooLong;
            return Err(HeaderTooLong { limit: self.limit });
        }
        self.octets.extend_from_slice(octets);
        Ok(())
    }
}

/// The header is longer than the caller allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the header is longer than {limit} octets")]
pub struct HeaderTooLong {
    /// The limit, in octets.
    pub limit: usize,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// All messages over a small alphabet, cut at every place, split as the whole is.
    #[test]
    fn pieces_split_like_the_whole() {
        let alphabet = [b'x', b':', b' ', b'\r', b'\n'];
        for len in 0..=if cfg!(miri) { 3 } else { 6_u32 } {
            for number in 0..5_usize.pow(len) {
                let message: Vec<u8> =
                    (0..len).map(|place| alphabet[number / 5_usize.pow(place) % 5]).collect();
                let (header, body) = split(&message);
                for cut in 0..=message.len() {
                    let mut splitter = Splitter::new(100);
                    let mut streamed = Vec::new();
                    for chunk in [&message[..cut], &message[cut..]] {
                        streamed.extend_from_slice(splitter.push(chunk).unwrap().unwrap_or(&[]));
                    }
                    assert_eq!(streamed, body, "{message:?} at {cut}");
                    assert_eq!(splitter.header().fields(), header.fields());
                    assert_eq!(splitter.header().defects(), header.defects());
                }
            }
        }
    }

    #[test]
    fn fields_put_together_are_the_header_again() {
        let message = b"A: b\r\n c\r\nno colon\r\nD:\r\n\r\nbody";
        let (header, _) = split(message);
        let together: Vec<u8> =
            header.fields().iter().flat_map(|field| [field.octets(), b"\r\n"].concat()).collect();
        assert_eq!(together, header.octets());
    }

    /// As soon as it is known, so that no more of it is kept.
    #[test]
    fn a_header_over_the_limit_is_told_at_once() {
        let refused = |limit, chunks: &[&[u8]]| {
            let mut splitter = Splitter::new(limit);
            chunks.iter().position(|chunk| splitter.push(chunk).is_err())
        };
        assert_eq!(refused(3, &[b"a", b"b", b"c", b"d", b"e"]), Some(3));
        assert_eq!(refused(8, &[b"From: a\r", b"\n", b"\r\n"]), Some(1));
        assert_eq!(refused(7, &[b"From: a\r", b"\n", b"\r\n"]), Some(0));
        // What may be the empty line is not counted, and what begins another is.
        assert_eq!(refused(9, &[b"From: a\r\n", b"\r", b"\n", b"body"]), None);
        assert_eq!(refused(9, &[b"From: a\r\n", b"\r", b"T", b"o"]), Some(2));
        assert_eq!(refused(9, &[b"From: a\r\n", b"T", b"o"]), Some(1));
        assert_eq!(refused(9, &[b"From: a\r\nT"]), Some(0));
    }

    /// By the whole, however it is cut: the empty line counts for nothing, and nothing comes after
    /// an error but the same one.
    #[test]
    fn a_header_over_the_limit_is_an_error() {
        for message in [
            &b"From: a\r\n\r\nbody\r\n"[..],
            b"From: a\n\nbody\n",
            b"From: a\r\n\rb: c\r\n\r\nbody",
            b"\r\nbody",
        ] {
            let (whole, body) = split(message);
            let whole = whole.octets();
            for (limit, cut) in (0..=message.len())
                .flat_map(|limit| (0..=message.len()).map(move |cut| (limit, cut)))
            {
                let (start, end) = message.split_at(cut);
                let mut splitter = Splitter::new(limit);
                let mut streamed = Ok(Vec::new());
                for chunk in [start, end, b"To: d\r\n", b"\r\n"] {
                    streamed = match (streamed, splitter.push(chunk)) {
                        (Ok(all), Ok(piece)) => Ok([&all, piece.unwrap_or_default()].concat()),
                        (Err(_), Ok(_)) => panic!("{message:?} {limit} {cut}: it goes on"),
                        (_, Err(error)) => Err(error),
                    };
                }
                let read = splitter.header().octets().to_vec();
                if whole.len() > limit {
                    assert_eq!(streamed, Err(HeaderTooLong { limit }), "{message:?} {cut}");
                    assert_eq!(read, whole[..=limit], "{message:?} {cut}");
                } else {
                    let all = [body, b"To: d\r\n\r\n"].concat();
                    assert_eq!(streamed, Ok(all), "{message:?} {limit} {cut}");
                    assert_eq!(read, whole, "{message:?} {limit} {cut}");
                }
            }
        }
    }
}

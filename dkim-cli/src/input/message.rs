//! A message as a stream: its header held, its body handed on block by block.

use std::io::{self, Read};
use std::ops::{ControlFlow, Range};

use dkim_stack::message::{Header, HeaderTooLong, Splitter};

use super::file::unreadable;
use super::{BLOCK, LineEnds, read_block};
use crate::diagnostics::Failure;
use crate::exit::Exit;

/// How long a header may be, in octets: far more than a verifier judges, and few enough to hold.
const HEADER_LIMIT: usize = 4 * 1024 * 1024;

/// How long a body may be that is held as a whole, in octets.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// A message of which the header has been read.
pub(crate) struct Message<'r> {
    /// The header and the empty line after it, if there is one; in transit form.
    header: Vec<u8>,
    /// Its octets as they stood.
    pub(crate) header_length: u64,
    pub(crate) line_ends: LineEnds,
    pub(crate) body: Body<'r>,
}

/// A body not read yet.
pub(crate) struct Body<'r> {
    octets: &'r mut dyn Read,
    block: Vec<u8>,
    /// What of the block belongs to the body.
    ahead: Range<usize>,
}

/// Why octets are no message that can be judged or signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MessageError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("not a message: it is empty")]
    Empty,
    #[error("not a message: no line is a header field")]
    NoField,
    #[error("not a message: {0}")]
    TooLong(#[from] HeaderTooLong),
    #[error("the body is longer than {BODY_LIMIT} octets, and it is needed as a whole")]
    BodyTooLong,
}

impl From<MessageError> for Failure {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::Io(error) => unreadable(&error),
            error => Self::of(Exit::Data, &error),
        }
    }
}

impl<'r> Message<'r> {
    /// Reads the header.
    pub(crate) fn open(octets: &'r mut dyn Read) -> Result<Self, MessageError> {
        let mut splitter = Splitter::new(HEADER_LIMIT);
        let mut block = vec![0; BLOCK];
        let mut taken = 0;
        let ahead = loop {
            let chunk = read_block(octets, &mut block)?;
            let length = chunk.len();
            let body = splitter.push(chunk)?.map(<[u8]>::len);
            taken += length - body.unwrap_or(0);
            match body {
                Some(body) => break length - body..length,
                None if length == 0 => break 0..0,
                None => {}
            }
        };
        let header = splitter.header();
        if taken == 0 {
            return Err(MessageError::Empty);
        }
        if !header.fields().iter().any(|field| field.is_well_formed()) {
            return Err(MessageError::NoField);
        }
        let empty_line: &[u8] = match taken - header.octets().len() {
            0 => b"",
            1 => b"\n",
            _ => b"\r\n",
        };
        let mut header = header.octets().to_vec();
        header.extend_from_slice(empty_line);
        let line_ends = LineEnds::of_header(&header);
        if line_ends == LineEnds::Lf {
            header = line_ends.to_crlf(&header, &mut Vec::new()).to_vec();
        }
        let header_length = u64::try_from(taken).unwrap_or(0);
        Ok(Self { header, header_length, line_ends, body: Body { octets, block, ahead } })
    }

    /// Reads the body as a whole, in transit form.
    pub(crate) fn whole_body(&mut self) -> Result<Vec<u8>, MessageError> {
        let (line_ends, mut scratch, mut body) = (self.line_ends, Vec::new(), Vec::new());
        self.body.for_each(|chunk| {
            body.extend_from_slice(line_ends.to_crlf(chunk, &mut scratch));
            if body.len() > BODY_LIMIT { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if body.len() > BODY_LIMIT { Err(MessageError::BodyTooLong) } else { Ok(body) }
    }

    /// The header, in transit form.
    pub(crate) fn header(&self) -> Header<'_> {
        Header::parse(&self.header)
    }

    /// The empty line after the header, in transit form; nothing if there is none.
    pub(crate) fn empty_line(&self) -> &[u8] {
        self.header.get(self.header().octets().len()..).unwrap_or_default()
    }

    /// The octets of the header and of the empty line after it, in transit form.
    pub(crate) fn into_header(self) -> Vec<u8> {
        self.header
    }
}

impl Body<'_> {
    /// Hands the octets of the body on as they stand, until there are no more or no more wanted.
    pub(crate) fn for_each(
        &mut self,
        mut take: impl FnMut(&[u8]) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let mut chunk = self.block.get(self.ahead.clone()).unwrap_or_default();
        loop {
            if !chunk.is_empty() && take(chunk).is_break() {
                return Ok(());
            }
            chunk = read_block(self.octets, &mut self.block)?;
            if chunk.is_empty() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Hands out so many octets at a time.
    struct Slow<'m>(&'m [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(buffer.len()).min(self.0.len());
            self.0.read(&mut buffer[..length])
        }
    }

    fn parts(octets: &[u8], pace: usize) -> (Vec<u8>, LineEnds, Vec<u8>) {
        let mut slow = Slow(octets, pace);
        let mut message = Message::open(&mut slow).unwrap();
        let mut body = Vec::new();
        let collect = |chunk: &[u8]| {
            body.extend_from_slice(chunk);
            ControlFlow::Continue(())
        };
        message.body.for_each(collect).unwrap();
        (message.header, message.line_ends, body)
    }

    #[test]
    fn a_message_is_the_same_at_any_pace() {
        for pace in 1..20 {
            for (octets, header, line_ends, body) in [
                (&b"A: b\r\n\r\nHi\r\n"[..], &b"A: b\r\n\r\n"[..], LineEnds::Crlf, &b"Hi\r\n"[..]),
                (b"A: b\n\nHi\n", b"A: b\r\n\r\n", LineEnds::Lf, b"Hi\n"),
                (b"A: b\r\n\nHi\n", b"A: b\r\n\n", LineEnds::Crlf, b"Hi\n"),
                (b"A: b", b"A: b", LineEnds::Crlf, b""),
                (b"A: b\n\n", b"A: b\r\n\r\n", LineEnds::Lf, b""),
            ] {
                let expected = (header.to_vec(), line_ends, body.to_vec());
                assert_eq!(parts(octets, pace), expected, "{octets:?}");
            }
        }
    }

    #[test]
    fn what_has_no_field_is_no_message() {
        let open = |mut octets: &[u8]| Message::open(&mut octets).err().unwrap().to_string();
        assert_eq!(open(b""), "not a message: it is empty");
        for octets in
            [&b"\xff\xd8\xff\xe0\0\x10JFIF\0"[..], b"just text\r\n", b"\r\nA: b\r\n", b"\0\0"]
        {
            assert_eq!(open(octets), "not a message: no line is a header field");
        }
        let endless = vec![b'x'; HEADER_LIMIT + 1];
        assert_eq!(open(&endless), "not a message: the header is longer than 4194304 octets");
    }

    #[test]
    fn header_and_body_have_their_limits() {
        let empty_line = &b"\r\n"[..];
        let start = b"A: b\r\nX: ";
        for (more, is_read) in [(0, true), (1, false)] {
            let fill = vec![b'x'; HEADER_LIMIT + more - start.len() - 2];
            let mut octets = &[&start[..], &fill, b"\r\n", empty_line].concat()[..];
            assert_eq!(Message::open(&mut octets).is_ok(), is_read, "{more}");
            let length = u64::try_from(BODY_LIMIT + more).unwrap();
            let mut octets = b"A: b\r\n\r\n".chain(io::repeat(b'x').take(length));
            let body = Message::open(&mut octets).unwrap().whole_body();
            assert_eq!(body.is_ok_and(|body| body.len() == BODY_LIMIT), is_read, "{more}");
        }
    }
}

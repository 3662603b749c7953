//! What client and agent say to each other: frames of octets, written and read.
//!
//! ```text
//! frame    =  length version kind fields      ; length: 4 octets, of all that follows
//! version  =  %x01
//! request  =  %x01 name                       ; Key: what is known of a key
//!          /  %x02                            ; List: what is known of all keys
//!          /  %x03 name algorithm *OCTET      ; Sign: the header hash input
//! answer   =  %x81 name algorithm *OCTET      ; Key: with its public half, as in p=
//!          /  %x82                            ; End of the list
//!          /  %x83 *OCTET                     ; Signature
//!          /  %x84 OCTET                      ; Refused: why
//! name     =  text text                       ; domain (d=), selector (s=)
//! algorithm = text                            ; as in a=
//! text     =  length *OCTET                   ; length: 1 octet
//! ```
//!
//! Numbers are big-endian. Each request has one answer, a list as many as there are keys, and its
//! end. A frame that is longer than its limit is refused when its length is read.

use std::fmt;

use dkim_crypto::{PublicKey, PublicKeyError, SigningAlgorithm};
use dkim_tags::{DomainName, Selector};

const VERSION: u8 = 1;
/// Octets of a frame's length.
const LENGTH: usize = 4;

/// The longest header hash input that is signed, in octets. Verifiers read less.
pub const MAX_INPUT: usize = 4 * 1024 * 1024;
/// The longest request, in octets.
pub const MAX_REQUEST: usize = MAX_INPUT + 1024;
/// The longest answer, in octets: a public key of 8192 bits and its name are half of that.
pub const MAX_ANSWER: usize = 4096;

/// The name of a key: where its record stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyName {
    /// The SDID, `d=`.
    pub domain: DomainName,
    /// The selector, `s=`.
    pub selector: Selector,
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&dkim_keyrec::record_name(&self.selector, &self.domain))
    }
}

/// What a client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// To know of a key.
    Key(KeyName),
    /// To know of all keys.
    List,
    /// A signature.
    Sign {
        /// With this key.
        key: KeyName,
        /// With this algorithm, which must be the key's.
        algorithm: SigningAlgorithm,
        /// Over this header hash input.
        input: Vec<u8>,
    },
}

/// What the agent says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// What may be known of a key.
    Key(PublicHalf),
    /// There are no more keys.
    End,
    /// A signature.
    Signature(Vec<u8>),
    /// No.
    Refused(Refusal),
}

/// What may be known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicHalf {
    /// Its name.
    pub name: KeyName,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// What is published.
    pub public: PublicKey,
}

/// Why the agent does not do what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The request cannot be read.
    #[error("the agent could not read the request")]
    Malformed,
    /// The user may not ask.
    #[error("the agent does not sign for this user")]
    User,
    /// There is no such key.
    #[error("the agent has no such key")]
    UnknownKey,
    /// The key signs with another algorithm.
    #[error("the key of the agent signs with another algorithm")]
    OtherAlgorithm,
    /// What is to be signed is no header hash input for a signature of this key.
    #[error("the agent signs nothing but a DKIM-Signature that names its key")]
    NotDkim,
    /// The key failed.
    #[error("the key of the agent failed")]
    Failed,
}

impl Refusal {
    const ALL: [Self; 6] = [
        Self::Malformed,
        Self::User,
        Self::UnknownKey,
        Self::OtherAlgorithm,
        Self::NotDkim,
        Self::Failed,
    ];

    const fn code(self) -> u8 {
        match self {
            Self::Malformed => 1,
            Self::User => 2,
            Self::UnknownKey => 3,
            Self::OtherAlgorithm => 4,
            Self::NotDkim => 5,
            Self::Failed => 6,
        }
    }
}

/// Why octets are no frame, or a frame is none of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The frame is longer than any may be.
    #[error("a frame of {octets} octets, where {limit} are the most")]
    TooLong {
        /// What it says, or would say, of its length.
        octets: usize,
        /// The limit.
        limit: usize,
    },
    /// It ends early.
    #[error("a frame ends within a field")]
    Short,
    /// It goes on when all is said.
    #[error("a frame goes on behind its last field")]
    Trailing,
    /// Of another version.
    #[error("a frame of version {0}, where {VERSION} is known")]
    Version(u8),
    /// Of a kind that is not known, or none for this side.
    #[error("a frame of the unknown kind {0:#04x}")]
    Kind(u8),
    /// A domain, selector, algorithm or reason that is none.
    #[error("a frame whose {0} is none")]
    Value(&'static str),
    /// A public key that is none.
    #[error(transparent)]
    PublicKey(#[from] PublicKeyError),
}

/// Octets as they come, cut into frames: one at a time, and never more than one is held.
#[derive(Clone, Debug)]
pub struct Frames {
    limit: usize,
    /// The length, and as much of the frame as there was.
    held: Vec<u8>,
}

impl Frames {
    /// For frames of at most so many octets.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { limit, held: Vec::new() }
    }

    /// Takes octets from the front, no more than it takes to have a frame: what is in it, without
    /// its length. `None` when more is needed.
    ///
    /// # Errors
    ///
    /// When the frame says that it is too long; there is no going on after that.
    pub fn take(&mut self, octets: &mut &[u8]) -> Result<Option<Vec<u8>>, WireError> {
        self.fill(LENGTH, octets);
        let Some(length) = self.held.first_chunk::<LENGTH>() else { return Ok(None) };
        // On a machine whose addresses are shorter than the number it is too long in any case.
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > self.limit {
            return Err(WireError::TooLong { octets: length, limit: self.limit });
        }
        self.fill(LENGTH + length, octets);
        if self.held.len() < LENGTH + length {
            return Ok(None);
        }
        let frame = self.held.split_off(LENGTH);
        self.held.clear();
        Ok(Some(frame))
    }

    fn fill(&mut self, length: usize, octets: &mut &[u8]) {
        let missing = length.saturating_sub(self.held.len());
        let (front, rest) = octets.split_at(missing.min(octets.len()));
        self.held.extend_from_slice(front);
        *octets = rest;
    }

    /// Whether a frame has begun and not ended.
    #[must_use]
    pub const fn is_within(&self) -> bool {
        !self.held.is_empty()
    }
}

impl Request {
    /// Writes a frame, its length included.
    ///
    /// # Errors
    ///
    /// When the input is too long.
    pub fn to_frame(&self) -> Result<Vec<u8>, WireError> {
        match self {
            Self::Key(name) => Writer::new(1).name(name),
            Self::List => Writer::new(2),
            Self::Sign { input, .. } if input.len() > MAX_INPUT => {
                return Err(WireError::TooLong { octets: input.len(), limit: MAX_INPUT });
            }
            Self::Sign { key, algorithm, input } => {
                Writer::new(3).name(key).text(algorithm.name()).octets(input)
            }
        }
        .finish(MAX_REQUEST)
    }

    /// Reads what is in a frame.
    ///
    /// # Errors
    ///
    /// When it is no request.
    pub fn parse(frame: &[u8]) -> Result<Self, WireError> {
        let (kind, mut fields) = Reader::new(frame)?;
        let request = match kind {
            1 => Self::Key(fields.name()?),
            2 => Self::List,
            3 => Self::Sign {
                key: fields.name()?,
                algorithm: fields.algorithm()?,
                input: fields.rest(MAX_INPUT)?,
            },
            other => return Err(WireError::Kind(other)),
        };
        fields.finish().map(|()| request)
    }
}

impl Answer {
    /// Writes a frame, its length included.
    ///
    /// # Errors
    ///
    /// When it would be too long, as for no key and no signature that DKIM knows.
    pub fn to_frame(&self) -> Result<Vec<u8>, WireError> {
        match self {
            Self::Key(half) => Writer::new(0x81)
                .name(&half.name)
                .text(half.algorithm.name())
                .octets(&half.public.to_p_tag()),
            Self::End => Writer::new(0x82),
            Self::Signature(signature) => Writer::new(0x83).octets(signature),
            Self::Refused(refusal) => Writer::new(0x84).octets(&[refusal.code()]),
        }
        .finish(MAX_ANSWER)
    }

    /// Reads what is in a frame.
    ///
    /// # Errors
    ///
    /// When it is no answer.
    pub fn parse(frame: &[u8]) -> Result<Self, WireError> {
        let (kind, mut fields) = Reader::new(frame)?;
        let answer = match kind {
            0x81 => {
                let (name, algorithm) = (fields.name()?, fields.algorithm()?);
                let public = fields.rest(MAX_ANSWER)?;
                let public = PublicKey::from_p_tag(algorithm.key(), &public)?;
                Self::Key(PublicHalf { name, algorithm, public })
            }
            0x82 => Self::End,
            0x83 => Self::Signature(fields.rest(MAX_ANSWER)?),
            0x84 => {
                let [code] = fields.take::<1>()?;
                let refusal = Refusal::ALL.into_iter().find(|refusal| refusal.code() == code);
                Self::Refused(refusal.ok_or(WireError::Value("reason"))?)
            }
            other => return Err(WireError::Kind(other)),
        };
        fields.finish().map(|()| answer)
    }
}

/// A frame being written.
struct Writer(Vec<u8>);

impl Writer {
    fn new(kind: u8) -> Self {
        Self(vec![0, 0, 0, 0, VERSION, kind])
    }

    fn name(self, name: &KeyName) -> Self {
        self.text(name.domain.as_str()).text(name.selector.as_str())
    }

    fn text(mut self, text: &str) -> Self {
        self.0.push(u8::try_from(text.len()).expect("a name has at most 253 octets"));
        self.octets(text.as_bytes())
    }

    fn octets(mut self, octets: &[u8]) -> Self {
        self.0.extend_from_slice(octets);
        self
    }

    fn finish(mut self, limit: usize) -> Result<Vec<u8>, WireError> {
        let octets = self.0.len().saturating_sub(LENGTH);
        let (Ok(length), Some(place)) = (u32::try_from(octets), self.0.first_chunk_mut::<LENGTH>())
        else {
            return Err(WireError::TooLong { octets, limit });
        };
        *place = length.to_be_bytes();
        if octets > limit { Err(WireError::TooLong { octets, limit }) } else { Ok(self.0) }
    }
}

/// The fields of a frame, being read.
struct Reader<'f>(&'f [u8]);

impl<'f> Reader<'f> {
    fn new(frame: &'f [u8]) -> Result<(u8, Self), WireError> {
        let mut fields = Self(frame);
        let [version] = fields.take()?;
        if version != VERSION {
            return Err(WireError::Version(version));
        }
        let [kind] = fields.take()?;
        Ok((kind, fields))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (octets, rest) = self.0.split_first_chunk::<N>().ok_or(WireError::Short)?;
        self.0 = rest;
        Ok(*octets)
    }

    fn text(&mut self, what: &'static str) -> Result<&'f str, WireError> {
        let [length] = self.take()?;
        let (text, rest) = self.0.split_at_checked(usize::from(length)).ok_or(WireError::Short)?;
        self.0 = rest;
        std::str::from_utf8(text).map_err(|_| WireError::Value(what))
    }

    fn name(&mut self) -> Result<KeyName, WireError> {
        let domain = DomainName::parse(self.text("domain")?);
        let domain = domain.map_err(|_| WireError::Value("domain"))?.in_a_labels();
        let selector = Selector::parse(self.text("selector")?);
        let selector = selector.map_err(|_| WireError::Value("selector"))?.in_a_labels();
        Ok(KeyName { domain, selector })
    }

    fn algorithm(&mut self) -> Result<SigningAlgorithm, WireError> {
        let name = self.text("algorithm")?;
        SigningAlgorithm::from_name(name.as_bytes()).ok_or(WireError::Value("algorithm"))
    }

    fn rest(&mut self, limit: usize) -> Result<Vec<u8>, WireError> {
        let octets = std::mem::take(&mut self.0);
        if octets.len() > limit {
            return Err(WireError::TooLong { octets: octets.len(), limit });
        }
        Ok(octets.to_vec())
    }

    fn finish(self) -> Result<(), WireError> {
        if self.0.is_empty() { Ok(()) } else { Err(WireError::Trailing) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn name() -> KeyName {
        let domain = DomainName::parse("example.com").unwrap();
        KeyName { domain, selector: Selector::parse("s1").unwrap() }
    }

    fn requests() -> [Request; 3] {
        let (key, algorithm) = (name(), SigningAlgorithm::ED25519_SHA256);
        let input = b"from:joe@example.com\r\ndkim-signature:v=1; b=".to_vec();
        [Request::Key(name()), Request::List, Request::Sign { key, algorithm, input }]
    }

    fn answers() -> Vec<Answer> {
        let algorithm = SigningAlgorithm::ED25519_SHA256;
        let public = PublicKey::from_p_tag(algorithm.key(), &[0x5a; 32]).unwrap();
        let refused = Refusal::ALL.map(Answer::Refused);
        [
            Answer::Key(PublicHalf { name: name(), algorithm, public }),
            Answer::End,
            Answer::Signature(vec![7; 64]),
        ]
        .into_iter()
        .chain(refused)
        .collect()
    }

    fn frame(octets: &[u8]) -> Vec<u8> {
        Frames::new(MAX_REQUEST).take(&mut &*octets).unwrap().unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        for request in requests() {
            assert_eq!(Request::parse(&frame(&request.to_frame().unwrap())), Ok(request));
        }
        for answer in answers() {
            assert_eq!(Answer::parse(&frame(&answer.to_frame().unwrap())), Ok(answer));
        }
    }

    /// As it goes over the wire: another version of this code must understand it.
    #[test]
    fn the_octets_are_these() {
        let written = requests().map(|request| request.to_frame().unwrap());
        assert_eq!(written[0], b"\0\0\0\x11\x01\x01\x0bexample.com\x02s1");
        assert_eq!(written[1], b"\0\0\0\x02\x01\x02");
        assert!(written[2].starts_with(
            b"\0\0\0\x4c\x01\x03\x0bexample.com\x02s1\x0eed25519-sha256from:joe@example.com\r\n"
        ));
        assert_eq!(
            Answer::Refused(Refusal::UnknownKey).to_frame().unwrap(),
            b"\0\0\0\x03\x01\x84\x03"
        );
    }

    #[test]
    fn frames_come_in_any_pieces_and_one_at_a_time() {
        let written: Vec<u8> =
            requests().iter().flat_map(|request| request.to_frame().unwrap()).collect();
        for size in 1..written.len() {
            let mut frames = Frames::new(MAX_REQUEST);
            let mut read = Vec::new();
            for mut piece in written.chunks(size) {
                while let Some(frame) = frames.take(&mut piece).unwrap() {
                    read.push(Request::parse(&frame).unwrap());
                }
                assert!(piece.is_empty());
            }
            assert_eq!(read, requests(), "{size}");
            assert!(!frames.is_within());
        }
    }

    #[test]
    fn a_frame_that_is_too_long_is_refused_when_its_length_is_read() {
        let mut frames = Frames::new(16);
        let mut octets = &[0, 0, 0, 17][..];
        assert_eq!(frames.take(&mut octets), Err(WireError::TooLong { octets: 17, limit: 16 }));
        let mut frames = Frames::new(16);
        let mut octets = &[0, 0, 0, 16, 1][..];
        assert_eq!(frames.take(&mut octets), Ok(None));
        assert!(frames.is_within());
    }

    #[test]
    fn no_request_is_longer_than_may_be_read() {
        let (key, algorithm) = (name(), SigningAlgorithm::RSA_SHA256);
        let sign = |octets| Request::Sign { key: key.clone(), algorithm, input: vec![0; octets] };
        let longest = sign(MAX_INPUT).to_frame().unwrap();
        assert_eq!(Request::parse(&frame(&longest)), Ok(sign(MAX_INPUT)));
        let too_long = WireError::TooLong { octets: MAX_INPUT + 1, limit: MAX_INPUT };
        assert_eq!(sign(MAX_INPUT + 1).to_frame(), Err(too_long.clone()));
        let mut beyond = frame(&longest);
        beyond.push(0);
        assert_eq!(Request::parse(&beyond), Err(too_long));
    }

    #[test]
    fn what_is_no_request_is_told() {
        for (frame, error) in [
            (&b""[..], WireError::Short),
            (b"\x01", WireError::Short),
            (b"\x02\x02", WireError::Version(2)),
            (b"\x01\x00", WireError::Kind(0)),
            (b"\x01\x81", WireError::Kind(0x81)),
            (b"\x01\x02\x00", WireError::Trailing),
            (b"\x01\x01\x0bexample.com\x02s", WireError::Short),
            (b"\x01\x01\x0bexample.com\x02s1x", WireError::Trailing),
            (b"\x01\x01\x0bexample.c\xffm\x02s1", WireError::Value("domain")),
            (b"\x01\x01\x00\x02s1", WireError::Value("domain")),
            (b"\x01\x01\x0bexample.com\x02/s", WireError::Value("selector")),
            (b"\x01\x03\x0bexample.com\x02s1\x08rsa-sha2", WireError::Value("algorithm")),
        ] {
            assert_eq!(Request::parse(frame), Err(error), "{frame:?}");
        }
        for (frame, error) in [
            (&b"\x01\x01"[..], WireError::Kind(1)),
            (b"\x01\x84", WireError::Short),
            (b"\x01\x84\x00", WireError::Value("reason")),
            (b"\x01\x84\x01\x01", WireError::Trailing),
        ] {
            assert_eq!(Answer::parse(frame), Err(error), "{frame:?}");
        }
    }

    #[test]
    fn no_answer_is_longer_than_may_be_read() {
        // The version and the kind are in the frame, too.
        let signature = |octets| Answer::Signature(vec![0; octets]);
        let longest = signature(MAX_ANSWER - 2).to_frame().unwrap();
        let mut frames = Frames::new(MAX_ANSWER);
        let longest = frames.take(&mut &*longest).unwrap().unwrap();
        assert_eq!(Answer::parse(&longest).unwrap(), signature(MAX_ANSWER - 2));
        assert!(matches!(
            signature(MAX_ANSWER - 1).to_frame(),
            Err(WireError::TooLong { limit: MAX_ANSWER, .. })
        ));
    }
}

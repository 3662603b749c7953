//! The machine: a header, then body octets, then what is to be signed.

use dkim_crypto::{Provider, SigningAlgorithm};
use dkim_hash::{
    BodyHash, BodyHashRequest, BodyHasher, FieldIndex, HeaderInputs, Stance, close_input,
};
use dkim_message::Header;
use dkim_tags::{Auid, CopiedField, DomainName, FieldName, Signature, UnixTime};

use crate::long_lines::LongLines;
use crate::{
    BodyLength, Copies, Expiration, QueryMethod, Reports, Request, RequestError, Timestamp,
    Unsigned,
};

/// Prepares the signatures of a message, any number in one pass (RFC 6376 §5); with keys of both
/// types, old verifiers and new ones find one each (RFC 8463 §6).
///
/// It holds no key: what it returns is signed wherever the key is. It borrows nothing: the header
/// may go once [`new`](Self::new) returns.
///
/// ```
/// use dkim_crypto::{SigningAlgorithm, ring::PROVIDER};
/// use dkim_sign::{Request, Signer};
/// use dkim_tags::{DomainName, Selector, UnixTime};
///
/// let request = Request::new(
///     DomainName::parse("example.com")?,
///     Selector::parse("brisbane")?,
///     SigningAlgorithm::RSA_SHA256,
/// );
/// let (header, body) = dkim_message::split(b"From: joe@example.com\r\n\r\nHi.\r\n");
/// let mut signer = Signer::new([request], &header, UnixTime(1_700_000_000), &PROVIDER)?;
/// signer.body_chunk(body);
/// for unsigned in signer.finish() {
///     assert!(unsigned.input().starts_with(b"from:joe@example.com\r\n"));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Signer {
    prepared: Vec<Prepared>,
    body: BodyHasher,
    /// Of the header, and of the body so far.
    long_lines: [LongLines; 2],
}

/// Octets of the body that are hashed before their lines are looked at: what the hash has just read
/// is at hand, and looking where no octet was read yet would mean to wait for the memory. Each turn
/// from one to the other costs, too: the memory brings ahead what is read in one go.
const PIECE: usize = 64 * 1024;

/// A signature that lacks the body hash.
#[derive(Debug)]
struct Prepared {
    signature: Signature,
    body_length: BodyLength,
    body_hash: BodyHashRequest,
    /// The input of the header hash up to the DKIM-Signature field.
    input: Vec<u8>,
}

impl Signer {
    /// Reads the header for all requests. `now` goes into `t=` and `x=`.
    ///
    /// # Errors
    ///
    /// When the message is one whose signature verifiers would refuse, or a request asks for
    /// something that RFC 6376 or RFC 8301 forbid.
    pub fn new(
        requests: impl IntoIterator<Item = Request>,
        header: &Header<'_>,
        now: UnixTime,
        provider: &dyn Provider,
    ) -> Result<Self, RequestError> {
        let mut inputs = HeaderInputs::new(header);
        check_header(header, inputs.index())?;
        let mut body = BodyHasher::default();
        let prepare = |request: Request| {
            let mut signature = describe(&request, header, inputs.index(), now)?;
            let body_hash = BodyHashRequest {
                canonicalization: signature.canonicalization.body,
                hash: signature.algorithm.hash(),
                limit: None,
            };
            if !body.add(provider, body_hash) {
                return Err(RequestError::Unsupported(signature.algorithm));
            }
            if request.copies == Copies::OfSignedFields {
                signature.copied_fields = copies(&signature, header, inputs.index());
            }
            let form = signature.canonicalization.header;
            let input = inputs.open(form, signature.signed_fields.iter(), None);
            let input = inputs.octets().get(input).unwrap_or_default().to_vec();
            Ok(Prepared { input, body_hash, body_length: request.body_length, signature })
        };
        let prepared = requests.into_iter().map(prepare).collect::<Result<_, _>>()?;
        let mut of_header = LongLines::default();
        of_header.chunk(header.octets());
        Ok(Self { prepared, body, long_lines: [of_header, LongLines::default()] })
    }

    /// Takes the next octets of the body, as they will be received: with CRLF at the ends of lines. A
    /// bare CR or LF "MUST be converted" before the message is signed (RFC 6376 §5.3); here it would
    /// be signed as it is, and the signature would not outlive the first relay that converts it.
    pub fn body_chunk(&mut self, chunk: &[u8]) -> Stance {
        let [_, of_body] = &mut self.long_lines;
        for piece in chunk.chunks(PIECE) {
            self.body.chunk(piece);
            of_body.chunk(piece);
        }
        self.body.stance()
    }

    /// How many lines of the message, as far as it was handed over, are longer than 998 octets.
    /// Relays may cut such lines (RFC 5321 §4.5.3.1.6), and the signature does not survive that:
    /// give the body a transfer encoding before it is signed (RFC 6376 §5.3).
    #[must_use]
    pub fn long_lines(&self) -> u64 {
        self.long_lines.iter().map(|lines| lines.count()).sum()
    }

    /// The body has ended: one signature to be made for each request, in the same order.
    #[must_use]
    pub fn finish(self) -> Vec<Unsigned> {
        let bodies = self.body.finish();
        let complete = |prepared: Prepared| {
            let hash = bodies.get(&prepared.body_hash);
            hash.map(|hash| prepared.complete(hash))
        };
        self.prepared.into_iter().filter_map(complete).collect()
    }
}

impl Prepared {
    fn complete(self, body: BodyHash) -> Unsigned {
        let Self { mut signature, body_length, mut input, .. } = self;
        signature.body_hash = body.value.as_bytes().to_vec();
        signature.body_length = match body_length {
            BodyLength::Absent => None,
            // RFC 6376 §5.3.1: counted "following the canonicalization algorithm".
            BodyLength::AsSigned => Some(body.hashed),
        };
        let own = signature.to_field_body();
        let form = signature.canonicalization.header;
        close_input(form, Signature::FIELD_NAME.as_bytes(), [own.as_bytes(), b""], &mut input);
        Unsigned::new(signature, input)
    }
}

/// Copies of the signed fields, in the order of the header (RFC 6376 §3.5 `z=`).
fn copies(
    signature: &Signature,
    header: &Header<'_>,
    index: &FieldIndex<'_, '_>,
) -> Vec<CopiedField> {
    let mut picked: Vec<usize> =
        index.pick(signature.signed_fields.iter(), None).flatten().collect();
    picked.sort_unstable();
    let fields = picked.into_iter().filter_map(|position| header.fields().get(position));
    let copies = fields.filter_map(|field| {
        let name = FieldName::parse(std::str::from_utf8(field.name()).ok()?).ok()?;
        // A name with a bar cannot be told from two copies.
        let tellable = !name.as_str().contains('|');
        tellable.then(|| CopiedField { name, body: field.body().to_vec() })
    });
    // More of them nobody reads.
    copies.take(Signature::MAX_ITEMS).collect()
}

/// A message that no verifier should accept is not signed (RFC 6376 §3.8, §5.3, §8.15).
fn check_header(header: &Header<'_>, index: &FieldIndex<'_, '_>) -> Result<(), RequestError> {
    if let Some(defect) = header.defects().first() {
        return Err(RequestError::MalformedHeader(*defect));
    }
    match index.count("From") {
        0 => Err(RequestError::NoFrom),
        1 => Ok(()),
        _ => Err(RequestError::SeveralFrom),
    }
}

/// The signature's tags, but for those that the body decides.
fn describe(
    request: &Request,
    header: &Header<'_>,
    index: &FieldIndex<'_, '_>,
    now: UnixTime,
) -> Result<Signature, RequestError> {
    // RFC 8301 §3.1: "Signers MUST sign using rsa-sha256", and SHA-1 "MUST NOT be used".
    if request.algorithm == SigningAlgorithm::RSA_SHA1 {
        return Err(RequestError::Forbidden(request.algorithm));
    }
    if request.sdid.is_single_label() {
        return Err(RequestError::SingleLabelDomain(request.sdid.clone()));
    }
    let key_record = [request.selector.as_str(), "._domainkey.", request.sdid.as_str()];
    if key_record.map(str::len).iter().sum::<usize>() > DomainName::MAX_LEN {
        let (selector, sdid) = (request.selector.clone(), request.sdid.clone());
        return Err(RequestError::NoRoomForKey { selector, sdid });
    }
    if let Some(auid) = &request.auid
        && !auid.domain().is_within(&request.sdid)
    {
        let (auid, sdid) = (auid.clone(), request.sdid.clone());
        return Err(RequestError::AuidOutsideSdid { auid, sdid });
    }
    let names = request.fields.names(index);
    if names.len() > Signature::MAX_ITEMS {
        return Err(RequestError::TooManyFields);
    }
    // RFC 6376 §5.4: "The From header field MUST be signed".
    if !names.contains("From") {
        return Err(RequestError::FromNotListed);
    }
    // RFC 6376 §5.4: the DKIM-Signature field "MUST NOT be included in the "h=" tag except to
    // indicate that other preexisting signatures are also signed".
    if names.count(Signature::FIELD_NAME) > index.count(Signature::FIELD_NAME) {
        return Err(RequestError::SignsItself);
    }
    let (sdid, selector) = (request.sdid.clone(), request.selector.clone());
    let mut signature = Signature::new(request.algorithm, sdid, selector, names);
    signature.canonicalization = request.canonicalization;
    signature.auid = request.auid.clone();
    // RFC 6376 §3.5 wants A-labels in `d=`, `i=` and `s=`; RFC 8616 §5: "This rule is relaxed only
    // for internationalized message header fields", which are UTF-8 (RFC 6532 §3.2); there U-labels
    // stay as they were asked for.
    let is_internationalized =
        !header.octets().is_ascii() && std::str::from_utf8(header.octets()).is_ok();
    if !is_internationalized {
        signature.sdid = signature.sdid.in_a_labels();
        signature.selector = signature.selector.in_a_labels();
        signature.auid = signature.auid.as_ref().map(Auid::in_a_labels);
    }
    signature.timestamp = match request.timestamp {
        Timestamp::Now => Some(now),
        Timestamp::Absent => None,
    };
    signature.expiration = match request.expiration {
        Expiration::Never => None,
        Expiration::After(0) => return Err(RequestError::ExpiresAtOnce),
        Expiration::After(seconds) => Some(UnixTime(now.0.saturating_add(seconds))),
    };
    if request.query_method == QueryMethod::DnsTxt {
        signature.say_query_method();
    }
    if request.reports == Reports::Asked {
        // RFC 6651 §3.1.
        signature.add_other("r", "y").expect("r=y is a tag, and no other stands there yet");
    }
    if let Some(atps) = &request.atps {
        // RFC 6541 §4.2: for another ADMD, the signer "MUST put its own domain in the signature's
        // "d" tag".
        if atps.author_domain == request.sdid {
            return Err(RequestError::AtpsForItself(request.sdid.clone()));
        }
        signature.say_atps(atps).expect("two tags that do not stand there yet");
    }
    // RFC 6376 §3.5: `1*12DIGIT`, so that a verifier reads no larger time.
    let times = signature.timestamp.into_iter().chain(signature.expiration);
    match times.max() {
        Some(time) if time.0 >= 1_000_000_000_000 => Err(RequestError::TimeOutOfRange(time)),
        _ => Ok(signature),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_crypto::ring::PROVIDER;
    use dkim_tags::{Atps, AtpsHash, DomainName, Selector};

    use super::*;
    use crate::Fields;

    const NOW: UnixTime = UnixTime(1_700_000_000);

    fn request() -> Request {
        Request::new(
            DomainName::parse("example.com").unwrap(),
            Selector::parse("s").unwrap(),
            SigningAlgorithm::RSA_SHA256,
        )
    }

    fn sign(request: Request, message: &[u8]) -> Result<Signature, RequestError> {
        let (header, body) = dkim_message::split(message);
        let mut signer = Signer::new([request], &header, NOW, &PROVIDER)?;
        for octet in body.chunks(1) {
            signer.body_chunk(octet);
        }
        Ok(signer.finish().remove(0).complete(vec![1]))
    }

    const MESSAGE: &[u8] = b"From: joe@example.com\r\nSubject: x\r\n\r\nHi. \r\n\r\n";

    #[test]
    fn tags_are_as_asked() {
        let signature = sign(request(), MESSAGE).unwrap();
        assert_eq!(signature.timestamp, Some(NOW));
        assert_eq!(
            (signature.expiration, signature.body_length, signature.auid),
            (None, None, None)
        );
        assert_eq!(signature.canonicalization.to_string(), "relaxed/relaxed");

        let mut asked = request();
        asked.timestamp = Timestamp::Absent;
        asked.expiration = Expiration::After(60);
        asked.body_length = BodyLength::AsSigned;
        asked.auid = Some(Auid::parse("joe@mail.example.com").unwrap());
        let signature = sign(asked, MESSAGE).unwrap();
        assert_eq!(signature.timestamp, None);
        assert_eq!(signature.expiration, Some(UnixTime(NOW.0 + 60)));
        assert_eq!(signature.body_length, Some(5));
        assert_eq!(signature.auid.unwrap().to_string(), "joe@mail.example.com");
    }

    #[test]
    fn what_verifiers_would_refuse_is_not_signed() {
        use RequestError::{
            ExpiresAtOnce, Forbidden, FromNotListed, NoFrom, NoRoomForKey, SeveralFrom,
            SignsItself, TimeOutOfRange,
        };
        assert_eq!(sign(request(), b"Subject: x\r\n\r\n"), Err(NoFrom));
        assert_eq!(sign(request(), b"From: a\r\nfrom : b\r\n\r\n"), Err(SeveralFrom));
        assert!(matches!(
            sign(request(), b"From: a\rb\r\n\r\n"),
            Err(RequestError::MalformedHeader(_))
        ));
        let with = |change: &dyn Fn(&mut Request)| {
            let mut request = request();
            change(&mut request);
            sign(request, MESSAGE)
        };
        let sha1 = SigningAlgorithm::RSA_SHA1;
        assert_eq!(with(&|request| request.algorithm = sha1), Err(Forbidden(sha1)));
        assert_eq!(with(&|request| request.expiration = Expiration::After(0)), Err(ExpiresAtOnce));
        let com = DomainName::parse("com").unwrap();
        assert_eq!(
            with(&|request| request.sdid = DomainName::parse("com").unwrap()),
            Err(RequestError::SingleLabelDomain(com))
        );
        let long = format!("{}.example.com", [&*"a".repeat(63); 3].join("."));
        let (sdid, labels) = (DomainName::parse(&long).unwrap(), 253 - long.len() - 12);
        let selector = |octets| Selector::parse(&format!("{}.s", "b".repeat(octets - 2))).unwrap();
        let with_names = |octets| {
            with(&|request| (request.sdid, request.selector) = (sdid.clone(), selector(octets)))
        };
        assert!(with_names(labels).is_ok());
        let too_long = NoRoomForKey { selector: selector(labels + 1), sdid: sdid.clone() };
        assert_eq!(with_names(labels + 1), Err(too_long));
        assert_eq!(with(&|request| request.fields = Fields::Exact(Vec::new())), Err(FromNotListed));
        let names = ["From", "dkim-signature"].map(|name| FieldName::parse(name).unwrap());
        let with_own = |request: &mut Request| request.fields = Fields::Exact(names.to_vec());
        assert_eq!(with(&with_own), Err(SignsItself));
        let mut over_another = request();
        with_own(&mut over_another);
        assert!(sign(over_another, &[b"DKIM-Signature: x\r\n", MESSAGE].concat()).is_ok());
        assert_eq!(
            with(&|request| request.expiration = Expiration::After(u64::MAX)),
            Err(TimeOutOfRange(UnixTime(u64::MAX)))
        );
        assert!(matches!(
            with(&|request| request.auid = Some(Auid::parse("@example.org").unwrap())),
            Err(RequestError::AuidOutsideSdid { .. })
        ));
    }

    #[test]
    fn no_more_fields_are_signed_than_verifiers_take() {
        let most = Signature::MAX_ITEMS;
        // From and Subject are there and listed twice, eight others are listed once.
        for (cc, is_signed) in [(most - 12, true), (most - 11, false), (100 * most, false)] {
            let message = [&b"Cc: a@example.net\r\n".repeat(cc), MESSAGE].concat();
            let listed = sign(request(), &message).map(|signature| signature.signed_fields.len());
            let expected = if is_signed { Ok(most) } else { Err(RequestError::TooManyFields) };
            assert_eq!(listed, expected, "{cc}");
        }
        let mut exact = request();
        for (names, is_signed) in [(most, true), (most + 1, false)] {
            exact.fields = Fields::Exact(vec![FieldName::from_static("From"); names]);
            assert_eq!(sign(exact.clone(), MESSAGE).is_ok(), is_signed, "{names}");
        }
    }

    #[test]
    fn what_is_asked_for_is_said() {
        let header = Header::parse(b"Subject: [a|b] c=d;\r\nFrom: joe@example.com\r\nX: y\r\n");
        let mut request = request();
        request.query_method = QueryMethod::DnsTxt;
        request.copies = Copies::OfSignedFields;
        request.reports = Reports::Asked;
        let signer = Signer::new([request], &header, NOW, &PROVIDER).unwrap();
        let signature = signer.finish().pop().unwrap().complete(vec![1]);
        assert_eq!(signature.query_methods(), ["dns/txt"]);
        assert_eq!(signature.other(), [("r".to_owned(), "y".to_owned())]);
        let copies: Vec<(&str, &[u8])> =
            signature.copied_fields.iter().map(|copy| (copy.name.as_str(), &*copy.body)).collect();
        assert_eq!(copies, [("Subject", &b" [a|b] c=d;"[..]), ("From", b" joe@example.com")]);
        assert_eq!(Signature::parse(signature.to_field_body().as_bytes()).unwrap(), signature);
    }

    #[test]
    fn a_third_party_says_for_whom_it_signs() {
        let author_domain = DomainName::parse("author.example").unwrap();
        let atps = Atps { author_domain, hash: AtpsHash::Plain };
        let mut asked = request();
        asked.atps = Some(atps.clone());
        assert_eq!(sign(asked, MESSAGE).unwrap().atps(), Some(Ok(atps)));
        assert_eq!(sign(request(), MESSAGE).unwrap().atps(), None);

        let mut for_itself = request();
        let author_domain = for_itself.sdid.clone();
        for_itself.atps = Some(Atps { author_domain, hash: AtpsHash::Plain });
        let refused = Err(RequestError::AtpsForItself(for_itself.sdid.clone()));
        assert_eq!(sign(for_itself, MESSAGE), refused);
    }

    #[test]
    fn long_lines_of_header_and_body_are_counted() {
        let header = format!("From: joe@example.com\r\nX: {}\r\n", "x".repeat(996));
        let header = Header::parse(header.as_bytes());
        let mut signer = Signer::new([request()], &header, NOW, &PROVIDER).unwrap();
        assert_eq!(signer.long_lines(), 1);
        signer.body_chunk(&[b'x'; 500]);
        signer.body_chunk(&[b'x'; 500]);
        signer.body_chunk(b"\r\nx\r\n");
        assert_eq!(signer.long_lines(), 2);
    }

    /// A chunk of any length is as good as its octets one by one.
    #[test]
    fn a_long_chunk_is_signed_like_short_ones() {
        let header = Header::parse(b"From: joe@example.com\r\n");
        // Lines of text, and one of a thousand octets across the end of each piece.
        let mut body = b"some text \r\n\r\n".repeat(PIECE / 14);
        body.truncate(PIECE - 500);
        body.extend(b"x".repeat(1000));
        body.extend_from_slice(&b"\r\nmore".repeat(PIECE / 6));
        body.truncate(2 * PIECE - 500);
        body.extend(b"x".repeat(999));
        let sign = |chunks: &mut dyn Iterator<Item = &[u8]>| {
            let mut signer = Signer::new([request()], &header, NOW, &PROVIDER).unwrap();
            for chunk in chunks {
                assert_eq!(signer.body_chunk(chunk), Stance::Interested);
            }
            let long_lines = signer.long_lines();
            (long_lines, signer.finish().remove(0).complete(vec![1]))
        };
        let (long_lines, signature) = sign(&mut [&body[..], b""].into_iter());
        assert_eq!(long_lines, 2);
        let mut hasher = BodyHasher::default();
        let request = BodyHashRequest {
            canonicalization: signature.canonicalization.body,
            hash: signature.algorithm.hash(),
            limit: None,
        };
        assert!(hasher.add(&PROVIDER, request));
        hasher.chunk(&body);
        let hash = hasher.finish().get(&request).unwrap();
        assert_eq!(signature.body_hash, hash.value.as_bytes());
        assert_eq!(sign(&mut body.chunks(4099)), (2, signature));
    }
}

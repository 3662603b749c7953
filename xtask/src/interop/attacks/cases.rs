//! The messages that are compared.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use dkim_crypto::SigningKey;
use dkim_tags::value::{base64, to_base64};

use super::craft::{MESSAGE, TEMPLATE, key, p, rsa_key, sign_with, with_fields, with_tag};
use super::rsa::{self, Forger};
use super::{Algorithm, Case, Rfc};

const NAME: &str = "sel._domainkey.example.com";

/// A message of one part, and one more that can follow it.
const MULTIPART: &str = "From: joe@example.com\r\nTo: a@example.net\r\nSubject: b\r\nMIME-Version: \
    1.0\r\nContent-Type: multipart/alternative; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: \
    text/plain\r\n\r\nHi.\r\n";
const PART: &str = "--b\r\nContent-Type: text/html\r\n\r\n<h1>Pay here</h1>\r\n--b--\r\n";

/// The rows of ATTACKS.md that the cases are of.
mod row {
    pub(super) const SECOND_FROM: &str = "a second From field, above or below";
    pub(super) const NAMED_ALIKE: &str = "a field named almost like From";
    pub(super) const HEADER_OCTETS: &str =
        "a NUL, bare CR or LF, or line that is no field in the header";
    pub(super) const SECOND_SUBJECT: &str =
        "another Subject, To, Content-Type, above or below the signed one";
    pub(super) const APPENDED: &str = "text behind the octets that `l=` covers";
    pub(super) const PART: &str =
        "a MIME part behind them, or a boundary that hides what is signed";
    pub(super) const REPLAY: &str = "the message sent again, to others";
    pub(super) const LINE_ENDS: &str = "line ends put in, taken apart, or left out";
    pub(super) const CUT: &str = "a message cut anywhere";
    pub(super) const NAMES: &str = "NUL, `*`, `/`, `..`, dots, blanks, controls, look-alikes, or \
                                    too long a name in `d=` or `s=`";
    pub(super) const AUID: &str = "`i=` of another domain, or one that ends alike";
    pub(super) const TOP_LEVEL: &str = "a top-level domain in `d=`";
    pub(super) const LIKE_B: &str = "text that looks like `b=`, in `bh=`, in other tags, twice";
    pub(super) const BASE64: &str = "base64 with other letters, padding, or bits left over";
    pub(super) const NUMBERS: &str =
        "negative, signed, endless or overflowing numbers in `t=`, `x=`, `l=`";
    pub(super) const UNREADABLE: &str = "a signature that cannot be read, above a good one";
    pub(super) const SHORT_RSA: &str = "RSA under 1024 bits";
    pub(super) const EXPONENT: &str = "exponent 0, 1, even or huge";
    pub(super) const GARBAGE: &str = "exponent 3: garbage behind the hash, in the parameters, in \
                                      place of the padding; low octets alone (Bleichenbacher 2006 \
                                      and after)";
    pub(super) const PADDING: &str = "other block types, fillers, lengths and spellings of PKCS#1";
    pub(super) const TWO_SPELLINGS: &str = "an RSA signature and the modulus added, or octets of 0";
    pub(super) const SMALL_ORDER: &str = "Ed25519 points of small order, also in other spellings";
    pub(super) const S_AND_L: &str = "Ed25519 with S + L";
    pub(super) const OTHER_TYPE: &str =
        "a key of one type with an algorithm of another; a hash under another name";
    pub(super) const SHA1: &str = "rsa-sha1";
}

/// Makes cases under one key.
struct Maker {
    key: std::sync::Arc<dyn SigningKey>,
    algorithm: Algorithm,
    record: String,
    cases: Vec<Case>,
}

impl Maker {
    fn records(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(NAME.to_owned(), self.record.clone())])
    }

    fn sign_other(&self, template: &str, message: &str) -> String {
        let template = template.replace("ed25519-sha256", self.algorithm.name());
        // Text throughout: what is signed here is, and base64 is.
        let signed = sign_with(&*self.key, &template, message.as_bytes());
        String::from_utf8_lossy(&signed).into_owned()
    }

    fn sign(&self, template: &str) -> String {
        self.sign_other(template, MESSAGE)
    }

    fn case(
        &mut self,
        row: &'static str,
        what: &'static str,
        (rfc, section): (Rfc, &'static str),
        message: impl Into<Vec<u8>>,
    ) {
        let (message, records) = (message.into(), self.records());
        let algorithm = self.algorithm;
        self.cases.push(Case { row, what, rfc, section, algorithm, message, records });
    }
}

pub(super) fn all() -> Result<Vec<Case>> {
    let key = rsa_key();
    let record = format!("v=DKIM1; k=rsa; p={}", p(&*key));
    let mut rsa = Maker { key, algorithm: Algorithm::Rsa, record, cases: Vec::new() };
    rsa.case("", "RSA, nothing forged", (Rfc::Passes, "RFC 6376 §3.3"), rsa.sign(TEMPLATE));
    fields(&mut rsa);
    body(&mut rsa);
    signature_field(&mut rsa)?;
    spellings_of_rsa(&mut rsa)?;
    weak_rsa(&mut rsa)?;
    let record = format!("v=DKIM1; k=ed25519; p={}", p(&*self::key()));
    let mut ed =
        Maker { key: self::key(), algorithm: Algorithm::Ed25519, record, cases: Vec::new() };
    ed.case("", "Ed25519, nothing forged", (Rfc::Passes, "RFC 8463 §3"), ed.sign(TEMPLATE));
    ed25519(&mut ed)?;
    rsa.cases.append(&mut ed.cases);
    Ok(rsa.cases)
}

/// What is done to the header.
fn fields(make: &mut Maker) {
    use Rfc::{Fails, Open, Passes};
    let plain = make.sign(TEMPLATE);
    let above = |field: &str, message: &str| format!("{field}\r\n{message}");
    let open = (Open, "RFC 6376 §8.15");
    let second = above("From: eve@example.org", &plain);
    make.case(row::SECOND_FROM, "a second From above, From signed once", open, second);
    let spaced = above("From : eve@example.org", &plain);
    make.case(row::SECOND_FROM, "the same, written `From :`", open, spaced);
    let over = make.sign(&with_fields("from:from:to:subject"));
    let named = above("From: eve@example.org", &over);
    let broken = (Fails, "RFC 6376 §5.4.2");
    make.case(row::SECOND_FROM, "a second From above, From over-signed", broken, named);
    let alike = above("Resent-From: eve@example.org", &plain);
    make.case(row::NAMED_ALIKE, "Resent-From added", (Passes, "RFC 6376 §5.4.2"), alike);
    let unsigned = make.sign(&with_fields("to:subject"));
    let from = (Fails, "RFC 6376 §6.1.1");
    make.case(row::NAMED_ALIKE, "From not in `h=`", from, unsigned);
    let hash = (Fails, "RFC 6376 §3.7");
    let put = |what: &str| plain.replace("Is dinner", &format!("Is {what}dinner"));
    make.case(row::HEADER_OCTETS, "a NUL put into a signed field", hash, put("\0"));
    make.case(row::HEADER_OCTETS, "a bare CR put into a signed field", hash, put("\r"));
    let subject = above("Subject: Pay here", &plain);
    make.case(row::SECOND_SUBJECT, "a second Subject above, signed once", open, subject);
    let over = make.sign(&with_fields("from:to:subject:subject"));
    let subject = above("Subject: Pay here", &over);
    make.case(row::SECOND_SUBJECT, "a second Subject above, over-signed", broken, subject);
    let lowest = plain.replacen("ready?\r\n", "ready?\r\nSubject: Pay here\r\n", 1);
    make.case(row::SECOND_SUBJECT, "a second Subject below the signed one", broken, lowest);
}

/// What is done to the body.
fn body(make: &mut Maker) {
    use Rfc::{Fails, Open};
    let plain = make.sign(TEMPLATE);
    let octets = MESSAGE.split_once("\r\n\r\n").map_or(0, |(_, body)| body.len());
    let open = (Open, "RFC 6376 §8.2");
    let hash = (Fails, "RFC 6376 §3.7");
    let limited = make.sign(&with_tag(&format!("l={octets}")));
    make.case(row::APPENDED, "text behind `l=`", open, format!("{limited}Pay here.\r\n"));
    make.case(row::APPENDED, "text added, no `l=`", hash, format!("{plain}Pay here.\r\n"));
    let nothing = make.sign(&with_tag("l=0"));
    let other = nothing.replace("We lost the game.", "Pay here.");
    make.case(row::APPENDED, "another body under `l=0`", open, other);
    let part = MULTIPART.split_once("\r\n\r\n").map_or(0, |(_, body)| body.len());
    let limited = make.sign_other(&with_tag(&format!("l={part}")), MULTIPART);
    make.case(row::PART, "a MIME part behind `l=`", open, format!("{limited}{PART}"));
    let whole = make.sign_other(TEMPLATE, MULTIPART);
    make.case(row::PART, "a MIME part added, no `l=`", hash, format!("{whole}{PART}"));
    let expired = make.sign(&with_tag("t=1600000000; x=1600003600"));
    make.case(row::REPLAY, "sent again after `x=`", (Open, "RFC 6376 §6.1.1"), expired);
    let reversed = make.sign(&with_tag("t=1600003600; x=1600000000"));
    make.case(row::REPLAY, "`x=` before `t=`", (Fails, "RFC 6376 §3.5"), reversed);
    let bare = |with: &str| plain.replace("Hi.\r\n", &format!("Hi.{with}"));
    make.case(row::LINE_ENDS, "a line end of the body become a CR", hash, bare("\r"));
    make.case(row::LINE_ENDS, "a CR put into the body", hash, bare("\r\r\n"));
    let cut = plain.strip_suffix("game.\r\n").unwrap_or_default().to_owned();
    make.case(row::CUT, "the message cut within the body", hash, cut);
    let header = plain.split_inclusive("\r\n\r\n").next().unwrap_or_default().to_owned();
    make.case(row::CUT, "the message cut behind the header", hash, header);
}

/// What is written into the signature.
fn signature_field(make: &mut Maker) -> Result<()> {
    use Rfc::{Fails, Open, Passes};
    let plain = make.sign(TEMPLATE);
    let syntax = (Fails, "RFC 6376 §3.5");
    for (what, d, s, name) in [
        ("`s=*`, and a record at that name", "example.com", "*", "*._domainkey.example.com"),
        ("`s=` with `/`", "example.com", "a/b", "a/b._domainkey.example.com"),
    ] {
        let template = TEMPLATE.replace("d=example.com", &format!("d={d}"));
        let message = make.sign(&template.replace("s=sel", &format!("s={s}")));
        make.case(row::NAMES, what, syntax, message);
        if let (Some(case), true) = (make.cases.last_mut(), name != NAME) {
            case.records = BTreeMap::from([(name.to_owned(), make.record.clone())]);
        }
    }
    let domain = (Fails, "RFC 6376 §6.1.1");
    let other = make.sign(&with_tag("i=joe@example.org"));
    make.case(row::AUID, "`i=` of another domain", domain, other);
    let alike = make.sign(&with_tag("i=joe@notexample.com"));
    make.case(row::AUID, "`i=` that ends alike", domain, alike);
    let com = TEMPLATE.replace("d=example.com", "d=com");
    let top = make.sign(&com);
    make.case(row::TOP_LEVEL, "`d=com`", (Open, "RFC 6376 §6.1.1"), top);
    if let Some(case) = make.cases.last_mut() {
        case.records = BTreeMap::from([("sel._domainkey.com".to_owned(), make.record.clone())]);
    }
    let tagged = make.sign(&with_tag("zb=one"));
    make.case(row::LIKE_B, "a tag `zb=` that was signed", (Passes, "RFC 6376 §3.2"), &*tagged);
    let changed = tagged.replace("zb=one", "zb=two");
    make.case(row::LIKE_B, "a tag `zb=` changed", (Fails, "RFC 6376 §3.7"), changed);
    let twice = make.sign(&with_tag("d=example.com"));
    make.case(row::LIKE_B, "`d=` twice", (Fails, "RFC 6376 §3.2"), twice);
    let b = b_of(&plain)?;
    let marked = plain.replace(&b, &b.replacen('/', "/!", 1).replacen('A', "A!", 1));
    make.case(row::BASE64, "`!` within `b=`", syntax, marked);
    let open = (Open, "RFC 4648 §3.5");
    make.case(row::BASE64, "other bits left over in `b=`", open, plain.replace(&b, &left_over(&b)));
    let open = (Open, "RFC 4648 §3.2");
    make.case(
        row::BASE64,
        "`b=` without its padding",
        open,
        plain.replace(&b, b.trim_end_matches('=')),
    );
    let octets = MESSAGE.split_once("\r\n\r\n").map_or(0, |(_, body)| body.len());
    let wrapped = format!("l={}", (1_u128 << 64) + u128::try_from(octets)?);
    for (what, tag) in [
        ("`l=-1`", "l=-1"),
        ("`l=` of 2^64 and the length", wrapped.as_str()),
        ("`l=` more than there is", "l=1000"),
        ("`t=` that is no number", "t=never"),
        ("`x=` that is no number", "x=never"),
        ("`x=` of 20 digits", "x=99999999999999999999"),
    ] {
        let message = make.sign(&with_tag(tag));
        make.case(row::NUMBERS, what, syntax, message);
    }
    let unread = format!("DKIM-Signature: v=1; a=rsa-sha256; d=\r\n{plain}");
    let each = (Passes, "RFC 6376 §6.1");
    make.case(row::UNREADABLE, "a signature that cannot be read above", each, unread);
    Ok(())
}

/// What the first `b=` of a message holds.
fn b_of(message: &str) -> Result<String> {
    let b = message.split("\tb=").nth(1).and_then(|rest| rest.split("\r\n").next());
    Ok(b.context("no signature")?.to_owned())
}

/// The same octets, with a bit set that none of them has. The padding is of two characters.
fn left_over(b: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let Some(stem) = b.strip_suffix("==") else { return b.to_owned() };
    let last = stem.chars().last().and_then(|last| ALPHABET.find(last));
    let next = last.and_then(|at| ALPHABET.chars().nth(at + 1));
    let stem: String = stem.chars().take(stem.len().saturating_sub(1)).chain(next).collect();
    format!("{stem}==")
}

/// Other octets that a lax reader takes for the signature.
fn spellings_of_rsa(make: &mut Maker) -> Result<()> {
    let b = b_of(&make.sign(TEMPLATE))?;
    let signature = base64(&b).context("no base64")?;
    let changed = |make: &Maker, octets: &[u8]| make.sign(TEMPLATE).replace(&b, &to_base64(octets));
    let length = (Rfc::Fails, "RFC 8017 §8.2.2");
    let front = changed(make, &[&[0], &signature[..]].concat());
    make.case(row::TWO_SPELLINGS, "an octet of 0 in front of the signature", length, front);
    let behind = changed(make, &[&signature[..], &[0]].concat());
    make.case(row::TWO_SPELLINGS, "an octet of 0 behind it", length, behind);
    Ok(())
}

/// Keys and paddings under which a signature is right and proves nothing.
fn weak_rsa(make: &mut Maker) -> Result<()> {
    use Rfc::{Fails, Open, Passes};
    let rows = include_str!("../../../../dkim-verify/tests/weak_keys/signatures.txt");
    for (bits, algorithm, row, what, says) in [
        ("512", "rsa-sha256", row::SHORT_RSA, "RSA of 512 bits", (Fails, "RFC 8301 §3.2")),
        ("1023", "rsa-sha256", row::SHORT_RSA, "RSA of 1023 bits", (Fails, "RFC 8301 §3.2")),
        ("1024", "rsa-sha256", row::SHORT_RSA, "RSA of 1024 bits", (Passes, "RFC 8301 §3.2")),
        ("2048", "rsa-sha1", row::SHA1, "rsa-sha1", (Fails, "RFC 8301 §3.1")),
    ] {
        let begins = format!("{bits} {algorithm} ");
        let row_of_file = rows.lines().find(|row| row.starts_with(&begins));
        let columns: Vec<&str> = row_of_file.context("no such row")?.split(' ').collect();
        let [_, a, p, bh, b] = columns[..] else { anyhow::bail!("five columns") };
        let message = format!(
            "DKIM-Signature: v=1; a={a}; c=relaxed/relaxed; d=example.com; s=sel; h=from; \
             bh={bh}; b={b}\r\nFrom: joe@example.com\r\n\r\nHi.\r\n"
        );
        make.case(row, what, says, message);
        if let Some(case) = make.cases.last_mut() {
            case.records = BTreeMap::from([(NAME.to_owned(), format!("v=DKIM1; p={p}"))]);
        }
    }
    let hash = (Fails, "RFC 8017 §9.2");
    for (row, what, says, exponent, forger) in [
        (row::EXPONENT, "exponent 1", (Rfc::Open, "RFC 8017 §3.1"), 1, Forger::for_exponent_1()),
        (row::GARBAGE, "exponent 3, a cube root", hash, 3, Forger::for_exponent_3()),
        (
            "",
            "a key of known factors",
            (Passes, "RFC 8017 §9.2"),
            65_537,
            Forger::with_form(rsa::padded),
        ),
        (
            row::PADDING,
            "garbage behind the hash",
            hash,
            65_537,
            Forger::with_form(rsa::garbage_behind),
        ),
        (
            row::PADDING,
            "garbage in the parameters",
            hash,
            65_537,
            Forger::with_form(rsa::filled_parameters),
        ),
        (
            row::PADDING,
            "a length in too many octets",
            hash,
            65_537,
            Forger::with_form(rsa::long_length),
        ),
        (row::PADDING, "block type 2", hash, 65_537, Forger::with_form(rsa::block_type_2)),
        (
            row::PADDING,
            "no parameters",
            (Open, "RFC 8017 §8.2.2"),
            65_537,
            Forger::with_form(rsa::without_parameters),
        ),
    ] {
        let template = TEMPLATE.replace("ed25519-sha256", "rsa-sha256");
        make.case(row, what, says, sign_with(&forger, &template, MESSAGE.as_bytes()));
        if let Some(case) = make.cases.last_mut() {
            case.records = BTreeMap::from([(NAME.to_owned(), rsa::record(exponent)?)]);
        }
    }
    let plain = make.sign(TEMPLATE);
    let kind = (Fails, "RFC 6376 §6.1.2");
    make.case(row::OTHER_TYPE, "a key record for sha1 alone", kind, plain);
    if let Some(case) = make.cases.last_mut() {
        let record = make.record.replace("k=rsa;", "k=rsa; h=sha1;");
        case.records = BTreeMap::from([(NAME.to_owned(), record)]);
    }
    Ok(())
}

/// RFC 8032.
fn ed25519(make: &mut Maker) -> Result<()> {
    let plain = make.sign(TEMPLATE);
    let b = b_of(&plain)?;
    let neutral = {
        let mut octets = [0; 64];
        octets[0] = 1;
        plain.replace(&b, &to_base64(&octets))
    };
    for (what, says, first, last) in [
        ("a key of small order", (Rfc::Open, "RFC 8032 §5.1.7"), 1, 0),
        ("the same, in another spelling", (Rfc::Fails, "RFC 8032 §5.1.3"), 0xee, 0x7f),
    ] {
        make.case(row::SMALL_ORDER, what, says, neutral.clone());
        let mut point = if last == 0 { [0; 32] } else { [0xff; 32] };
        (point[0], point[31]) = (first, last);
        if let Some(case) = make.cases.last_mut() {
            let record = format!("v=DKIM1; k=ed25519; p={}", to_base64(&point));
            case.records = BTreeMap::from([(NAME.to_owned(), record)]);
        }
    }
    let mut signature = base64(&b).context("no base64")?;
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0_u16;
    for (octet, add) in signature.iter_mut().skip(32).zip(L) {
        carry += u16::from(*octet) + u16::from(add);
        [*octet, _] = carry.to_le_bytes();
        carry >>= 8;
    }
    let sum = plain.replace(&b, &to_base64(&signature));
    make.case(row::S_AND_L, "S + L", (Rfc::Fails, "RFC 8032 §5.1.7"), sum);
    Ok(())
}

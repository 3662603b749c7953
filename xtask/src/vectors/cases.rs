//! The tables that the generated vectors are made from.

use anyhow::Result;
use dkim_sign::{BodyLength, Expiration, Request, Timestamp};
use dkim_tags::Auid;

/// A message to be signed, what becomes of it, and what a verifier has to say.
pub(super) struct Case {
    pub(super) id: String,
    pub(super) title: &'static str,
    pub(super) section: &'static str,
    pub(super) header: &'static [u8],
    /// With the empty line that separates it from the header, if there is one.
    pub(super) body: &'static [u8],
    /// `rsa` or `ed25519`, as in `k=`.
    pub(super) algorithm: &'static str,
    pub(super) canonicalization: &'static str,
    pub(super) signed_fields: &'static str,
    pub(super) sdid: &'static str,
    /// What else is asked of the signer.
    pub(super) ask: fn(&mut Request) -> Result<()>,
    pub(super) transit: Transit,
    /// Key records, one a line; `{p}` stands for the key, a bar for a border between strings.
    pub(super) record: &'static str,
    /// Seconds from signing to verifying.
    pub(super) judged_after: u64,
    pub(super) expect: Expect,
}

/// Result and reason.
type Expect = (&'static str, &'static str);

/// What becomes of a message between signer and verifier.
pub(super) enum Transit {
    Unharmed,
    /// The first of these is replaced.
    Replaced(&'static str, &'static str),
    /// Put at the end of the body.
    Added(&'static str),
    /// Put on top of the header.
    OnTop(&'static str),
}

use Transit::{Added, OnTop, Replaced, Unharmed};

pub(super) const PLAIN_RECORD: &str = "v=DKIM1; k={k}; p={p}";

const PASS: Expect = ("pass", "ok");
const BODY: Expect = ("fail", "body-hash-mismatch");
const HEADER: Expect = ("fail", "signature-mismatch");

const HEAD: &[u8] = b"From: Alice <alice@example.com>\r\nTo: Bob <bob@example.net>\r\n\
    Subject: Report\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n";
const TEXT: &[u8] = b"\r\nHello Bob,\r\n\r\nas agreed.\r\n";

/// What the cases have in common.
fn case(id: String, title: &'static str, section: &'static str) -> Case {
    Case {
        id,
        title,
        section,
        header: HEAD,
        body: TEXT,
        algorithm: "ed25519",
        canonicalization: "relaxed/relaxed",
        signed_fields: "From:To:Subject:Date",
        sdid: "example.com",
        ask: |_| Ok(()),
        transit: Unharmed,
        record: PLAIN_RECORD,
        judged_after: 60,
        expect: PASS,
    }
}

pub(super) fn all() -> Vec<Case> {
    [canonicalizations(), bodies(), fields(), transits(), records(), tags()]
        .into_iter()
        .flatten()
        .collect()
}

/// All four canonicalizations with either algorithm, over a message with every kind of white space.
fn canonicalizations() -> Vec<Case> {
    let forms = ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"];
    let of = |algorithm| {
        forms.map(|canonicalization| Case {
            header: b"FROM:Alice\r\n\t<alice@example.com>  \r\nto: \t Bob <bob@example.net>\r\n\
                Subject:   a  b\t\tc\r\n  d \r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n",
            body: b"\r\n a  b \r\n\r\n\tc\t \td\t\r\n \t\r\n\r\n",
            algorithm,
            canonicalization,
            ..case(
                format!("canon-{algorithm}-{}", canonicalization.replace('/', "-")),
                "white space of every kind",
                "6376 3.4",
            )
        })
    };
    [of("rsa"), of("ed25519")].into_iter().flatten().collect()
}

/// Bodies of every shape.
fn bodies() -> Vec<Case> {
    #[rustfmt::skip]
    let shapes: [(&str, &str, &'static [u8]); 14] = [
        ("none", "no empty line, so no body", b""),
        ("empty", "an empty body", b"\r\n"),
        ("blank", "only empty lines", b"\r\n\r\n\r\n\r\n"),
        ("white", "only white space", b"\r\n \t \r\n"),
        ("unended-white", "only white space and no line end", b"\r\n \t "),
        ("unended", "no line end after the last line", b"\r\nHello Bob"),
        ("trailing-blank", "empty lines at the end", b"\r\nHello\r\n\r\n\r\n\r\n"),
        ("trailing-white", "lines of white space at the end", b"\r\nHello\r\n \r\n\t\r\n \t \r\n"),
        ("leading-blank", "empty lines at the start", b"\r\n\r\n\r\nHello\r\n"),
        ("inner-white", "white space at the start, in the middle and at the end of lines", b"\r\n  a \t b \r\n\tc\t\r\n"),
        ("nul", "NUL octets", b"\r\na\0b\0\r\n\0\r\n"),
        ("8-bit", "octets that are no ASCII", b"\r\nGr\xfc\xdfe, \xe2\x82\xac\xa0 \xff\r\n"),
        ("bare-ends", "CR and LF alone, signed as they are", b"\r\na\rb\nc\r\r\nd\n\r\n\n"),
        ("other-blanks", "form feed, vertical tab and no-break space are no white space", b"\r\na\x0c\x0c\r\nb\x0b \r\n\xc2\xa0\r\n"),
    ];
    let forms = [("simple", "rsa", "6376 3.4.3"), ("relaxed", "ed25519", "6376 3.4.4")];
    let of = |(form, algorithm, section)| {
        shapes.map(|(name, title, body)| Case {
            body,
            algorithm,
            canonicalization: if form == "simple" { "relaxed/simple" } else { "relaxed/relaxed" },
            ..case(format!("body-{name}-{form}"), title, section)
        })
    };
    forms.into_iter().flat_map(of).collect()
}

/// What `h=` names and which instances that means.
fn fields() -> Vec<Case> {
    const TWICE: &[u8] = b"Received: by c\r\nReceived: by b\r\nFrom: Alice <alice@example.com>\r\n\
        Subject: one\r\n";
    const ODD: &[u8] = b"From:\r\n Alice <alice@example.com>\r\nSubject :x\r\nX-Empty:\r\n\
        X-Empty-Fold: \r\n \r\nX-8: Gr\xc3\xbc\xc3\x9fe\r\nX-Colon: a:b\r\n";
    type Row = (&'static str, &'static str, &'static [u8], &'static str, Transit, Expect);
    #[rustfmt::skip]
    let rows: [Row; 12] = [
        ("from-alone", "only From", HEAD, "From", Unharmed, PASS),
        ("any-case", "names of any case", HEAD, "fRoM:TO:subject", Unharmed, PASS),
        ("absent", "names that are not there", HEAD, "From:Cc:X-Never", Unharmed, PASS),
        ("absent-added", "a name that was not there is there now", HEAD, "From:Cc", OnTop("Cc: eve@example.org\r\n"), HEADER),
        ("over-signed", "over-signed names", HEAD, "From:From:Subject:Subject", Unharmed, PASS),
        ("over-signed-added", "a second Subject where the first was over-signed", HEAD, "From:Subject:Subject", OnTop("Subject: Prize\r\n"), HEADER),
        ("last-of-two", "one name, two instances: the last is signed", TWICE, "Received:From", Unharmed, PASS),
        ("last-of-two-on-top", "what is above the signed instance does not matter", TWICE, "Received:From", OnTop("Received: by d\r\n"), PASS),
        ("both-of-two", "a name twice: from the bottom up", TWICE, "Received:From:Received", Unharmed, PASS),
        ("both-of-two-moved", "instances that changed places", TWICE, "Received:From:Received", Replaced("Received: by c\r\nReceived: by b\r\n", "Received: by b\r\nReceived: by c\r\n"), HEADER),
        ("odd", "fields folded at once, empty, 8-bit, with a space before the colon", ODD, "From:Subject:X-Empty:X-Empty-Fold:X-8:X-Colon", Unharmed, PASS),
        ("not-signed-changed", "a field that is not signed may change", HEAD, "From", Replaced("Subject: Report", "Subject: Anything"), PASS),
    ];
    let of = |(name, title, header, signed_fields, transit, expect)| Case {
        header,
        signed_fields,
        transit,
        expect,
        ..case(format!("h-{name}"), title, "6376 5.4")
    };
    rows.into_iter().map(of).collect()
}

/// What relays do to messages.
fn transits() -> Vec<Case> {
    type Row = (&'static str, &'static str, &'static str, Transit, Expect);
    #[rustfmt::skip]
    let rows: [Row; 11] = [
        ("header-space-simple", "white space added to a field", "simple/simple", Replaced("Subject: Report", "Subject:  Report"), HEADER),
        ("header-space-relaxed", "white space added to a field", "relaxed/simple", Replaced("Subject: Report", "SUBJECT : \r\n\t Report "), PASS),
        ("header-word-relaxed", "a word put into a field", "relaxed/relaxed", Replaced("Subject: Report", "Subject: No Report"), HEADER),
        ("body-space-simple", "white space added to a line", "simple/simple", Replaced("as agreed.", "as agreed. "), BODY),
        ("body-space-relaxed", "white space added to a line", "simple/relaxed", Replaced("as agreed.", "as \t agreed. "), PASS),
        ("body-indent-relaxed", "white space before a line that had none", "simple/relaxed", Replaced("as agreed.", " as agreed."), BODY),
        ("body-blank-simple", "empty lines added at the end", "simple/simple", Added("\r\n\r\n"), PASS),
        ("body-white-relaxed", "lines of white space added at the end", "relaxed/relaxed", Added(" \r\n\t\r\n"), PASS),
        ("body-footer", "a footer added", "relaxed/relaxed", Added("--\r\nA list\r\n"), BODY),
        ("body-bare-lf", "a line end without CR", "relaxed/relaxed", Replaced("Bob,\r\n", "Bob,\n"), BODY),
        ("from-on-top", "a second From on top", "relaxed/relaxed", OnTop("From: Eve <eve@example.org>\r\n"), ("policy", "multiple-from")),
    ];
    let of = |(name, title, canonicalization, transit, expect)| Case {
        canonicalization,
        transit,
        expect,
        ..case(format!("transit-{name}"), title, "6376 3.4, 3.8")
    };
    rows.into_iter().map(of).collect()
}

/// Key records of every kind. Lines are records; `!` and a word let the name fail.
fn records() -> Vec<Case> {
    const SYNTAX: Expect = ("permerror", "key-syntax");
    type Row = (&'static str, &'static str, &'static str, &'static str, Expect);
    #[rustfmt::skip]
    let rows: [Row; 26] = [
        ("p-alone", "rsa", "nothing but p=", "p={p}", PASS),
        ("all-tags", "rsa", "every tag, and one that nobody knows", "v=DKIM1; h=sha1 : sha256; k=rsa; n=a =3D b; s=email:other; t=x; future=1; p={p}; ", PASS),
        ("strings", "rsa", "strings cut anywhere", "v=DK|IM1; k|=rsa; p=|{p}", PASS),
        ("bare", "rsa", "an RSAPublicKey (erratum 3017)", "v=DKIM1; p={bare}", PASS),
        ("white-space", "ed25519", "white space around everything", " v = DKIM1 ;\tk = ed25519 ; p = {p} ;", PASS),
        ("granularity", "rsa", "g=, which counts no more", "v=DKIM1; g=joe; p={p}", PASS),
        ("alias", "ed25519", "a CNAME", "CNAME keys.example.org. v=DKIM1; k=ed25519; p={p}", PASS),
        ("testing", "rsa", "t=y changes no result", "v=DKIM1; t=y; p={p}", PASS),
        ("strict", "rsa", "t=s and no i=", "v=DKIM1; t=s; p={p}", PASS),
        ("several", "ed25519", "a record that is no key beside one that is", "some verification=1\nv=DKIM1; k=ed25519; p={p}", PASS),
        ("hash-other", "rsa", "another hash algorithm only", "v=DKIM1; h=sha1; p={p}", ("permerror", "key-hash")),
        ("service-other", "rsa", "another service only", "v=DKIM1; s=other; p={p}", ("permerror", "key-service")),
        ("service-any", "rsa", "all services", "v=DKIM1; s=*; p={p}", PASS),
        ("version-not-first", "rsa", "v= that does not come first", "k=rsa; v=DKIM1; p={p}", SYNTAX),
        ("version-other", "rsa", "another version", "v=DKIM2; p={p}", ("permerror", "key-version")),
        ("version-case", "rsa", "a version in lower case", "v=dkim1; p={p}", ("permerror", "key-version")),
        ("type-unknown", "rsa", "a key type that nobody knows", "v=DKIM1; k=rot13; p={p}", ("permerror", "key-type")),
        ("type-other", "rsa", "a key of another type", "v=DKIM1; k=ed25519; p={ed25519}", ("permerror", "key-type")),
        ("key-other", "rsa", "another key", "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB", HEADER),
        ("no-p", "rsa", "p= is missing", "v=DKIM1; k=rsa", SYNTAX),
        ("p-no-base64", "rsa", "p= is no base64", "v=DKIM1; p=!{p}", SYNTAX),
        ("p-cut", "ed25519", "31 octets", "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHUQ==", SYNTAX),
        ("duplicate", "rsa", "p= twice", "v=DKIM1; p={p}; p={p}", SYNTAX),
        ("revoked", "rsa", "an empty p=", "v=DKIM1; p=", ("permerror", "key-revoked")),
        ("servfail", "rsa", "the name servers fail", "!SERVFAIL", ("temperror", "key-unavailable")),
        ("dangling", "rsa", "a CNAME to nowhere", "CNAME nowhere.example.org.", ("permerror", "key-missing")),
    ];
    let of = |(name, algorithm, title, record, expect)| Case {
        algorithm,
        record,
        expect,
        ..case(format!("key-{name}"), title, "6376 3.6.1, 6.1.2")
    };
    rows.into_iter().map(of).collect()
}

/// Tags of the signature.
fn tags() -> Vec<Case> {
    type Ask = fn(&mut Request) -> Result<()>;
    type Row = (&'static str, &'static str, Ask, Transit, u64, Expect);
    let length = |request: &mut Request| {
        request.body_length = BodyLength::AsSigned;
        Ok(())
    };
    let expires = |request: &mut Request| {
        request.expiration = Expiration::After(3600);
        Ok(())
    };
    #[rustfmt::skip]
    let rows: [Row; 10] = [
        ("no-time", "no t=", |request| { request.timestamp = Timestamp::Absent; Ok(()) }, Unharmed, 60, PASS),
        ("t-skew", "t= in the future, as clocks go", |_| Ok(()), Unharmed, 0, PASS),
        ("x", "x= to come", expires, Unharmed, 3600, PASS),
        ("x-skew", "x= just passed, as clocks go", expires, Unharmed, 3600 + 300, PASS),
        ("x-passed", "x= passed", expires, Unharmed, 3600 + 301, ("fail", "expired")),
        ("l", "l= of the whole body", length, Unharmed, 60, PASS),
        ("l-added", "a footer behind what l= covers", length, Added("--\r\nA list\r\n"), 60, PASS),
        ("l-missing", "less body than l= says", length, Replaced("as agreed.\r\n", ""), 60, ("permerror", "l-too-long")),
        ("i", "an identity in a subdomain", |request| { request.auid = Some(Auid::parse("alice@mail.example.com")?); Ok(()) }, Unharmed, 60, PASS),
        ("i-quoted", "an identity of odd octets", |request| { request.auid = Some(Auid::parse("\"a;b=c \"@example.com")?); Ok(()) }, Unharmed, 60, PASS),
    ];
    let of = |(name, title, ask, transit, judged_after, expect)| Case {
        ask,
        transit,
        judged_after,
        expect,
        ..case(format!("tag-{name}"), title, "6376 3.5")
    };
    let strict = Case {
        ask: |request| {
            request.auid = Some(Auid::parse("@mail.example.com")?);
            Ok(())
        },
        record: "v=DKIM1; k={k}; t=y:s; p={p}",
        expect: ("permerror", "strict-domain"),
        ..case("tag-i-strict".to_owned(), "an identity in a subdomain, and t=s", "6376 3.6.1")
    };
    let u_label = Case {
        sdid: "bücher.example",
        header: "From: Alice <alice@bücher.example>\r\nTo: Bob <bob@example.net>\r\n\
                 Subject: Report\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
            .as_bytes(),
        ..case("tag-d-u-label".to_owned(), "a domain of U-labels", "8616")
    };
    rows.into_iter().map(of).chain([strict, u_label]).collect()
}

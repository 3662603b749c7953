//! Any value is read back as it was written; nothing put into a value gets out of its token.
#![allow(clippy::unwrap_used, missing_docs)]

use dkim_authres::{AuthenticationResults, MAX_OCTETS, ResInfo};

/// Marsaglia's xorshift: enough to wander through a grammar.
struct Random(u32);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        usize::try_from(self.0).unwrap() % limit
    }

    fn text(&mut self, pieces: &[&str], most: usize) -> String {
        let count = self.below(most + 1);
        (0..count).map(|_| pieces[self.below(pieces.len())]).collect()
    }

    fn keyword(&mut self) -> String {
        ["dkim", "spf", "X-a_1", "none", "reason", "-", "d", "header"][self.below(8)].to_owned()
    }

    fn version(&mut self) -> Option<u32> {
        [None, Some(0), Some(1), Some(u32::MAX)][self.below(4)]
    }

    fn value(&mut self, pieces: &[&str]) -> AuthenticationResults {
        let mut value = AuthenticationResults::new(self.text(pieces, 6));
        value.version = self.version();
        for _ in 0..self.below(4) {
            let mut result = ResInfo::new(self.keyword(), self.keyword());
            result.version = self.version();
            result.reason = (self.below(2) == 0).then(|| self.text(pieces, 12));
            for _ in 0..self.below(4) {
                result = result.prop(self.keyword(), self.keyword(), self.text(pieces, 8));
            }
            value.results.push(result);
        }
        value
    }
}

const HARMLESS: [&str; 37] = [
    "a",
    "b.c",
    "1",
    "@",
    "@d.e",
    ".",
    " ",
    "\t",
    "\"",
    "\\",
    "(",
    ")",
    ";",
    "=",
    "/",
    ",",
    "<",
    ">",
    "[",
    "]",
    "?",
    ":",
    "-",
    "_",
    "%",
    "example.com",
    "none",
    "; dkim=pass",
    "ü",
    "日本.例",
    "\u{a0}",
    "\u{3000}",
    "\u{200b}",
    "\"a b\"@c.d",
    "'",
    "\\\"",
    "reason=",
];

/// Fewer where each step is watched.
const ROUNDS: usize = if cfg!(miri) { 30 } else { 5_000 };

#[test]
fn value_write_parse() {
    let mut random = Random(0x2545_f491);
    for _ in 0..ROUNDS {
        let value = random.value(&HARMLESS);
        let body = value.field_body();
        assert_eq!(AuthenticationResults::parse(body.as_bytes()).as_ref(), Ok(&value), "{body}");
        for line in value.field().split("\r\n") {
            assert!(line.len() <= 998, "{line}");
        }
    }
}

#[test]
fn nothing_gets_out_of_its_token() {
    let hostile = [
        "\r",
        "\n",
        "\r\n",
        "\r\n X: y",
        "\r\n\r\n",
        "\0",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\u{2029}",
        "\u{1b}[2J",
        "\"",
        "\\",
        ";",
        "(",
        ")",
        "a",
        " ",
        "\\\r\n",
        "\"\r\n",
        "日",
    ];
    let mut random = Random(0x9e37_79b9);
    for _ in 0..ROUNDS {
        let mut value = random.value(&hostile);
        for result in &mut value.results {
            result.method.push_str(&random.text(&hostile, 2));
            result.result = random.text(&hostile, 2);
            for prop in &mut result.props {
                prop.ptype = random.text(&hostile, 2);
                prop.property.push_str(&random.text(&hostile, 2));
            }
        }
        let field = value.field();
        let lines: Vec<_> = field.strip_suffix("\r\n").unwrap().split("\r\n").collect();
        assert!(lines[1..].iter().all(|line| line.starts_with("    ") && line.trim() != ""));
        assert!(!lines.concat().contains(|c: char| c.is_control()), "{field:?}");
        let read = AuthenticationResults::parse(value.field_body().as_bytes())
            .unwrap_or_else(|error| panic!("{field}{error}"));
        let shape = |value: &AuthenticationResults| -> Vec<_> {
            value.results.iter().map(|info| (info.reason.is_some(), info.props.len())).collect()
        };
        assert_eq!(shape(&read), shape(&value), "{field}");
        assert_eq!(read.version, value.version);
    }
}

#[test]
fn lines_fold_between_tokens() {
    let value = AuthenticationResults::new("mx.example.org")
        .with(
            ResInfo::new("dkim", "pass")
                .prop("header", "d", "example.com")
                .prop("header", "i", "joe@example.com")
                .prop("header", "a", "rsa-sha256")
                .prop("header", "s", "2026")
                .prop("header", "b", "oINEO8/g"),
        )
        .with(ResInfo::new("dkim-adsp", "none").prop("header", "from", "\"joe x\"@example.com"));
    assert_eq!(
        value.field(),
        "Authentication-Results: mx.example.org;\r\n    \
         dkim=pass header.d=example.com header.i=joe@example.com\r\n    \
         header.a=rsa-sha256 header.s=2026 header.b=\"oINEO8/g\";\r\n    \
         dkim-adsp=none header.from=\"joe x\"@example.com\r\n"
    );
}

/// RFC 5322 §2.1.1: a line "SHOULD be no more than 78 characters, excluding the CRLF".
#[test]
fn lines_have_78_characters() {
    for (characters, lines) in [(78, 2), (79, 3)] {
        let before = "    dkim=pass header.d=";
        let d = "\u{fc}".repeat(characters - before.len() - ".example".len()) + ".example";
        let result = ResInfo::new("dkim", "pass").prop("header", "d", d);
        let field = AuthenticationResults::new("x").with(result).field();
        assert_eq!(field.lines().count(), lines, "{field}");
    }
}

/// RFC 8601 §2.2: `pvalue = [CFWS] ( value / [ [ local-part ] "@" ] domain-name ) [CFWS]`; the
/// domain-name is one of RFC 6376 §3.5, the local-part has UTF-8 (RFC 6532 §3.2).
#[test]
fn what_is_neither_token_nor_identity_is_quoted() {
    let written = |value: &str| {
        let result = ResInfo::new("dkim", "pass").prop("header", "x", value);
        let value = AuthenticationResults::new("x").with(result);
        let body = value.field_body();
        assert_eq!(AuthenticationResults::parse(body.as_bytes()).as_ref(), Ok(&value), "{body}");
        body.split_once("header.x=").unwrap().1.to_owned()
    };
    for identity in [
        "joe@example.com",
        "@example.com",
        "@a-b.1.xn--p1ai",
        "o'joe+a.b@mail.example.com",
        "\"a b\"@example.com",
        "bücher.example",
        "jörg@bücher.example",
        "j\u{1f600}@example.com",
        "a\u{301}.\u{2603}@example.com",
        "a@\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940}.\u{92d}\u{93e}\u{930}\u{924}",
        "joe@a\u{1f600}.example",
        // Tokens.
        "my_host.example",
        "-.-",
        "rsa-sha256",
    ] {
        assert_eq!(written(identity), identity);
    }
    for other in [
        "x@-.-",
        "q@_.-",
        "joe@-a.b.example",
        "joe@a-.b.example",
        "joe@my_host.example",
        "joe@bücher-.example",
        "joe@example",
        "joe@example.",
        "joe@.example",
        ".joe@example.com",
        "j\u{a0}oe@example.com",
        "joe@a\u{a0}b.example",
    ] {
        assert_eq!(written(other), format!("\"{other}\""));
    }
}

#[test]
fn what_is_too_long_is_cut() {
    let long = "\\\"ü".repeat(2000);
    let result = ResInfo::new(&long, &long).reason(&long).prop(&long, &long, &long);
    let value = AuthenticationResults::new("a".repeat(5000)).with(result);
    let field = value.field();
    assert!(field.split("\r\n").all(|line| line.len() <= 998), "{field}");
    // A fold that makes a line of white space alone is obsolete (RFC 5322 §4.2).
    assert!(field.split_terminator("\r\n").all(|line| !line.trim().is_empty()), "{field}");
    let read = AuthenticationResults::parse(value.field_body().as_bytes()).unwrap();
    assert!(long.starts_with(read.results[0].reason.as_deref().unwrap()));
    let signature = "A".repeat(684);
    let value = AuthenticationResults::new("x").with(ResInfo::new("dkim", "pass").prop(
        "header",
        "b",
        format!("{signature}=="),
    ));
    assert_eq!(AuthenticationResults::parse(value.field_body().as_bytes()), Ok(value));
}

#[test]
fn mutated_fields_never_panic_and_what_is_read_reads_back() {
    let seed = b"foo.example.net (foobar) 1 (b(a)z);\r\n dkim (x) / 1 = fail reason=\"a\\\"b\"\
                 policy . expired = \"a b\" (c) @d.e; spf=pass smtp.mailfrom=a@b.c;";
    let mut random = Random(0x1234_5677);
    let own = dkim_authres::OwnIds::new(["example.net"]).unwrap();
    for _ in 0..ROUNDS {
        let mut body = seed.to_vec();
        for _ in 0..=random.below(3) {
            let at = random.below(body.len());
            let octet = b"()<>@;\\,.\"= \t\r\n\0\x80\xc3a1/"[random.below(21)];
            match random.below(3) {
                0 => body[at] = octet,
                1 => body.insert(at, octet),
                _ => drop(body.remove(at)),
            }
        }
        drop(dkim_authres::forged([("Authentication-Results", &body)], &own));
        if let Ok(value) = AuthenticationResults::parse(&body) {
            let again = AuthenticationResults::parse(value.field_body().as_bytes());
            assert_eq!(again, Ok(value), "{}", String::from_utf8_lossy(&body));
        }
    }
}

#[test]
fn what_would_not_be_read_is_left_out_and_counted() {
    let results = |count: usize, text: &str| {
        let one = ResInfo::new("dkim", "permerror").reason(text).prop("header", "d", "a.example");
        // Longer than the others: it does not stay because it fits in what they leave.
        let joe = format!("joe.{}@b.example", "x".repeat(700));
        let last = ResInfo::new("dkim-adsp", "discard")
            .reason("y".repeat(780))
            .prop("header", "from", joe);
        let value = AuthenticationResults::new("x".repeat(2_000));
        vec![one; count].into_iter().chain([last]).fold(value, AuthenticationResults::with)
    };
    let long = "y ".repeat(1_000);
    let cases =
        [(if cfg!(miri) { 90 } else { 500 }, &*long), (3_000, "the signature has no tag bh=")];
    for (count, text) in cases.into_iter().take(if cfg!(miri) { 1 } else { 2 }) {
        let value = results(count, text);
        let body = value.field_body();
        assert!(body.len() <= MAX_OCTETS);
        assert!(body.len() > MAX_OCTETS - 2_000, "no more than must be is left out");
        let read = AuthenticationResults::parse(body.as_bytes()).unwrap();
        let left_out = value.results.len() - read.results.len();
        assert!(body.ends_with(&format!("\r\n    (results left out: {left_out})")), "{left_out}");
        assert_eq!(read.results.first().unwrap().method, "dkim");
        assert_eq!(read.results.last(), value.results.last());
    }
    assert!(!results(100, "x").field_body().contains('('));
    // A single result that cannot be read is not written either.
    let endless =
        (0..100).fold(ResInfo::new("x", "y"), |info, _| info.prop("a", "b", "c".repeat(800)));
    let body = AuthenticationResults::new("a.example").with(endless).field_body();
    assert_eq!(body, "a.example; none\r\n    (results left out: 1)");
    assert!(AuthenticationResults::parse(body.as_bytes()).is_ok());
}

/// RFC 8601 §2.5: a message may be one of ASCII.
#[test]
fn who_says_so_is_told_in_a_labels() {
    for (id, told) in [
        ("b\u{fc}cher.example", "xn--bcher-kva.example"),
        ("mx.B\u{dc}CHER.example", "mx.xn--bcher-kva.example"),
        ("MX.example", "MX.example"),
        ("our b\u{fc}ro", "our b\u{fc}ro"),
        ("b\u{fc}_ro.example", "b\u{fc}_ro.example"),
        ("mx_1.b\u{fc}cher.example", "mx_1.xn--bcher-kva.example"),
    ] {
        assert_eq!(AuthenticationResults::new(id).authserv_id, told);
    }
    // Nothing is mapped that is too long for a name.
    let long = "\u{fc}".repeat(1_000);
    assert_eq!(AuthenticationResults::new(&*long).authserv_id, long);
}

/// With a local-part just so long, what a cut leaves of a domain is another one.
#[test]
fn no_cut_makes_another_identity() {
    let written = |value: &str| {
        let result = ResInfo::new("dkim", "pass").prop("header", "i", value);
        let body = AuthenticationResults::new("x").with(result).field_body();
        let read = AuthenticationResults::parse(body.as_bytes()).unwrap();
        read.results[0].props.first().map(|prop| prop.value.clone())
    };
    let domain = "bank.example.attacker.example";
    for length in 700..1_000 {
        let plain = "p".repeat(length);
        for local_part in [&plain, &format!("\" {plain}\"")] {
            let identity = format!("{local_part}@{domain}");
            let fits = identity.len() <= 800;
            let expected = if fits { identity.clone() } else { format!("@{domain}") };
            assert_eq!(written(&identity), Some(expected), "{length}");
        }
    }
    assert_eq!(written(&format!("{}@bank", "p".repeat(900))), None);
    assert_eq!(written(&format!("bank.example.{}", "a.".repeat(500))), None);
    let longest = "b.".repeat(394) + "example.com";
    assert_eq!(written(&format!("p@{longest}")), Some(format!("@{longest}")));
    assert_eq!(written(&format!("p@a{longest}")), None);
    // Nor does a space in the place of what ends lines.
    for end in ["\r\n", "\0", "\u{85}", "\u{2028}"] {
        assert_eq!(written(&format!("joe{end}@bank.example")), Some("@bank.example".to_owned()));
        assert_eq!(
            written(&format!("\"j{end}oe\"@bank.example")),
            Some("@bank.example".to_owned())
        );
        assert_eq!(written(&format!("joe@bank{end}.example")), None);
    }
    assert_eq!(written("two\nwords"), Some("two words".to_owned()));
}

/// Control characters become spaces and long values are cut: what is left may be an identity or a
/// token, and is written as one at once.
#[test]
fn what_is_mended_is_written_the_same_twice() {
    let long = format!("a@{}c", "b.".repeat(500));
    for text in [
        "\"@)\u{1}\"@ab.c",
        "\"a\u{2028}b\"@c.d",
        "a@b.c\u{1}",
        "b.c\u{1}d.e",
        &long,
        &"a".repeat(900),
    ] {
        let result = ResInfo::new("dkim", "pass").reason(text).prop("header", "i", text);
        let once = AuthenticationResults::new(text).with(result).field_body();
        let twice = AuthenticationResults::parse(once.as_bytes()).unwrap().field_body();
        assert_eq!(twice, once, "{text:?}");
    }
}

#[test]
fn limits_from_both_sides() {
    let octets = |count: usize| {
        let (before, after) = ("x; a=b c.d=\"", "\"");
        format!("{before}{}{after}", "y".repeat(count - before.len() - after.len()))
    };
    assert!(AuthenticationResults::parse(octets(MAX_OCTETS).as_bytes()).is_ok());
    assert!(AuthenticationResults::parse(octets(MAX_OCTETS + 1).as_bytes()).is_err());
    // A value of 800 octets and a keyword of 64; of more, a property is left out, the rest is cut.
    let written = |text: &str| {
        let result = ResInfo::new(text, "pass").reason(text).prop("header", "d", text);
        let body = AuthenticationResults::new("x").with(result).field_body();
        let mut read = AuthenticationResults::parse(body.as_bytes()).unwrap();
        let ResInfo { method, reason, props, .. } = read.results.remove(0);
        (method.len(), reason.unwrap().len(), props.first().map(|prop| prop.value.len()))
    };
    assert_eq!(written(&"a".repeat(64)), (64, 64, Some(64)));
    assert_eq!(written(&"a".repeat(65)), (64, 65, Some(65)));
    assert_eq!(written(&"a".repeat(800)), (64, 800, Some(800)));
    // There would be room for quotes.
    assert_eq!(written(&"a".repeat(801)), (64, 798, None));
    // And so do backslashes: there is room for 399 pairs.
    assert_eq!(written(&"\\".repeat(399)), (64, 399, Some(399)));
    assert_eq!(written(&"\\".repeat(400)), (64, 399, None));
    assert_eq!(written(&format!("a{}", "\\".repeat(500))), (64, 1 + 398, None));
}

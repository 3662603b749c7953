//! Every form of RFC 1035 §5.1 is read as it says, and what cannot be read is named by its line.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use dkim_dns::{Answer, LookupError, Query, QueryId, QueryKind, Zone, ZoneError, ZoneErrorKind};

fn ask(zone: &Zone, name: &str) -> Answer {
    zone.answer(&Query { id: QueryId(0), name: name.to_owned(), kind: QueryKind::Txt })
}

/// The strings of the only TXT record at a name.
fn strings(zone: &Zone, name: &str) -> Vec<Vec<u8>> {
    let found = ask(zone, name).unwrap();
    assert_eq!(found.records.len(), 1, "{name}");
    found.records[0].strings.clone()
}

fn read(file: impl AsRef<[u8]>) -> Zone {
    Zone::parse(file.as_ref()).unwrap()
}

/// The strings of the TXT record at `a.` that has this data.
fn data(rdata: impl AsRef<[u8]>) -> Vec<Vec<u8>> {
    strings(&read([b"a. TXT ", rdata.as_ref(), b"\n"].concat()), "a")
}

fn ttl(file: &str) -> u64 {
    ask(&read(file), "a").unwrap().ttl.as_secs()
}

fn error(file: impl AsRef<[u8]>) -> (usize, ZoneErrorKind) {
    let ZoneError { line, kind, .. } = Zone::parse(file.as_ref()).unwrap_err();
    (line, kind)
}

/// RFC 1035 §5.1: whoever reads the file may know its origin.
#[test]
fn an_origin_may_be_said_elsewhere() {
    let file = b"@ IN TXT here\ns._domainkey IN TXT k\n$ORIGIN sub\nt IN TXT x\n";
    assert!(Zone::parse(file).is_err());
    for origin in ["Example.com", "example.com."] {
        let zone = Zone::parse_with_origin(file, origin).unwrap();
        for name in ["example.com", "s._domainkey.example.com", "t.sub.example.com"] {
            let query = Query { id: QueryId(0), name: name.to_owned(), kind: QueryKind::Txt };
            assert!(zone.answer(&query).is_ok(), "{name}");
        }
    }
    let error = Zone::parse_with_origin(b"", "a..b").unwrap_err();
    assert_eq!(error.line, 1);
}

#[test]
fn an_empty_file_is_an_empty_zone() {
    for file in ["", "\n", "\r\n\r\n", " \t \n\n  ", "; nothing", "$TTL 1h\n$ORIGIN .\n", "\t"] {
        assert_eq!(read(file), Zone::new(), "{file:?}");
    }
}

#[test]
fn key_record_as_key_generators_write_it() {
    let zone = read(concat!(
        "$ORIGIN example.com.\n",
        "sel._domainkey\tIN\tTXT\t( \"v=DKIM1; h=sha256; k=rsa; \"\n",
        "\t  \"p=MIIBIjAN\"\n",
        "\t  \"BgkqhkiG\" )  ; ----- DKIM key sel for example.com\n",
    ));
    assert_eq!(
        strings(&zone, "sel._domainkey.example.com"),
        [&b"v=DKIM1; h=sha256; k=rsa; "[..], b"p=MIIBIjAN", b"BgkqhkiG"]
    );
}

#[test]
fn quoted_and_bare_strings() {
    assert_eq!(data("one"), [b"one"]);
    assert_eq!(data("one two"), [b"one", b"two"]);
    assert_eq!(data("\"one two\" three\t\"\""), [&b"one two"[..], b"three", b""]);
    assert_eq!(data("\"\""), [b""]);
    assert_eq!(data("\"a\"\"b\"c"), [b"a", b"b", b"c"]);
    assert_eq!(data("\"a;b(c)d\" ; \"not\" (this"), [b"a;b(c)d"]);
    assert_eq!(data("a;b"), [b"a"]);
    assert_eq!(data(b"\"\xc3\xa4\x00\xff\""), [b"\xc3\xa4\x00\xff"]);
    // What looks like a TTL, a class, a type, an origin or a control entry is data here.
    assert_eq!(data("300 IN TXT @ $TTL"), [&b"300"[..], b"IN", b"TXT", b"@", b"$TTL"]);
}

#[test]
fn escapes() {
    assert_eq!(data(r"v=DKIM1\;\032k=rsa\;p=x"), [b"v=DKIM1; k=rsa;p=x"]);
    assert_eq!(data(r#""a\"b\\c\;\x\065\000\255""#), [b"a\"b\\c;xA\x00\xff"]);
    assert_eq!(data(r#"\"a\ b\(c\)"#), [b"\"a b(c)"]);
    assert_eq!(data(r"\0651"), [b"A1"]);
    let zone = read("a\\.b.\\042c.d. TXT x\n");
    let shown = format!("{zone:?}");
    assert!(shown.contains(&format!("{:?}", b"a.b")) && shown.contains(&format!("{:?}", b"*c")));
    assert_eq!(ask(&zone, "a.b.*c.d"), Err(LookupError::NoSuchName));
    assert!(ask(&read("\\097\\B.c. TXT x\n"), "ab.c").is_ok());
    assert!(ask(&read("$ORIGIN c.\n\\@ TXT x\n"), "@.c").is_ok());
}

#[test]
fn parentheses_join_lines() {
    assert_eq!(
        data("( one\n two ; (comment\n\n\"three\"\n) four"),
        [&b"one"[..], b"two", b"three", b"four"]
    );
    assert_eq!(data("(one)(two)three"), [&b"one"[..], b"two", b"three"]);
    assert_eq!(data("((one\n)\ntwo\n)"), [b"one", b"two"]);
    let zone = read("(a.\n300\nIN\nTXT\nx)\n( b. TXT y )\n");
    assert_eq!(strings(&zone, "a"), [b"x"]);
    assert_eq!(strings(&zone, "b"), [b"y"]);
    // Inside, a line that begins with a directive is a comment.
    assert_eq!(strings(&read("a. TXT (\n;! SERVFAIL a.\nx)"), "a"), [b"x"]);
}

#[test]
fn omitted_owner_is_the_one_before() {
    let zone = read(concat!(
        "$ORIGIN example.com.\n",
        "@ 3600 IN SOA ns hostmaster ( 1 ; serial\n 3600 900\n 604800 300 )\n",
        "\tIN NS ns\n",
        "\n \t \n  ; a comment\n;x\n$TTL 5\n",
        " TXT \"still the origin\"\n",
        "sel TXT one\n",
        "$ORIGIN other.\n",
        "\tTXT two\n",
    ));
    assert_eq!(strings(&zone, "example.com"), [b"still the origin"]);
    assert_eq!(ask(&zone, "sel.example.com").unwrap().records.len(), 2);
    assert_eq!(ask(&zone, "sel.other"), Err(LookupError::NoSuchName));
    // At the beginning of a line everything is an owner.
    let zone = read("$ORIGIN e.\nIN TXT x\n300 TXT y\nTXT TXT z\n");
    assert_eq!(
        [strings(&zone, "in.e"), strings(&zone, "300.e"), strings(&zone, "txt.e")],
        [[b"x"], [b"y"], [b"z"]]
    );
}

#[test]
fn ttl_and_class_in_either_order_or_omitted() {
    for entry in [
        "a. TXT x",
        "a. IN TXT x",
        "a. 7 TXT x",
        "a. 7 IN TXT x",
        "a. IN 7 TXT x",
        "a. in 7 txt x",
        "a. CLASS1 TXT x",
        "a. 7 class1 TXT x",
    ] {
        assert_eq!(strings(&read(entry), "a"), [b"x"], "{entry}");
        assert_eq!(ttl(entry), if entry.contains('7') { 7 } else { 3600 });
    }
}

/// Whatever looks like one and has no number, or no other type.
#[test]
fn names_of_types_are_no_classes() {
    for entry in ["b. CLASSX x", "b. CLASS x", "b. CLASS1X x", "b. TYPE257 x"] {
        let zone = read(format!("a. TXT x\n{entry}\n"));
        assert_eq!(strings(&zone, "a"), [b"x"], "{entry}");
    }
}

#[test]
fn ttl_units() {
    assert_eq!(ttl("a. 0 TXT x"), 0);
    assert_eq!(ttl("a. 1h30m TXT x"), 5400);
    assert_eq!(ttl("a. 1W2D3H4M5S TXT x"), 788_645);
    assert_eq!(ttl("a. 2147483647 TXT x"), 2_147_483_647);
    for bad in ["2147483648", "99999999999999999999", "3551w", "1h30", "1x", "1hh", "1-"] {
        let kind = ZoneErrorKind::Ttl(bad.to_owned());
        assert_eq!(error(format!("a. {bad} TXT x")), (1, kind.clone()));
        assert_eq!(error(format!("\n$TTL {bad}\n")), (2, kind));
    }
    let sum = "1w".repeat(100_000);
    assert!(matches!(error(format!("$TTL {sum}")), (1, ZoneErrorKind::Ttl(_))));
}

#[test]
fn default_ttls() {
    // RFC 2308 §4: up to the next $TTL, for records without one of their own.
    assert_eq!(ttl("$TTL 1m\na. TXT x"), 60);
    assert_eq!(ttl("$TTL 1m ; comment\nb. 9 TXT x\na. TXT x"), 60);
    assert_eq!(ttl("$TTL 1m\n$ttl 2m\na. TXT x"), 120);
    // RFC 1035 §5.1: the last one stated, of whatever type.
    assert_eq!(ttl("b. 9 A 192.0.2.1\na. TXT x"), 9);
    // RFC 2181 §5.2: the smallest of the set.
    assert_eq!(ttl("a. 9 TXT x\na. 8 TXT y\na. 7 A 192.0.2.1"), 8);
    assert_eq!(ask(&read("a. 9 TXT x"), "a").unwrap().ttl, Duration::from_secs(9));
}

#[test]
fn origins() {
    let zone = read(concat!(
        "$ORIGIN com.\n",
        "SEL._DomainKey.Example TXT one\n",
        "$ORIGIN example\n",
        "@ TXT two\n",
        "x.y TXT three\n",
        "absolute. TXT four\n",
        "$ORIGIN .\n",
        "top TXT five\n",
        "@ TXT root\n",
        ". TXT root\n",
    ));
    let names = ["sel._domainkey.example.com", "example.com", "x.y.example.com", "absolute", "top"];
    for (name, text) in names.iter().zip(["one", "two", "three", "four", "five"]) {
        assert_eq!(strings(&zone, name), [text.as_bytes()]);
        assert_eq!(strings(&zone, &name.to_uppercase()), [text.as_bytes()]);
    }
    assert_eq!(strings(&zone, ""), [b"root"]);
    let zone = read("$ORIGIN b.\na.b. CNAME @\n@ CNAME c\nc TXT x\n");
    assert_eq!(ask(&zone, "a.b").unwrap().chain, ["b", "c.b"]);
}

#[test]
fn line_ends() {
    for end in ["\n", "\r\n"] {
        let file =
            ["$TTL 5", "a. TXT \"x\" y", "\tTXT (", "\"z\"", ")", "b. CNAME a.", ""].join(end);
        for file in [&file, file.trim_end()] {
            let found = ask(&read(file), "b").unwrap();
            let texts: Vec<_> = found.records.iter().map(dkim_dns::Record::joined).collect();
            assert_eq!(texts, [&b"xy"[..], b"z"]);
        }
    }
}

#[test]
fn other_types_only_exist() {
    let zone = read(concat!(
        "soa. SOA ns. host. ( 1 2 3 4 5 )\n",
        "mx. MX 10 mx.example.\n",
        "a. IN A 192.0.2.1\n",
        "new. NSAP-PTR x\n",
        "odd. TYPE65280 \\# 3 abcdef\n",
        "caa. CAA 0 issue \"ca.example; x=y\"\n",
        "bad. A not-an-address \\999\n",
    ));
    for name in ["soa", "mx", "a", "new", "odd", "caa", "bad"] {
        assert_eq!(ask(&zone, name), Err(LookupError::NoRecords), "{name}");
    }
}

#[test]
fn failure_directives() {
    let zone = read(concat!(
        ";! SERVFAIL one.example.\n",
        "  ;!timeout\tTWO.example.   ; because\r\n",
        "$ORIGIN example.\n",
        ";! TIMEOUT three;x\n",
        ";!!! SERVFAIL four\n",
        ";! something else (\n",
        ";!\n",
        "; ! SERVFAIL five\n",
        "six TXT x ;! SERVFAIL six\n",
        "one TXT x\n",
        ";! servfail seven.example.",
    ));
    let failed = Err(LookupError::Failed("SERVFAIL".to_owned()));
    assert_eq!(ask(&zone, "one.example"), failed);
    assert_eq!(ask(&zone, "two.example"), Err(LookupError::Timeout));
    assert_eq!(ask(&zone, "three.example"), Err(LookupError::Timeout));
    assert_eq!(ask(&zone, "four.example"), Err(LookupError::NoSuchName));
    assert_eq!(ask(&zone, "five.example"), Err(LookupError::NoSuchName));
    assert_eq!(strings(&zone, "six.example"), [b"x"]);
    assert_eq!(ask(&zone, "seven.example"), failed);

    let argument = ZoneErrorKind::NoArgument;
    assert_eq!(error("\n;! SERVFAIL\n"), (2, argument(";! SERVFAIL")));
    assert_eq!(error(";! TIMEOUT ; x.\n"), (1, argument(";! TIMEOUT")));
    assert_eq!(error(";! SERVFAIL a. b.\n"), (1, ZoneErrorKind::Trailing("b.".to_owned())));
    assert_eq!(error(";! SERVFAIL a\n"), (1, ZoneErrorKind::Relative("a".to_owned())));
}

#[test]
fn errors_name_the_line_and_the_fault() {
    use ZoneErrorKind as Kind;
    let text = |of: fn(String) -> Kind, text: &str| of(text.to_owned());
    let cases = [
        ("a. TXT (x\n\n", 1, Kind::UnclosedParenthesis),
        ("a. TXT (x\n(y\n)\n", 1, Kind::UnclosedParenthesis),
        ("\na. TXT x)\n", 2, Kind::UnopenedParenthesis),
        ("a. TXT (x\r\n\"y\r\n)", 2, Kind::UnclosedQuote),
        ("a. TXT \"x\\\"\n", 1, Kind::UnclosedQuote),
        ("a. TXT \"x\\\n\"", 1, Kind::UnclosedQuote),
        ("a. TXT x\\\n", 1, Kind::Escape),
        ("a. TXT \\\n", 1, Kind::Escape),
        ("a. TXT (\n x\\", 2, Kind::Escape),
        ("a. TXT (\n \\256)", 2, Kind::Escape),
        ("a. TXT \"\\12\"", 1, Kind::Escape),
        ("a. TXT \\1x3", 1, Kind::Escape),
        ("a\\999. TXT x", 1, Kind::Escape),
        ("\n\n TXT x\n", 3, Kind::NoOwner),
        ("a TXT x\n", 1, text(Kind::Relative, "a")),
        ("@ TXT x\n", 1, text(Kind::Relative, "@")),
        ("$ORIGIN a\n", 1, text(Kind::Relative, "a")),
        ("a. CNAME b\n", 1, text(Kind::Relative, "b")),
        ("\"a.\" TXT x\n", 1, Kind::QuotedName),
        ("a. CNAME \"b.\"\n", 1, Kind::QuotedName),
        ("a. CH TXT x\n", 1, text(Kind::Class, "CH")),
        ("a. CLASS3 TXT x\n", 1, text(Kind::Class, "CLASS3")),
        ("a. 60 class65535 TXT x\n", 1, text(Kind::Class, "class65535")),
        ("a.\n", 1, Kind::NoType),
        ("a. 300 IN ; x\n", 1, Kind::NoType),
        ("a. 1 2 TXT x\n", 1, text(Kind::NotAType, "2")),
        ("a. IN \"TXT\" x\n", 1, text(Kind::NotAType, "TXT")),
        ("a. v=DKIM1 x\n", 1, text(Kind::NotAType, "v=DKIM1")),
        ("a. TXT\n", 1, Kind::NoData),
        ("a. A ; 192.0.2.1\n", 1, Kind::NoData),
        ("a. CNAME b. c.\n", 1, text(Kind::Trailing, "c.")),
        ("$TTL 1 2\n", 1, text(Kind::Trailing, "2")),
        ("$ORIGIN a. b.\n", 1, text(Kind::Trailing, "b.")),
        ("a. TXT \\# 1 00\n", 1, Kind::UnknownTypeForm),
        ("a. TYPE16 \\# 1 00\n", 1, Kind::UnknownTypeForm),
        ("\n$INCLUDE other.zone\n", 2, Kind::Include),
        ("$GENERATE 1-2 a$ A 1.2.3.$\n", 1, text(Kind::Control, "$GENERATE")),
        ("$\n", 1, text(Kind::Control, "$")),
        ("$ORIGIN ; a.\n", 1, Kind::NoArgument("$ORIGIN")),
        ("$TTL\n", 1, Kind::NoArgument("$TTL")),
    ];
    for (file, line, kind) in cases {
        assert_eq!(error(file), (line, kind), "{file:?}");
    }
}

#[test]
fn limits_of_names_and_strings() {
    use dkim_dns::NameError;
    let label = "x".repeat(63);
    let name = |error| ZoneErrorKind::Name(error);
    assert!(Zone::parse(format!("{label}. TXT x").as_bytes()).is_ok());
    assert_eq!(error(format!("{label}x. TXT x")), (1, name(NameError::LabelTooLong(64))));
    assert_eq!(error("a..b. TXT x"), (1, name(NameError::EmptyLabel)));
    assert_eq!(error(".. TXT x"), (1, name(NameError::EmptyLabel)));
    assert_eq!(error(".a. TXT x"), (1, name(NameError::EmptyLabel)));
    let origin = [&*label; 3].join(".");
    let file = |last: usize| format!("$ORIGIN {origin}.\n{} TXT x", "x".repeat(last));
    assert!(Zone::parse(file(61).as_bytes()).is_ok());
    assert_eq!(error(file(62)), (2, name(NameError::TooLong(256))));

    assert_eq!(data("x".repeat(255)), ["x".repeat(255).into_bytes()]);
    assert_eq!(
        error(format!("a. TXT y\n TXT (\n{})", "x".repeat(256))),
        (3, ZoneErrorKind::StringTooLong(256))
    );
    assert_eq!(data(r"\120".repeat(255)), ["x".repeat(255).into_bytes()]);
}

#[test]
fn messages_show_no_raw_octets_and_little_text() {
    let message = Zone::parse(b"a. \x1b[2J\xff TXT x").unwrap_err().to_string();
    assert_eq!(message, r#"line 1: "\x1b[2J\xff" is no record type"#);
    let long = Zone::parse(&b"x".repeat(100_000)).unwrap_err().to_string();
    assert!(long.len() < 200, "{long}");
    // Of a key that was taken for a zone, too little to be of use.
    let key = "/MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
    for (length, quoted) in [(24, &key[..24]), (25, "/MC4CAQAwBQYDK2VwBCIEIJ1...")] {
        let message = Zone::parse(format!("a. {} TXT x", &key[..length]).as_bytes()).unwrap_err();
        assert_eq!(message.to_string(), format!("line 1: {quoted:?} is no record type"));
    }
}

/// Numbers that look random and are the same in every run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    fn octet(&mut self) -> u8 {
        self.next().to_le_bytes()[3]
    }
}

/// Writes strings in presentation form, as differently as the form allows.
fn write(strings: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut out = b"( ".to_vec();
    for string in strings {
        let quoted = string.is_empty() || numbers.below(2) == 0;
        if quoted {
            out.push(b'"');
        }
        for &octet in string {
            let plain = if quoted {
                !b"\"\\\n".contains(&octet)
            } else {
                !b"\"\\;()\n\r\t ".contains(&octet)
            };
            match numbers.below(4) {
                0 => out.extend(format!("\\{octet:03}").bytes()),
                1 if !octet.is_ascii_digit() && !b"\r\n".contains(&octet) => {
                    out.extend([b'\\', octet]);
                }
                _ if plain => out.push(octet),
                _ => out.extend(format!("\\{octet:03}").bytes()),
            }
        }
        if quoted {
            out.push(b'"');
        }
        out.extend([&b" "[..], b"\n", b"\t\r\n ", b" ; ) \" \\\n"][numbers.below(4)]);
    }
    out.push(b')');
    out
}

#[test]
fn what_is_written_is_read() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for _ in 0..2000 {
        let strings: Vec<Vec<u8>> = (0..=numbers.below(4))
            .map(|_| (0..numbers.below(256)).map(|_| numbers.octet()).collect())
            .collect();
        let text = write(&strings, &mut numbers);
        assert_eq!(data(&text), strings, "{}", text.escape_ascii());
    }
}

#[test]
fn broken_files_give_errors_and_no_panic() {
    let file: &[u8] = b"$ORIGIN example.com.\n$TTL 1h30m\n@ IN SOA ns host ( 1 ; x\n 2 3 4 5 )\n\
        \tNS ns\nsel._domainkey 300 IN TXT ( \"v=DKIM1\\; p=\" \\032abc ; (\n \"\" )\r\n\
        ;! SERVFAIL down\n*.w CNAME sel._domainkey\n$ORIGIN .\nx\\.y TYPE9 \\# 0\n";
    let whole = read(file);
    assert!(ask(&whole, "any.w.example.com").is_ok());
    let lines = |file: &[u8]| file.split(|octet| *octet == b'\n').count();
    let check = |file: &[u8]| match Zone::parse(file) {
        Ok(_) => 0,
        Err(error) => {
            assert!((1..=lines(file)).contains(&error.line), "{error}");
            assert!(!error.to_string().contains('\n'));
            1
        }
    };
    let mut errors = 0;
    for end in 0..file.len() {
        errors += check(&file[..end]);
    }
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let special = b"\\\"()\n\r \t;$@.!0129TtXINi\x00\xff";
    for _ in 0..10_000 {
        let mut broken = file.to_vec();
        for _ in 0..=numbers.below(3) {
            let at = numbers.below(broken.len());
            let octet = special[numbers.below(special.len())];
            match numbers.below(4) {
                0 => broken[at] = octet,
                1 => broken.insert(at, octet),
                2 => drop(broken.remove(at)),
                _ => broken[at] = numbers.octet(),
            }
        }
        errors += check(&broken);
    }
    assert!(errors > 2000, "{errors}");
}

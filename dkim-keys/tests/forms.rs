//! Each form, read back by the rules of whoever takes it, is the record again.
#![allow(clippy::unwrap_used)]

mod made_up;

use dkim_dns::{BlockingResolver, Query, QueryId, QueryKind, Zone};
use dkim_keyrec::KeyRecord;
use dkim_keys::{Form, Publication};
use dkim_tags::{DomainName, Selector};
use serde_json::Value;

const NAME: &str = "s.2024._domainkey.example.com";

fn publications() -> Vec<Publication> {
    let record = |octets: usize| KeyRecord::new(made_up::rsa(octets));
    let mut noted = record(256);
    // Everything that somebody's quotes, templates or separators are made of.
    noted.set_notes("it's \"so\" \\ ${x} %{y} 100% a:b;c|d=e,f #g @h \u{fc}\t");
    noted.set_hashes(&["sha256"]).unwrap();
    noted.set_flags(&["y", "s"]).unwrap();
    let records = [record(128), record(256), record(384), record(512), noted];
    let publication = |record: &KeyRecord| {
        let (selector, domain) = ("s.2024", "example.com");
        let (selector, domain) = (Selector::parse(selector), DomainName::parse(domain));
        let mut publication =
            Publication::new(&selector.unwrap(), &domain.unwrap(), record).unwrap();
        publication.ttl = 7200;
        publication
    };
    records.iter().map(publication).collect()
}

fn each(form: Form, read: impl Fn(&str) -> String) {
    for publication in publications() {
        let written = form.write(&publication);
        assert!(written.ends_with('\n'));
        assert_eq!(read(&written), publication.text, "{written}");
    }
}

/// Character-strings in quotes, one after the other (RFC 1035 §5.1), each of at most 255 octets.
fn strings(text: &str) -> String {
    let mut joined = String::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        rest = rest.strip_prefix('"').unwrap();
        let mut string = String::new();
        loop {
            let c = rest.chars().next().unwrap();
            rest = &rest[c.len_utf8()..];
            match c {
                '"' => break,
                '\\' => {
                    let escaped = rest.chars().next().unwrap();
                    assert!(matches!(escaped, '"' | '\\'), "{escaped}");
                    string.push(escaped);
                    rest = &rest[1..];
                }
                c => string.push(c),
            }
        }
        assert!(string.len() <= 255);
        joined.push_str(&string);
        rest = rest.trim_start();
    }
    joined
}

#[test]
fn zone() {
    each(Form::Zone, |written| {
        let zone = Zone::parse(written.as_bytes()).unwrap();
        let query = Query { id: QueryId(0), name: NAME.to_owned(), kind: QueryKind::Txt };
        let found = zone.lookup(&query).unwrap();
        assert_eq!((found.records.len(), found.ttl.as_secs()), (1, 7200));
        String::from_utf8(found.records[0].joined()).unwrap()
    });
}

#[test]
fn plain() {
    each(Form::Plain, |written| written.trim_end_matches('\n').to_owned());
}

#[test]
fn nsupdate() {
    each(Form::Nsupdate, |written| {
        let lines: Vec<&str> = written.lines().collect();
        let [prerequisite, delete, add, send] = lines[..] else { panic!("{written}") };
        assert_eq!(prerequisite, format!("prereq nxrrset {NAME}. IN CNAME"));
        assert_eq!(delete, format!("update delete {NAME}. IN TXT"));
        assert_eq!(send, "send");
        strings(add.strip_prefix(&format!("update add {NAME}. 7200 IN TXT ")).unwrap())
    });
}

#[test]
fn json() {
    each(Form::Json, |written| {
        let value: Value = serde_json::from_str(written).unwrap();
        assert_eq!((&value["name"], &value["ttl"]), (&NAME.into(), &7200.into()));
        let strings = value["strings"].as_array().unwrap().iter();
        let joined: String = strings.map(|string| string.as_str().unwrap()).collect();
        assert_eq!(value["text"], joined);
        joined
    });
}

#[test]
fn route53() {
    each(Form::Route53, |written| {
        let value: Value = serde_json::from_str(written).unwrap();
        let change = &value["Changes"][0];
        assert_eq!(change["Action"], "UPSERT");
        let set = &change["ResourceRecordSet"];
        assert_eq!((&set["Name"], &set["TTL"]), (&format!("{NAME}.").into(), &7200.into()));
        strings(set["ResourceRecords"][0]["Value"].as_str().unwrap())
    });
}

#[test]
fn cloudflare() {
    each(Form::Cloudflare, |written| {
        let value: Value = serde_json::from_str(written).unwrap();
        assert_eq!((&value["type"], &value["name"]), (&"TXT".into(), &NAME.into()));
        strings(value["content"].as_str().unwrap())
    });
}

/// YAML 1.2 §7.3.2: in single quotes `''` is a quote. octoDNS takes `\;` for a semicolon.
#[test]
fn octodns() {
    each(Form::Octodns, |written| {
        let lines: Vec<&str> = written.lines().collect();
        let [owner, kind, ttl, value] = lines[..] else { panic!("{written}") };
        assert_eq!((owner, kind, ttl), ("s.2024._domainkey:", "  type: TXT", "  ttl: 7200"));
        let value = value.strip_prefix("  value: '").unwrap().strip_suffix('\'').unwrap();
        let value = value.replace("''", "'");
        assert!(value.match_indices(';').all(|(at, _)| value[..at].ends_with('\\')));
        value.replace("\\;", ";")
    });
}

/// HCL: `\"` and `\\` in quotes, `$${` and `%%{` for what begins templates. The provider then puts
/// quotes around what it gets.
#[test]
fn terraform() {
    each(Form::Terraform, |written| {
        let value = |key: &str| {
            let mut lines = written.lines();
            let line = lines.find(|line| line.trim_start().starts_with(key)).unwrap();
            line.split_once("= ").unwrap().1.to_owned()
        };
        assert_eq!((value("name"), value("ttl")), (format!("\"{NAME}\""), "7200".to_owned()));
        let records = value("records");
        let quoted = records.strip_prefix("[\"").unwrap().strip_suffix("\"]").unwrap();
        let mut plain = String::new();
        let mut chars = quoted.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\\' => plain.push(chars.next().unwrap()),
                '"' => panic!("a bare quote in {quoted}"),
                '$' | '%' if quoted.contains("{") && chars.peek() == Some(&c) => {
                    chars.next();
                    plain.push(c);
                }
                c => plain.push(c),
            }
        }
        strings(&format!("\"{plain}\""))
    });
}

/// `'fqdn:s:ttl`, octets written as `\ooo` where they would separate.
#[test]
fn tinydns() {
    each(Form::Tinydns, |written| {
        let line = written.strip_suffix('\n').unwrap();
        let fields: Vec<&str> = line.split(':').collect();
        let [owner, text, ttl] = fields[..] else { panic!("{written}") };
        assert_eq!((owner, ttl), (&*format!("'{NAME}"), "7200"));
        let mut plain = Vec::new();
        let mut octets = text.bytes();
        while let Some(octet) = octets.next() {
            plain.push(match octet {
                b'\\' => octets.by_ref().take(3).fold(0, |value, digit| value * 8 + (digit - b'0')),
                octet => octet,
            });
        }
        String::from_utf8(plain).unwrap()
    });
}

#[test]
fn forms_are_found_by_their_names() {
    for form in Form::ALL {
        assert_eq!(Form::from_name(form.name()), Some(form));
    }
    assert_eq!(Form::from_name("bind"), None);
}

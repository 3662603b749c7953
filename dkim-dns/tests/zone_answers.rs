//! A zone answers as a server would: what exists, what does not, aliases, wildcards, failures.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use dkim_dns::{
    Answer, Dnssec, Found, LookupError, MAX_CNAME_HOPS, Query, QueryId, QueryKind, Record, Zone,
    records,
};

fn query(kind: QueryKind, name: &str) -> Query {
    Query { id: QueryId(0), name: name.to_owned(), kind }
}

fn txt(zone: &Zone, name: &str) -> Answer {
    zone.answer(&query(QueryKind::Txt, name))
}

fn exists(zone: &Zone, name: &str) -> Answer {
    zone.answer(&query(QueryKind::Exists, name))
}

#[test]
fn long_text_is_cut_at_255_octets() {
    let zone = Zone::new().txt("a", "x".repeat(600)).txt("b", "").txt("c", b"\xff");
    let lengths = |name| -> Vec<usize> {
        txt(&zone, name).unwrap().records[0].strings.iter().map(Vec::len).collect()
    };
    assert_eq!(lengths("a"), [255, 255, 90]);
    assert_eq!(lengths("b"), [0]);
    assert_eq!(txt(&zone, "a").unwrap().records[0].len(), 600);
    assert_eq!(txt(&zone, "c").unwrap().records[0].joined(), b"\xff");
}

#[test]
fn records_are_put_together_within_a_limit() {
    let record = Record { strings: vec![b"ab".to_vec(), Vec::new(), b"c".to_vec()] };
    assert_eq!(record.joined_within(3).as_deref(), Some(&b"abc"[..]));
    assert_eq!(record.joined_within(2), None);
    assert_eq!(Record::default().joined_within(0), Some(Vec::new()));
}

#[test]
fn absent_names_and_absent_records_are_told_apart() {
    let zone = Zone::new().txt("x.sel._domainkey.example.com", "v=DKIM1; p=").exists("mail.test");
    for name in ["x.sel._domainkey.example.com", "X.SEL._DomainKey.Example.COM."] {
        assert!(txt(&zone, name).is_ok());
    }
    // Only above other names, or with data of another type.
    for name in ["sel._domainkey.example.com", "_domainkey.example.com", "com", "", "mail.test"] {
        assert_eq!(txt(&zone, name), Err(LookupError::NoRecords), "{name}");
        assert!(exists(&zone, name).is_ok_and(|found| found.records.is_empty()), "{name}");
    }
    for name in [
        "y.sel._domainkey.example.com",
        "el._domainkey.example.com",
        "a.x.sel._domainkey.example.com",
        "org",
        "mail.test.example",
    ] {
        assert_eq!(txt(&zone, name), Err(LookupError::NoSuchName), "{name}");
        assert_eq!(exists(&zone, name), Err(LookupError::NoSuchName), "{name}");
    }
    assert_eq!(txt(&Zone::new(), ""), Err(LookupError::NoSuchName));
}

/// Where an alias leads is known even where it leads nowhere.
#[test]
fn an_alias_is_told_and_not_followed() {
    let zone = Zone::new().cname("a.test", "b.test").cname("b.test", "gone.test").txt("t.test", "");
    let alias = |name| zone.answer(&query(QueryKind::Cname, name)).map(|found| found.chain);
    assert_eq!(alias("a.test"), Ok(vec!["b.test".to_owned()]));
    assert_eq!(alias("b.test"), Ok(vec!["gone.test".to_owned()]));
    assert_eq!(alias("t.test"), Err(LookupError::NoRecords));
    assert_eq!(alias("gone.test"), Err(LookupError::NoSuchName));
    assert_eq!(txt(&zone, "a.test"), Err(LookupError::NoSuchName));
}

#[test]
fn no_domain_name_never_exists() {
    let bad = ["a..b", ".a", &"x".repeat(64), &["x"; 200].join(".")];
    let zone = bad.iter().fold(Zone::new(), |zone, name| {
        zone.txt(name, "x").fails(name).cname(name, "a").cname("a", name)
    });
    assert_eq!(zone, Zone::new());
    for name in bad {
        assert_eq!(txt(&zone, name), Err(LookupError::NoSuchName));
    }
}

#[test]
fn several_records_in_order_and_none_twice() {
    let record = |strings: &[&str]| Record {
        strings: strings.iter().map(|string| string.as_bytes().to_vec()).collect(),
    };
    let zone = Zone::new()
        .txt("a", "two")
        .record("A", record(&["o", "ne"]))
        .txt("a", "two")
        .record("a", record(&["one"]));
    let expected = [record(&["two"]), record(&["o", "ne"]), record(&["one"])];
    assert_eq!(txt(&zone, "a").unwrap().records[..], expected);
}

#[test]
fn aliases_are_followed() {
    let zone = Zone::new()
        .cname("sel._domainkey.example.com", "A.example.net.")
        .cname("a.example.net", "b.example.net")
        .txt("b.example.net", "x")
        .cname("dangling", "nowhere")
        .cname("nodata", "example.net")
        .cname("broken", "down")
        .fails("down")
        .cname("slow", "stuck")
        .times_out("stuck");
    assert_eq!(
        txt(&zone, "SEL._domainkey.example.com"),
        Ok(Found {
            records: [Record { strings: vec![b"x".to_vec()] }].into(),
            chain: vec!["a.example.net".to_owned(), "b.example.net".to_owned()],
            ttl: Duration::from_secs(3600),
            ..Found::default()
        })
    );
    assert_eq!(txt(&zone, "dangling"), Err(LookupError::NoSuchName));
    assert_eq!(exists(&zone, "dangling"), Err(LookupError::NoSuchName));
    assert_eq!(txt(&zone, "nodata"), Err(LookupError::NoRecords));
    assert_eq!(exists(&zone, "nodata").unwrap().chain, ["example.net"]);
    assert!(matches!(txt(&zone, "broken"), Err(LookupError::Failed(_))));
    assert_eq!(txt(&zone, "slow"), Err(LookupError::Timeout));
}

#[test]
fn chains_end_after_eight_hops() {
    let chain = |hops: usize| {
        (0..hops).fold(Zone::new().txt(&format!("n{hops}"), "x"), |zone, hop| {
            zone.cname(&format!("n{hop}"), &format!("n{}", hop + 1))
        })
    };
    assert_eq!(txt(&chain(MAX_CNAME_HOPS), "n0").unwrap().chain.len(), 8);
    assert_eq!(txt(&chain(MAX_CNAME_HOPS + 1), "n0"), Err(LookupError::ChainTooLong));
    let loops = Zone::new().cname("a", "b").cname("b", "a").cname("self", "self");
    for name in ["a", "b", "self"] {
        assert_eq!(txt(&loops, name), Err(LookupError::ChainTooLong));
    }
}

#[test]
fn the_smallest_ttl_of_the_way_counts() {
    let zone =
        Zone::parse(b"a. 50 CNAME b.\nb. 40 CNAME c.\nc. 60 TXT x\nd. 30 CNAME a.\n").unwrap();
    let ttl = |name| txt(&zone, name).unwrap().ttl.as_secs();
    assert_eq!([ttl("c"), ttl("b"), ttl("a"), ttl("d")], [60, 40, 40, 30]);
}

/// The zone of RFC 4592 §2.2.1, with TXT for every type that counts here.
#[test]
fn wildcards_as_in_rfc_4592() {
    let zone = Zone::parse(
        b"$ORIGIN example.\n\
          @ SOA ns host 1 2 3 4 5\n\
          * TXT \"this is a wildcard\"\n\
          * MX 10 host1\n\
          sub.* TXT \"this is not a wildcard\"\n\
          host1 A 192.0.2.1\n\
          _ssh._tcp.host1 SRV 0 0 0 x.\n\
          *.alias CNAME target\n\
          target TXT t\n\
          *.down A 192.0.2.1\n\
          ;! SERVFAIL *.down\n",
    )
    .unwrap();
    let wildcard = txt(&zone, "*.example").unwrap();
    for name in ["host3.example", "foo.bar.example", "FOO.example"] {
        assert_eq!(txt(&zone, name).as_ref(), Ok(&wildcard), "{name}");
    }
    assert_eq!(txt(&zone, "host1.example"), Err(LookupError::NoRecords));
    assert_eq!(txt(&zone, "_tcp.host1.example"), Err(LookupError::NoRecords));
    for name in ["_telnet._tcp.host1.example", "host.host1.example", "ghost.*.example"] {
        assert_eq!(txt(&zone, name), Err(LookupError::NoSuchName), "{name}");
    }
    assert_eq!(txt(&zone, "sub.*.example").unwrap().records[0].joined(), b"this is not a wildcard");
    assert_eq!(txt(&zone, "x.alias.example").unwrap().chain, ["target.example"]);
    assert!(matches!(txt(&zone, "x.y.down.example"), Err(LookupError::Failed(_))));
    assert_eq!(txt(&zone, "example.org"), Err(LookupError::NoSuchName));
}

#[test]
fn failures_hide_all_else() {
    let zone =
        Zone::new().fails("a").txt("a", "x").times_out("b.a").cname("b.a", "c").txt("c", "x");
    for kind in [QueryKind::Txt, QueryKind::Exists] {
        assert_eq!(zone.answer(&query(kind, "a")), Err(LookupError::Failed("SERVFAIL".to_owned())));
        assert_eq!(zone.answer(&query(kind, "b.a")), Err(LookupError::Timeout));
    }
}

#[test]
fn zones_are_merged() {
    let one = Zone::parse(b"a. 9 TXT one\nb. A 192.0.2.1\nd. TXT d\n").unwrap();
    let two = Zone::parse(b"a. 5 TXT two\na. TXT one\nc. CNAME b.\n;! TIMEOUT d.\n").unwrap();
    let zone = one.merge(two).merge(Zone::new()).merge(Zone::new().txt("b", "b"));
    let found = txt(&zone, "a").unwrap();
    let texts: Vec<_> = found.records.iter().map(Record::joined).collect();
    assert_eq!((texts, found.ttl.as_secs()), (vec![b"one".to_vec(), b"two".to_vec()], 5));
    assert_eq!(txt(&zone, "c").unwrap().records[0].joined(), b"b");
    assert_eq!(txt(&zone, "d"), Err(LookupError::Timeout));
}

#[test]
fn records_are_for_who_may_act_on_them() {
    let found = txt(&Zone::new().txt("a", "x"), "a").unwrap();
    let dnssec = |dnssec| records(&Ok(Found { dnssec, ..found.clone() })).map(<[Record]>::len);
    for trusted in [Dnssec::Secure, Dnssec::Insecure, Dnssec::Unknown] {
        assert_eq!(dnssec(trusted), Ok(1));
    }
    assert_eq!(dnssec(Dnssec::Bogus), Err(LookupError::Bogus));
    assert!(LookupError::Bogus.is_temporary());
    let chain = |hops| {
        let chain = vec!["b".to_owned(); hops];
        records(&Ok(Found { chain, ..found.clone() })).map(<[Record]>::len)
    };
    assert_eq!(chain(MAX_CNAME_HOPS), Ok(1));
    assert_eq!(chain(MAX_CNAME_HOPS + 1), Err(LookupError::ChainTooLong));
    assert_eq!(records(&Err(LookupError::Timeout)), Err(LookupError::Timeout));
    assert_eq!(records(&Ok(Found::default())), Ok(&[][..]));
}

//! Master files (RFC 1035 §5.1).

use dkim_dns::{MAX_CNAME_HOPS, Query, QueryId, QueryKind, Zone};

use crate::said::assert_harmless;

/// Answers are bounded by the file; line ends and reading it twice make no difference; errors name
/// a line that is there.
pub fn zone_file(data: &[u8]) {
    let zone = Zone::parse(data);
    if !data.contains(&b'\r') {
        let crlf: Vec<u8> =
            data.split(|octet| *octet == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]);
        assert_eq!(Zone::parse(&crlf), zone);
    }
    let zone = match zone {
        Ok(zone) => zone,
        Err(error) => {
            let lines = data.iter().filter(|octet| **octet == b'\n').count() + 1;
            assert!((1..=lines).contains(&error.line), "{error}");
            assert_harmless(&error);
            return;
        }
    };
    let twice = zone.clone().merge(zone.clone());
    let text = String::from_utf8_lossy(data);
    // Any word of the file may be a name in it, and others lie around.
    for word in text.split_whitespace().take(40) {
        for name in [word.to_owned(), format!("x.{word}"), format!("{word}example.org")] {
            for kind in [QueryKind::Txt, QueryKind::Exists, QueryKind::Cname] {
                let query = Query { id: QueryId(0), name: name.clone(), kind };
                let answer = zone.answer(&query);
                assert_eq!(twice.answer(&query), answer);
                let Ok(found) = answer else { continue };
                assert!(found.chain.len() <= MAX_CNAME_HOPS);
                assert_eq!(found.records.is_empty(), kind != QueryKind::Txt);
                let octets: usize = found.records.iter().map(dkim_dns::Record::len).sum();
                assert!(octets <= data.len());
                for record in found.records.iter() {
                    assert!(record.strings.iter().all(|string| string.len() <= 255));
                    assert_eq!(record.joined().len(), record.len());
                }
            }
        }
    }
}

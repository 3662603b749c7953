//! Messages split into header and body (RFC 5322 §2.1).

use dkim_message::{Header, HeaderBuf, HeaderTooLong, Splitter, split};

use crate::pieces::pieces;
use crate::said::assert_harmless;

/// Fields put together are the header again, header and body are the message again; a message in
/// pieces splits as the whole; a header goes through a buffer unchanged; a limit holds.
pub fn header_split(data: &[u8]) {
    let (header, body) = split(data);
    assert_together(data, &header, body);

    let again = Header::parse(header.octets());
    assert_eq!(again.fields(), header.fields());

    for salt in 0..3 {
        let mut splitter = Splitter::new(data.len());
        let mut streamed = Vec::new();
        for piece in pieces(data, salt) {
            let piece = splitter.push(piece).expect("the limit is the whole message");
            streamed.extend_from_slice(piece.unwrap_or_default());
        }
        assert_eq!(streamed, body);
        assert_eq!(splitter.header().octets(), header.octets());
        assert_eq!(splitter.header().fields(), header.fields());
        assert_eq!(splitter.header().defects(), header.defects());

        let limit = data.len() / 2;
        let mut splitter = Splitter::new(limit);
        let mut failed = false;
        for piece in pieces(data, salt) {
            match splitter.push(piece) {
                Ok(_) => assert!(!failed, "what is too long stays it"),
                Err(error @ HeaderTooLong { limit: named }) => {
                    assert_eq!(named, limit);
                    assert_harmless(&error);
                    failed = true;
                }
            }
        }
        // A last line of one CR may be the beginning of an empty one.
        let header = header.octets();
        let length = match header {
            [before @ .., b'\r'] if before.is_empty() || before.ends_with(b"\n") => before.len(),
            all => all.len(),
        };
        assert_eq!(failed, length > limit);
        let read = if failed { header.get(..=limit).unwrap_or(header) } else { header };
        assert_eq!(splitter.header().octets(), read);
    }

    let mut buffer = HeaderBuf::new();
    for field in header.fields().iter() {
        let name = if field.raw_name().is_empty() { b"X" } else { field.raw_name() };
        buffer.push(name, field.body());
    }
    assert_eq!(buffer.header().fields().len(), header.fields().len());
    if header.defects().is_empty() {
        assert_eq!(buffer.header().fields(), header.fields());
        assert_eq!(buffer.header().defects(), []);
    }
}

fn assert_together(data: &[u8], header: &Header<'_>, body: &[u8]) {
    let mut rest = data;
    for field in header.fields().iter() {
        rest = rest.strip_prefix(field.octets()).expect("fields stand one after the other");
        rest = without_line_end(rest);
        assert!(!field.octets().is_empty());
        assert!(field.name().len() <= field.raw_name().len());
        assert!(!field.raw_name().contains(&b':'));
        if !field.raw_name().is_empty() {
            assert_eq!([field.raw_name(), b":", field.body()].concat(), field.octets());
        }
    }
    assert_eq!(header.octets().len(), data.len() - rest.len());
    assert!(data.starts_with(header.octets()));
    assert_eq!(without_line_end(rest), body);
    for defect in header.defects() {
        assert!(defect.offset <= header.octets().len(), "{defect:?}");
    }
}

/// What stands behind a line end; all of it, if there is none.
fn without_line_end(octets: &[u8]) -> &[u8] {
    let after = octets.strip_prefix(b"\r\n").or_else(|| octets.strip_prefix(b"\n"));
    after.unwrap_or(octets)
}

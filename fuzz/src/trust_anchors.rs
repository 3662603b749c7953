//! The keys from which DNSSEC's chains of trust begin.

use dkim_dns::TrustAnchors;

use crate::said::assert_harmless;

/// Comments, empty lines and line ends make no difference, and reading twice reads twice; errors name
/// a line that is there.
pub fn trust_anchors(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let read = TrustAnchors::parse(&text);
    assert_eq!(TrustAnchors::parse(&text.replace('\n', "\r\n")), read);
    assert_eq!(TrustAnchors::parse(&text.replace('\n', " ; (\n")), read);
    let Ok(anchors) = read else {
        let error = read.unwrap_err();
        assert!((1..=text.lines().count().max(1)).contains(&error.line), "{error}");
        assert_harmless(&error);
        return;
    };
    assert_eq!(TrustAnchors::parse(&text.replace('\n', "\n\n")).as_ref(), Ok(&anchors));
    let twice = TrustAnchors::parse(&format!("{text}\n{text}"));
    assert!(twice.is_ok_and(|twice| twice != anchors));
}

//! Lines that may stand in a header.

/// Asserts that a header field, its closing CRLF included, is made of lines of at most 998 octets
/// (RFC 5322 §2.1.1), that all but the first begin with white space and none is white space only.
pub(crate) fn assert_field(field: &str) {
    let lines = field.strip_suffix("\r\n").expect("a field ends with CRLF").split("\r\n");
    for (number, line) in lines.enumerate() {
        assert!(line.len() <= 998, "a line of {} octets: {field:?}", line.len());
        assert!(!line.trim_matches([' ', '\t']).is_empty(), "a blank line: {field:?}");
        assert!(number == 0 || line.starts_with([' ', '\t']), "no fold: {field:?}");
        assert!(!line.contains(['\r', '\n', '\0']), "a bare line end or NUL: {field:?}");
    }
}

//! What undoes a change all over a body.

use dkim_tags::value;

use super::BodyChange;

/// Makes of a body what it may have been; nothing where the change cannot have happened.
pub(super) type Mend = fn(&[u8]) -> Vec<Vec<u8>>;

/// What is tried, the usual first.
pub(super) const MENDINGS: &[(BodyChange, Mend)] = &[
    (BodyChange::LineEnds, line_ends),
    (BodyChange::DashesTrimmed, |body| vec![each_line(body, dashes)]),
    (BodyChange::TrailingSpaceAdded, |body| {
        let all = each_line(body, trimmed);
        // The line before a personal signature had its blank.
        let but_dashes = each_line(&all, dashes);
        vec![all, but_dashes]
    }),
    (BodyChange::FromEscaped, |body| vec![each_line(body, from_escaped)]),
    (BodyChange::DotDoubled, |body| vec![each_line(body, dot_doubled)]),
    (BodyChange::DotLost, |body| vec![each_line(body, dot_lost)]),
    (BodyChange::LinesCut, lines_cut),
    (BodyChange::QuotedPrintable, |body| vec![quoted_printable(body)]),
    (BodyChange::Base64, base64),
    (BodyChange::Latin1ToUtf8, latin1),
];

/// The octets with LF for CRLF; `None` if there is none to replace.
pub(super) fn crlf_to_lf(octets: &[u8]) -> Option<Vec<u8>> {
    let mut lf = Vec::with_capacity(octets.len());
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(text) => {
                lf.extend_from_slice(text);
                lf.push(b'\n');
            }
            None => lf.extend_from_slice(line),
        }
    }
    (lf.len() < octets.len()).then_some(lf)
}

/// Writes each line as `change` does, its end left as it is.
fn each_line(body: &[u8], change: impl Fn(&[u8], &mut Vec<u8>)) -> Vec<u8> {
    let mut changed = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|octet| *octet == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        change(text, &mut changed);
        changed.extend_from_slice(line.get(text.len()..).unwrap_or_default());
    }
    changed
}

/// CRLF for every bare LF, for every bare CR, and for CR CR LF.
fn line_ends(body: &[u8]) -> Vec<Vec<u8>> {
    let lf: Vec<u8> = crlf_to_lf(body).unwrap_or_else(|| body.to_vec());
    let with = |octets: &[u8]| -> Vec<u8> {
        octets
            .iter()
            .flat_map(|o| if *o == b'\n' { &b"\r\n"[..] } else { std::slice::from_ref(o) })
            .copied()
            .collect()
    };
    let without_cr: Vec<u8> = lf.iter().copied().filter(|octet| *octet != b'\r').collect();
    let cr_is_end: Vec<u8> = lf.iter().map(|o| if *o == b'\r' { b'\n' } else { *o }).collect();
    vec![with(&lf), with(&without_cr), with(&cr_is_end)]
}

fn trimmed(line: &[u8], out: &mut Vec<u8>) {
    let end = line.iter().rposition(|octet| !matches!(octet, b' ' | b'\t')).map_or(0, |at| at + 1);
    out.extend_from_slice(line.get(..end).unwrap_or_default());
}

fn dashes(line: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(if line == b"--" { b"-- " } else { line });
}

/// `>From `, `>>From ` and so on lose one `>`.
fn from_escaped(line: &[u8], out: &mut Vec<u8>) {
    let quoted = line.iter().take_while(|octet| **octet == b'>').count();
    let is_from = line.get(quoted..).is_some_and(|rest| rest.starts_with(b"From "));
    out.extend_from_slice(line.get(usize::from(quoted > 0 && is_from)..).unwrap_or_default());
}

fn dot_doubled(line: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(line.get(usize::from(line.starts_with(b".."))..).unwrap_or_default());
}

fn dot_lost(line: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(if line.starts_with(b".") { b"." } else { b"" });
    out.extend_from_slice(line);
}

/// The lengths at which programs cut lines: RFC 5321 §4.5.3.1.6 allows 998 octets and a CRLF.
const CUT_AT: [usize; 5] = [990, 998, 1000, 1022, 2048];

/// Lines of a length at which programs cut are put together with the next; and lines that end in
/// `!`, before one that begins with a blank.
fn lines_cut(body: &[u8]) -> Vec<Vec<u8>> {
    let lines = || body.split_inclusive(|octet| *octet == b'\n');
    let text = |line: &'_ [u8]| line.strip_suffix(b"\r\n").map(<[u8]>::len);
    let joined = |is_cut: &dyn Fn(usize) -> bool| -> Vec<u8> {
        lines()
            .flat_map(|line| match text(line).filter(|length| is_cut(*length)) {
                Some(length) => line.get(..length).unwrap_or_default(),
                None => line,
            })
            .copied()
            .collect()
    };
    let mut candidates: Vec<Vec<u8>> =
        CUT_AT.iter().map(|length| joined(&|of_line| of_line == *length)).collect();
    candidates.push(joined(&|length| length >= 900));
    let mut marked = Vec::with_capacity(body.len());
    let mut follows_mark = false;
    for line in lines() {
        let line = if follows_mark { line.strip_prefix(b" ").unwrap_or(line) } else { line };
        let unmarked = line.strip_suffix(b"!\r\n");
        marked.extend_from_slice(unmarked.unwrap_or(line));
        follows_mark = unmarked.is_some();
    }
    candidates.push(marked);
    candidates
}

/// Decodes quoted-printable (RFC 2045 §6.7); what is none stays as it is.
fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.iter().position(|octet| *octet == b'=') {
        let (before, encoded) = rest.split_at(at);
        decoded.extend_from_slice(before);
        let hex = |octets: &[u8]| {
            let text = std::str::from_utf8(octets).ok()?;
            u8::from_str_radix(text, 16).ok().filter(|_| octets.iter().all(u8::is_ascii_hexdigit))
        };
        rest = if let Some(next) = encoded.strip_prefix(b"=\r\n") {
            next
        } else if let Some(octet) = encoded.get(1..3).and_then(hex) {
            decoded.push(octet);
            encoded.get(3..).unwrap_or_default()
        } else {
            decoded.push(b'=');
            encoded.get(1..).unwrap_or_default()
        };
    }
    decoded.extend_from_slice(rest);
    decoded
}

/// Decodes base64 (RFC 2045 §6.8), with the line ends that text has in it.
fn base64(body: &[u8]) -> Vec<Vec<u8>> {
    let decoded = std::str::from_utf8(body).ok().and_then(value::base64);
    let decoded = decoded.filter(|decoded| !decoded.is_empty());
    decoded.into_iter().flat_map(|decoded| [line_ends(&decoded), vec![decoded]].concat()).collect()
}

/// The text in Latin-1, if it is UTF-8 and has no character beyond it.
fn latin1(body: &[u8]) -> Vec<Vec<u8>> {
    let text = std::str::from_utf8(body).ok();
    let latin1 = text.and_then(|text| {
        text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect::<Option<Vec<u8>>>()
    });
    latin1.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(change: &BodyChange, body: &[u8], signed: &[u8]) -> bool {
        let mend = MENDINGS.iter().find(|(of, _)| of == change).map(|(_, mend)| mend);
        mend.is_some_and(|mend| mend(body).iter().any(|mended| mended == signed))
    }

    #[test]
    fn each_change_is_undone() {
        let long = "x".repeat(990);
        for (change, body, signed) in [
            (BodyChange::LineEnds, &b"a\nb\r\n"[..], &b"a\r\nb\r\n"[..]),
            (BodyChange::LineEnds, b"a\r\r\nb\r\r\n", b"a\r\nb\r\n"),
            (BodyChange::LineEnds, b"a\rb\r\n", b"a\r\nb\r\n"),
            (BodyChange::TrailingSpaceAdded, b"a \t\r\nb \r\n ", b"a\r\nb\r\n"),
            (BodyChange::DashesTrimmed, b"a\r\n--\r\nb\r\n", b"a\r\n-- \r\nb\r\n"),
            (
                BodyChange::FromEscaped,
                b">From a\r\n>>From b\r\n>From\r\n",
                b"From a\r\n>From b\r\n>From\r\n",
            ),
            (BodyChange::DotDoubled, b"..\r\n.a\r\n..b\r\n", b".\r\n.a\r\n.b\r\n"),
            (BodyChange::DotLost, b".\r\na\r\n.b\r\n", b"..\r\na\r\n..b\r\n"),
            (
                BodyChange::LinesCut,
                format!("{long}\r\nyz\r\n").as_bytes(),
                format!("{long}yz\r\n").as_bytes(),
            ),
            (BodyChange::LinesCut, b"a!\r\n b\r\n c\r\n", b"ab\r\n c\r\n"),
            (BodyChange::QuotedPrintable, b"a=3Db=\r\nc=FC=zz\r\n=", b"a=bc\xfc=zz\r\n="),
            (BodyChange::Base64, b"YQpi\r\nCg==\r\n", b"a\r\nb\r\n"),
            (BodyChange::Base64, b"YQ0KYg0K\r\n", b"a\r\nb\r\n"),
            (BodyChange::Latin1ToUtf8, "gr\u{fc}n\r\n".as_bytes(), b"gr\xfcn\r\n"),
        ] {
            assert!(mended(&change, body, signed), "{change:?} {}", body.escape_ascii());
        }
        assert_eq!(crlf_to_lf(b"a\r\nb\n\r"), Some(b"a\nb\n\r".to_vec()));
        assert_eq!(crlf_to_lf(b"a\nb"), None);
        assert!(latin1("\u{20ac}".as_bytes()).is_empty() && base64(b"no, no").is_empty());
    }
}

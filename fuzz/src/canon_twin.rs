//! RFC 6376 §3.4 on whole buffers, step by step, with no thought of speed.

use dkim_canon::Canonicalization;

/// §3.4.1 and §3.4.2: one field, without its closing CRLF.
pub(crate) fn field(form: Canonicalization, name: &[u8], body: &[u8]) -> Vec<u8> {
    if form == Canonicalization::Simple {
        return [name, b":", body].concat();
    }
    let name = trim_end(&reduce(&unfold(name))).to_ascii_lowercase();
    let body = reduce(&unfold(body));
    let body = body.strip_prefix(b" ").unwrap_or(&body);
    [&name[..], b":", trim_end(body)].concat()
}

/// §3.4.3 and §3.4.4: a whole body.
pub(crate) fn body(form: Canonicalization, body: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = split_at_crlf(body);
    if form == Canonicalization::Relaxed {
        lines = lines.iter().map(|line| trim_end(&reduce(line)).to_vec()).collect();
    }
    // All empty lines at the end are ignored, and what the last CRLF is followed by is one.
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    // "If there is no body [...], a CRLF is added": simple only.
    if lines.is_empty() && form == Canonicalization::Simple {
        lines.push(Vec::new());
    }
    lines.iter().flat_map(|line| [line, &b"\r\n"[..]].concat()).collect()
}

/// Removes each CRLF that WSP follows.
fn unfold(text: &[u8]) -> Vec<u8> {
    let mut unfolded: Vec<u8> = Vec::new();
    for (number, line) in split_at_crlf(text).iter().enumerate() {
        if number > 0 && !matches!(line.first(), Some(b' ' | b'\t')) {
            unfolded.extend(b"\r\n");
        }
        unfolded.extend(line);
    }
    unfolded
}

/// One SP for each run of WSP.
fn reduce(text: &[u8]) -> Vec<u8> {
    let mut reduced = text.to_vec();
    for octet in &mut reduced {
        if *octet == b'\t' {
            *octet = b' ';
        }
    }
    reduced.dedup_by(|a, b| *a == b' ' && *b == b' ');
    reduced
}

fn trim_end(text: &[u8]) -> &[u8] {
    text.strip_suffix(b" ").unwrap_or(text)
}

fn split_at_crlf(text: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = vec![Vec::new()];
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = match after.strip_prefix(b"\n") {
            Some(next) if *first == b'\r' => {
                lines.push(Vec::new());
                next
            }
            _ => {
                lines.last_mut().expect("there is a first line").push(*first);
                after
            }
        };
    }
    lines
}

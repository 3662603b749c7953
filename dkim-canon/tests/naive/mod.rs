//! RFC 6376 §3.4 on whole buffers, sentence by sentence, with no thought of speed.
#![allow(dead_code)] // each test file uses its part

use dkim_canon::Canonicalization;

fn is_wsp(octet: u8) -> bool {
    octet == b' ' || octet == b'\t'
}

/// "Convert all sequences of one or more WSP characters to a single SP character."
fn reduce_wsp(text: &[u8]) -> Vec<u8> {
    let mut reduced = Vec::new();
    for (i, &octet) in text.iter().enumerate() {
        if !is_wsp(octet) {
            reduced.push(octet);
        } else if i == 0 || !is_wsp(text[i - 1]) {
            reduced.push(b' ');
        }
    }
    reduced
}

fn delete_wsp_at_end(text: &mut Vec<u8>) {
    while text.last().is_some_and(|&octet| is_wsp(octet)) {
        text.pop();
    }
}

pub(crate) fn field(canonicalization: Canonicalization, name: &[u8], body: &[u8]) -> Vec<u8> {
    if canonicalization == Canonicalization::Simple {
        return [name, b":", body].concat();
    }
    // "Convert all header field names (not the header field values) to lowercase."
    let mut name = name.to_vec();
    name.make_ascii_lowercase();
    let mut body = body.to_vec();
    for part in [&mut name, &mut body] {
        // "Unfold all header field continuation lines" (RFC 5322 §2.2.3: "removing any CRLF that is
        // immediately followed by WSP").
        let mut unfolded = Vec::new();
        let mut i = 0;
        while i < part.len() {
            if part[i..].starts_with(b"\r\n ") || part[i..].starts_with(b"\r\n\t") {
                i += 2;
            }
            unfolded.push(part[i]);
            i += 1;
        }
        *part = reduce_wsp(&unfolded);
    }
    // "Delete all WSP characters at the end of each unfolded header field value."
    delete_wsp_at_end(&mut body);
    // "Delete any WSP characters remaining before and after the colon".
    delete_wsp_at_end(&mut name);
    while body.first().is_some_and(|&octet| is_wsp(octet)) {
        body.remove(0);
    }
    [&name[..], b":", &body].concat()
}

pub(crate) fn body(canonicalization: Canonicalization, body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    if canonicalization == Canonicalization::Simple {
        // "If there is no body or no trailing CRLF on the message body, a CRLF is added."
        if !body.ends_with(b"\r\n") {
            body.extend(b"\r\n");
        }
        // "converts "*CRLF" at the end of the body to a single "CRLF"".
        while body.ends_with(b"\r\n\r\n") {
            body.truncate(body.len() - 2);
        }
        return body;
    }
    // "a. Reduce whitespace: Ignore all whitespace at the end of lines. [...] Reduce all sequences
    // of WSP within a line to a single SP character."
    let mut lines = vec![Vec::new()];
    let mut i = 0;
    while i < body.len() {
        if body[i..].starts_with(b"\r\n") {
            lines.push(Vec::new());
            i += 2;
        } else {
            lines.last_mut().unwrap().push(body[i]);
            i += 1;
        }
    }
    for line in &mut lines {
        delete_wsp_at_end(line);
        *line = reduce_wsp(line);
    }
    // "b. Ignore all empty lines at the end of the message body. [...] If the body is non-empty but
    // does not end with a CRLF, a CRLF is added."
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    lines.iter().flat_map(|line| [&line[..], b"\r\n"].concat()).collect()
}

/// Every string over {x, SP, TAB, CR, LF} of up to `longest` octets.
pub(crate) fn strings(longest: usize) -> impl Iterator<Item = Vec<u8>> {
    const ALPHABET: &[u8; 5] = b"x \t\r\n";
    let longest = if cfg!(miri) { longest.min(2) } else { longest };
    (0..=longest).flat_map(|len| {
        (0..ALPHABET.len().pow(u32::try_from(len).unwrap())).map(move |mut number| {
            let mut string = Vec::with_capacity(len);
            for _ in 0..len {
                string.push(ALPHABET[number % ALPHABET.len()]);
                number /= ALPHABET.len();
            }
            string
        })
    })
}

/// xorshift64*: enough to make up texts, the same ones every time.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).unwrap() % limit
    }

    /// `len` octets, about one in `rarity` of them one that canonicalization cares about.
    pub(crate) fn text(&mut self, len: usize, rarity: usize) -> Vec<u8> {
        const PIECES: [&[u8]; 12] = [
            b" ",
            b"  ",
            b"\t",
            b"\r\n",
            b"\r\n",
            b"\r\n\r\n",
            b"\r",
            b"\n",
            b" \r\n",
            b"\t\r\n\t",
            b"\0",
            b"\xa0\x0c\x0b",
        ];
        let mut text = Vec::new();
        while text.len() < len {
            if self.below(rarity) == 0 {
                text.extend(PIECES[self.below(PIECES.len())]);
            } else {
                text.push(b'a' + u8::try_from(self.below(26)).unwrap());
            }
        }
        text.truncate(len);
        text
    }
}

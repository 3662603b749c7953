//! Mailboxes, and the line ends of files, as the program reads them. It is no library, so its
//! source is taken in here.

use std::io::Read;

/// Small, so that lines longer than a block are easily had.
const BLOCK: usize = 16;

#[allow(dead_code, unreachable_pub)]
#[path = "../../dkim-cli/src/input/line_ends.rs"]
mod line_ends;
#[allow(dead_code, unreachable_pub)]
#[path = "../../dkim-cli/src/input/mbox.rs"]
mod mbox;

use line_ends::{BodyLineEnds, LineEnds};
use mbox::{Mbox, is_mbox};

use crate::pieces::pieces;

/// A mailbox has the messages that a whole-buffer twin finds, read to the end or not.
pub fn mailbox(data: &[u8]) {
    if !is_mbox(data.get(..BLOCK).unwrap_or(data)) {
        return;
    }
    let expected = messages(data);
    for skip in [usize::MAX, 2, 3] {
        let mut mbox = Mbox::new(data).expect("octets at hand are read");
        let mut found = Vec::new();
        while let Some(mut message) = mbox.next_message().expect("octets at hand are read") {
            let mut octets = Vec::new();
            if found.len() % skip != skip - 1 {
                message.read_to_end(&mut octets).expect("octets at hand are read");
            } else {
                octets.clone_from(&expected[found.len()]);
            }
            found.push(octets);
        }
        assert_eq!(found, expected);
    }
}

fn messages(data: &[u8]) -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<&[u8]>> = Vec::new();
    for line in data.split_inclusive(|octet| *octet == b'\n') {
        if is_mbox(line.get(..BLOCK).unwrap_or(line)) {
            messages.push(Vec::new());
            continue;
        }
        let quotes = line.iter().take_while(|octet| **octet == b'>').count();
        // A line is known by its first block.
        let start = line.get(..BLOCK).unwrap_or(line);
        let is_quoted = quotes > 0 && start.get(quotes..).is_some_and(|o| o.starts_with(b"From "));
        let message = messages.last_mut().expect("it begins with a separator");
        message.push(if is_quoted { &line[1..] } else { line });
    }
    let octets = |mut lines: Vec<&[u8]>| {
        if lines.last().is_some_and(|line| matches!(*line, b"\n" | b"\r\n")) {
            lines.pop();
        }
        lines.concat()
    };
    messages.into_iter().map(octets).collect()
}

/// A header with LF is in transit form what a replacement makes of it, in any pieces, and back.
pub fn line_ends(data: &[u8]) {
    let form = LineEnds::of_header(data);
    let text: Vec<&[u8]> = data.split(|octet| *octet == b'\n').collect();
    let expected = if form == LineEnds::Lf { text.join(&b"\r\n"[..]) } else { data.to_vec() };
    let mut scratch = Vec::new();
    assert_eq!(form.to_crlf(data, &mut scratch), expected);
    let in_pieces: Vec<u8> = pieces(data, 0)
        .iter()
        .flat_map(|piece| form.to_crlf(piece, &mut scratch).to_vec())
        .collect();
    assert_eq!(in_pieces, expected);
    if form == LineEnds::Lf {
        assert_eq!(form.of_octets(&expected), data);
        let lossy = String::from_utf8_lossy(data);
        assert_eq!(form.of_text(&lossy.replace('\n', "\r\n")), lossy);
    }
    for form in [LineEnds::Crlf, LineEnds::Lf] {
        let mut body = BodyLineEnds::new(form);
        pieces(data, 1).iter().for_each(|piece| body.chunk(piece));
        let is_mixed = match form {
            LineEnds::Lf => data.contains(&b'\r'),
            LineEnds::Crlf => {
                let without = String::from_utf8_lossy(data).replace("\r\n", "");
                without.contains(['\r', '\n'])
            }
        };
        assert_eq!(body.finish(), is_mixed, "{form:?}");
    }
}

//! Messages as people send them, and as nobody should: the same octets in every run.

use std::iter;

use fastrand::Rng;

/// How long a line of text is, in octets, before its CRLF.
const LINE: usize = 70;

/// The names in `h=` of an ordinary signature.
pub(crate) const NAMES: [&str; 9] = [
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

const RECEIVED: &str = "\
Received: from mail.example.org (mail.example.org [192.0.2.1])\r\n\
\tby mx.example.net with ESMTPS id 4Zx1yQ2abc for <suzie@example.net>;\r\n\
\tFri, 11 Jul 2003 21:00:41 -0700 (PDT)\r\n\
Received: from [198.51.100.7] (football.example.com [198.51.100.7])\r\n\
\tby mail.example.org with ESMTPSA id 4Zx1yP6def;\r\n\
\tFri, 11 Jul 2003 21:00:38 -0700 (PDT)\r\n";

const HEADER: &str = "\
From: Joe SixPack <joe@football.example.com>\r\n\
To: Suzie Q <suzie@shopping.example.net>,\r\n \"Jane Doe\" <jane@shopping.example.net>\r\n\
Reply-To: Joe SixPack <joe@football.example.com>\r\n\
Subject: Is dinner ready? We lost the game, and the whole team\r\n would like to come along\r\n\
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n\
Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\
MIME-Version: 1.0\r\n\
Content-Type: text/plain; charset=utf-8; format=flowed\r\n\
Content-Transfer-Encoding: 7bit\r\n";

/// An ordinary message with a body of so many octets.
pub(crate) fn ordinary(body: usize) -> Vec<u8> {
    with_body(&text(body))
}

/// An ordinary header above this body.
pub(crate) fn with_body(body: &[u8]) -> Vec<u8> {
    [RECEIVED.as_bytes(), HEADER.as_bytes(), b"\r\n", body].concat()
}

/// A message with so many fields above the ordinary ones, each with a name of its own.
pub(crate) fn with_fields(count: usize) -> Vec<u8> {
    let mut random = Rng::with_seed(2);
    let fields = (0..count).map(|number| {
        let body: Vec<String> = iter::repeat_with(|| word(&mut random)).take(8).collect();
        format!("{}: {}\r\n", field_name(number), body.join(" "))
    });
    [fields.collect::<String>().as_bytes(), &ordinary(1024)].concat()
}

/// The name of the `number`th of those fields.
pub(crate) fn field_name(number: usize) -> String {
    format!("X-Field-{number}")
}

/// Text of exactly so many octets: sentences of words of varied length, wrapped, in paragraphs.
pub(crate) fn text(octets: usize) -> Vec<u8> {
    let mut random = Rng::with_seed(1);
    let mut text = Vec::with_capacity(octets + 2 * LINE);
    let mut line = String::new();
    while text.len() < octets {
        let mut next = word(&mut random);
        next.push_str(match random.u8(..16) {
            0 => ".",
            1 | 2 => ",",
            _ => "",
        });
        if line.len() + 1 + next.len() > LINE {
            text.extend_from_slice(line.as_bytes());
            // One line in eight ends a paragraph.
            let end = if random.u8(..8) == 0 { &b"\r\n\r\n"[..] } else { b"\r\n" };
            text.extend_from_slice(end);
            line.clear();
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&next);
    }
    // The cut may fall on a space or a line end, which the canonical form would lose.
    text.truncate(octets.saturating_sub(3));
    text.extend_from_slice(b".\r\n");
    text
}

/// Words between runs of 16 to 128 spaces and tabs.
pub(crate) fn white_space_runs(octets: usize) -> Vec<u8> {
    let mut random = Rng::with_seed(3);
    let mut body = Vec::with_capacity(octets + 160);
    while body.len() < octets {
        body.extend_from_slice(word(&mut random).as_bytes());
        let run = random.usize(16..=128);
        body.extend(iter::repeat_with(|| if random.bool() { b' ' } else { b'\t' }).take(run));
        if random.u8(..8) == 0 {
            body.extend_from_slice(b"\r\n");
        }
    }
    body.truncate(octets.saturating_sub(3));
    body.extend_from_slice(b"x\r\n");
    body
}

/// Empty lines, and one that makes them count.
pub(crate) fn empty_lines(octets: usize) -> Vec<u8> {
    let mut body = b"\r\n".repeat(octets / 2);
    body.extend_from_slice(b"x\r\n");
    body
}

/// A word as long as words are: mostly two to six letters, seldom more than ten.
fn word(random: &mut Rng) -> String {
    let letters = match random.u8(..20) {
        0 => 1,
        1..14 => random.usize(2..=6),
        14..19 => random.usize(5..=10),
        _ => random.usize(9..=15),
    };
    iter::repeat_with(|| random.lowercase()).take(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_of_the_length_asked_for_and_looks_like_text() {
        for octets in [1024, 16 * 1024, 256 * 1024] {
            let text = text(octets);
            assert_eq!(text.len(), octets);
            let lines: Vec<&[u8]> = text.split(|octet| *octet == b'\n').collect();
            assert!(lines.iter().all(|line| line.len() <= LINE + 1));
            assert!(lines.iter().filter(|line| line.len() > LINE / 2).count() > lines.len() / 2);
        }
    }

    #[test]
    fn shapes_are_of_the_length_asked_for() {
        assert_eq!(white_space_runs(4096).len(), 4096);
        assert_eq!(empty_lines(4096).len(), 4099);
    }

    #[test]
    fn there_are_as_many_fields_as_asked_for() {
        let header = |message: &[u8]| dkim_message::split(message).0.fields().len();
        assert_eq!(header(&with_fields(100)), header(&ordinary(1024)) + 100);
    }
}

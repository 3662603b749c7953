//! Places in a field, a tag-list or a body where something can be changed, and small changes there.

use std::ops::Range;

use super::dice::Dice;

/// White space or part of a line end.
pub(super) fn is_blank(octet: &u8) -> bool {
    b" \t\r\n".contains(octet)
}

pub(super) fn is_blank_at(octets: &[u8], at: usize) -> bool {
    octets.get(at).is_some_and(is_blank)
}

pub(super) fn is_wsp(octets: &[u8], at: usize) -> bool {
    octets.get(at).is_some_and(|octet| b" \t".contains(octet))
}

/// Neither white space nor part of a line end, nor an octet that some take for that.
pub(super) fn is_text(octets: &[u8], at: usize) -> bool {
    octets.get(at).is_some_and(|octet| *octet > b' ')
}

pub(super) fn is_letter(octets: &[u8], at: usize) -> bool {
    octets.get(at).is_some_and(u8::is_ascii_alphabetic)
}

/// Whether text stands on both sides.
pub(super) fn is_inside_word(octets: &[u8], at: usize) -> bool {
    at > 0 && is_text(octets, at - 1) && is_text(octets, at)
}

pub(super) fn is_line_start(body: &[u8], at: usize) -> bool {
    at == 0 || (at > 1 && body.get(at - 2..at) == Some(b"\r\n"))
}

pub(super) fn places(octets: &[u8], suits: fn(&[u8], usize) -> bool) -> Vec<usize> {
    (0..octets.len()).filter(|at| suits(octets, *at)).collect()
}

pub(super) fn colon(field: &[u8]) -> usize {
    field.iter().position(|octet| *octet == b':').unwrap_or(0)
}

/// The places in a field body.
pub(super) fn body_places(field: &[u8], suits: fn(&[u8], usize) -> bool) -> Vec<usize> {
    (colon(field) + 1..field.len()).filter(|at| suits(field, *at)).collect()
}

/// Puts another octet there, neither white space nor a line end.
pub(super) fn change_octet(dice: &mut Dice, octets: &mut [u8], at: usize) {
    if let Some(octet) = octets.get_mut(at) {
        let others: Vec<u8> = b"aZ09".iter().copied().filter(|other| other != octet).collect();
        *octet = dice.pick(&others);
    }
}

// These two leave a field as long as it is, but are of one type with the others.
#[allow(clippy::ptr_arg)]
pub(super) fn change_text(dice: &mut Dice, field: &mut Vec<u8>) -> bool {
    let Some(at) = dice.pick_any(&body_places(field, is_text)) else { return false };
    change_octet(dice, field, at);
    true
}

pub(super) fn flip_case(octets: &mut [u8], at: usize) {
    if let Some(octet) = octets.get_mut(at) {
        *octet ^= 0x20;
    }
}

pub(super) fn exchange_blank(octets: &mut [u8], at: usize) {
    if let Some(octet) = octets.get_mut(at) {
        *octet = if *octet == b' ' { b'\t' } else { b' ' };
    }
}

#[allow(clippy::ptr_arg)]
pub(super) fn change_name_case(dice: &mut Dice, field: &mut Vec<u8>) -> bool {
    let letters: Vec<usize> = (0..colon(field)).filter(|at| is_letter(field, *at)).collect();
    let Some(at) = dice.pick_any(&letters) else { return false };
    flip_case(field, at);
    true
}

pub(super) fn blank_after_colon(dice: &mut Dice, field: &mut Vec<u8>) -> bool {
    let at = colon(field) + 1;
    field.insert(at, dice.pick(b" \t"));
    true
}

pub(super) fn blank_before_colon(dice: &mut Dice, field: &mut Vec<u8>) -> bool {
    let at = colon(field);
    field.insert(at, dice.pick(b" \t"));
    true
}

/// The tags of a signature: their names, and where their values stand between `=` and `;`.
pub(super) fn tags(field: &[u8]) -> Vec<(String, Range<usize>)> {
    let mut start = colon(field) + 1;
    let mut tags = Vec::new();
    for tag in field.get(start..).unwrap_or_default().split(|octet| *octet == b';') {
        if let Some(equals) = tag.iter().position(|octet| *octet == b'=') {
            let name = String::from_utf8_lossy(tag.get(..equals).unwrap_or_default());
            tags.push((name.trim().to_owned(), start + equals + 1..start + tag.len()));
        }
        start += tag.len() + 1;
    }
    tags
}

pub(super) fn value(field: &[u8], name: &str) -> Option<Range<usize>> {
    tags(field).into_iter().find(|(tag, _)| tag == name).map(|(_, value)| value)
}

pub(super) fn set_value(field: &mut Vec<u8>, name: &str, new: &[u8]) -> bool {
    let Some(value) = value(field, name) else { return false };
    field.splice(value, new.iter().copied());
    true
}

/// The places in a signature's field body that suit, those in the value of `b=` left out.
pub(super) fn tag_blanks(field: &[u8], suits: fn(&[u8], usize) -> bool) -> Vec<usize> {
    let b = value(field, "b").unwrap_or(0..0);
    body_places(field, suits).into_iter().filter(|at| !b.contains(at)).collect()
}

/// Changes a base64 digit, not one of the last few: they may hold bits that mean nothing
/// (RFC 4648 §3.5).
pub(super) fn change_base64(dice: &mut Dice, field: &mut [u8], name: &str) -> bool {
    let Some(value) = value(field, name) else { return false };
    let digits: Vec<usize> = value.filter(|at| is_text(field, *at)).collect();
    let firm = digits.get(..digits.len().saturating_sub(4)).unwrap_or_default();
    let Some(at) = dice.pick_any(firm) else { return false };
    change_octet(dice, field, at);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_where_they_stand() {
        let field = b"DKIM-Signature: v=1; bh=x=;\r\n\t b = y z;h=a";
        let found: Vec<(String, &[u8])> =
            tags(field).into_iter().map(|(name, value)| (name, &field[value])).collect();
        let expected: [(&str, &[u8]); 4] =
            [("v", b"1"), ("bh", b"x="), ("b", b" y z"), ("h", b"a")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value)));
    }
}

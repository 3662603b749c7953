//! Finding the few octets that canonicalization may have to change, many octets at a time.

use std::sync::LazyLock;

use fearless_simd::{Level, Simd, WithSimd};

/// Octets looked at together where there are few.
const LANES: usize = 16;

/// Octets looked at together where there are more: where the first suspect one stands is told
/// without a branch, since white space comes in runs of every length.
const BLOCK: usize = 64;

/// Octets looked at together once a block was clean: whether one is suspect, and not which.
const STRIDE: usize = 128;

/// The most octets that are split off at once: what has been looked at is to be hashed while it is
/// at hand, and while that is done the memory brings what follows.
pub(crate) const RUN: usize = BLOCK + 16 * STRIDE;

/// The widest vector instructions of the processor.
static LEVEL: LazyLock<Level> = LazyLock::new(Level::new);

/// Splits `text` after its [clean](clean_len) octets.
pub(crate) fn split_clean(text: &[u8], suspect: impl Fn(u8, u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at_checked(clean_len(text, suspect)).unwrap_or((text, &[]))
}

/// How many octets `text` begins with before the first that is suspect, [`RUN`] at most.
///
/// `suspect(octet, next)` sees each octet with its neighbour; after the last octet it is shown SP.
/// It must be free of branches (`|` and `&`, not `||` and `&&`), so that the compiler makes vector
/// instructions of it: that is ten times faster.
pub(crate) fn clean_len(text: &[u8], suspect: impl Fn(u8, u8) -> bool) -> usize {
    let (text, is_all) = text.get(..=RUN).map_or((text, true), |run| (run, false));
    let Some((&last, octets)) = text.split_last() else { return 0 };
    let mut clean = 0;
    while let Some((octets, nexts)) = pairs::<BLOCK>(text, clean) {
        let found = first_of_block(octets, nexts, &suspect);
        clean += found;
        if found < BLOCK {
            return clean;
        }
        if clean == BLOCK {
            let text = text.get(clean..).unwrap_or_default();
            clean += LEVEL.dispatch(Strides { text, suspect: &suspect });
        }
    }
    while let Some((octets, nexts)) = pairs(text, clean) {
        if let Some(found) = first_of_lanes(octets, nexts, &suspect) {
            return clean + found;
        }
        clean += LANES;
    }
    // What is left is less than all lanes; with clean octets before it, it fills them.
    let found = match octets.len().checked_sub(LANES) {
        Some(from) => pairs(text, from).and_then(|(octets, nexts)| {
            first_of_lanes(octets, nexts, &suspect).map(|found| from + found)
        }),
        None => octets.iter().zip(text.iter().skip(1)).position(|(&o, &n)| suspect(o, n)),
    };
    found.unwrap_or(octets.len() + usize::from(is_all && !suspect(last, b' ')))
}

/// The length of `text` up to and including its last octet that is `wanted`; 0 if none is.
/// `wanted` must be free of branches, as above.
pub(crate) fn len_to_last(mut text: &[u8], wanted: impl Fn(u8) -> bool) -> usize {
    while let Some((before, last)) = text.split_last_chunk::<STRIDE>() {
        if last.iter().fold(false, |any, &octet| any | wanted(octet)) {
            break;
        }
        text = before;
    }
    text.iter().rposition(|&octet| wanted(octet)).map_or(0, |last| last + 1)
}

/// How many octets `text` begins with that are all of one `kind`. It must be free of branches, too.
pub(crate) fn run_len(text: &[u8], kind: impl Fn(u8) -> bool) -> usize {
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    let mut len = 0;
    for block in blocks {
        let found = first_of_block(block, block, &|octet, _| !kind(octet));
        len += found;
        if found < BLOCK {
            return len;
        }
    }
    len + rest.iter().position(|&octet| !kind(octet)).unwrap_or(rest.len())
}

/// How many octets `text` begins with in strides that have no suspect one.
struct Strides<'t, F> {
    text: &'t [u8],
    suspect: &'t F,
}

impl<F: Fn(u8, u8) -> bool> WithSimd for Strides<'_, F> {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        let (mut octets, mut nexts) = (self.text, self.text.get(1..).unwrap_or_default());
        while let (Some((stride, more)), Some((next, more_nexts))) =
            (octets.split_first_chunk::<STRIDE>(), nexts.split_first_chunk::<STRIDE>())
        {
            if stride.iter().zip(next).fold(false, |any, (&o, &n)| any | (self.suspect)(o, n)) {
                break;
            }
            (octets, nexts) = (more, more_nexts);
        }
        self.text.len() - octets.len()
    }
}

/// So many octets from a place on, and the neighbour of each.
fn pairs<const N: usize>(text: &[u8], from: usize) -> Option<(&[u8; N], &[u8; N])> {
    let octets = text.get(from..)?;
    Some((octets.first_chunk()?, octets.get(1..)?.first_chunk()?))
}

/// Where the first suspect octet stands; [`BLOCK`] if none does.
fn first_of_block(
    octets: &[u8; BLOCK],
    nexts: &[u8; BLOCK],
    suspect: &impl Fn(u8, u8) -> bool,
) -> usize {
    let mut first = u8::MAX;
    for ((&octet, &next), place) in octets.iter().zip(nexts).zip(0..) {
        first = first.min(if suspect(octet, next) { place } else { u8::MAX });
    }
    usize::from(first).min(BLOCK)
}

fn first_of_lanes(
    octets: &[u8; LANES],
    nexts: &[u8; LANES],
    suspect: &impl Fn(u8, u8) -> bool,
) -> Option<usize> {
    let each = || octets.iter().zip(nexts).map(|(&octet, &next)| suspect(octet, next));
    // Mostly none is, which is told sooner than where one is.
    if !each().fold(false, |any, is_suspect| any | is_suspect) {
        return None;
    }
    let mut lanes = [0; LANES];
    for (lane, is_suspect) in lanes.iter_mut().zip(each()) {
        *lane = if is_suspect { 0xff } else { 0 };
    }
    let at = u128::from_le_bytes(lanes).trailing_zeros() / 8;
    usize::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BodyCanonicalizer, Canonicalization, write_field_body};

    const LENGTHS: std::ops::Range<usize> = 0..300;

    /// Octet by octet.
    fn naive(text: &[u8], suspect: impl Fn(u8, u8) -> bool) -> usize {
        let nexts = text.iter().skip(1).chain(b" ");
        text.iter().zip(nexts).take_while(|(octet, next)| !suspect(**octet, **next)).count()
    }

    fn assert_found(text: &[u8], suspect: impl Fn(u8, u8) -> bool, place: &str) {
        assert_eq!(clean_len(text, &suspect), naive(text, &suspect).min(RUN), "{place}");
    }

    #[test]
    fn the_first_suspect_octet_is_found_wherever_it_stands() {
        let suspect = |octet, next| (octet == b'\t') | ((octet == b' ') & (next <= b' '));
        let long = RUN - 2..RUN + 3;
        for len in LENGTHS.step_by(if cfg!(miri) { 67 } else { 1 }).chain(long) {
            // In a long text every stride is looked at, and each of its places in one of them.
            let step = if len < RUN - 2 { 1 } else { STRIDE + 1 };
            let clean = b"a b".iter().copied().cycle().take(len).collect::<Vec<u8>>();
            assert_found(&clean, suspect, &len.to_string());
            for at in (0..len).rev().step_by(if cfg!(miri) { step.max(31) } else { step }) {
                for (octet, next) in [(b'\t', b'x'), (b' ', b' '), (b' ', b'\r'), (b'x', b'\t')] {
                    let mut text = clean.clone();
                    text[at] = octet;
                    if let Some(after) = text.get_mut(at + 1) {
                        *after = next;
                    }
                    assert_found(&text, suspect, &format!("{octet} {next} at {at} of {len}"));
                }
            }
        }
    }

    #[test]
    fn a_run_is_as_long_as_it_is() {
        for len in LENGTHS.step_by(if cfg!(miri) { 67 } else { 1 }) {
            let mut text = vec![b' '; len];
            assert_eq!(run_len(&text, |octet| octet == b' '), len);
            for at in (0..len).rev() {
                text[at] = b'x';
                assert_eq!(run_len(&text, |octet| octet == b' '), at);
            }
        }
    }

    #[test]
    fn the_last_wanted_octet_is_found_wherever_it_stands() {
        for len in LENGTHS.step_by(if cfg!(miri) { 67 } else { 1 }) {
            let mut text = vec![b' '; len];
            assert_eq!(len_to_last(&text, |octet| octet != b' '), 0);
            for at in 0..len {
                text[at] = b'x';
                assert_eq!(len_to_last(&text, |octet| octet != b' '), at + 1);
            }
        }
    }

    fn canonical_body(text: &[u8]) -> Vec<u8> {
        let mut octets = Vec::new();
        let mut body = BodyCanonicalizer::new(Canonicalization::Relaxed);
        body.chunk(text, |piece| octets.extend_from_slice(piece));
        body.finish(|piece| octets.extend_from_slice(piece));
        octets
    }

    fn canonical_field_body(text: &[u8]) -> Vec<u8> {
        let mut octets = Vec::new();
        write_field_body(Canonicalization::Relaxed, text, &mut octets);
        octets
    }

    /// What follows a long run of clean octets reads as behind one of them, wherever the run is cut.
    #[test]
    fn a_run_that_is_cut_makes_no_difference() {
        let alphabet = [b'x', b' ', b'\t', b'\r', b'\n'];
        for canonical in [canonical_body, canonical_field_body] {
            for number in (0..625_usize).step_by(if cfg!(miri) { 89 } else { 1 }) {
                let four = [1, 5, 25, 125].map(|place| alphabet[number / place % 5]);
                let short = canonical(&[b"a", &four[..], b"x"].concat());
                for run in [RUN, 2 * RUN] {
                    let clean = vec![b'a'; run];
                    for len in run - 5..run {
                        let long = canonical(&[&clean[..=len], &four, b"x"].concat());
                        assert_eq!(long, [&clean[..len], &short].concat(), "{four:?} behind {len}");
                    }
                }
            }
        }
    }
}

//! Finding the few octets that canonicalization may have to change, many octets at a time.

/// Octets looked at together, the first suspect one of them found without looking at each.
const LANES: usize = 16;

/// Octets looked at together in a run that has been clean for long.
const STRIDE: usize = 64;

/// Octets after which a run has been clean for long: suspect places come in swarms (indented HTML,
/// text in columns), and where one of them stands the octets of a stride are looked at twice.
const LONG: usize = 4 * LANES;

/// Splits `text` before its first octet that is suspect.
///
/// `suspect(octet, next)` sees each octet with its neighbour; after the last octet it is shown SP.
/// It must be free of branches (`|` and `&`, not `||` and `&&`), so that the compiler makes vector
/// instructions of it: that is ten times faster.
pub(crate) fn split_clean(text: &[u8], suspect: impl Fn(u8, u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at_checked(clean_len(text, suspect)).unwrap_or((text, &[]))
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

fn clean_len(text: &[u8], suspect: impl Fn(u8, u8) -> bool) -> usize {
    let Some((&last, octets)) = text.split_last() else { return 0 };
    let mut clean = 0;
    while let Some((octets, nexts)) = pairs(text, clean) {
        if let Some(found) = first_suspect(octets, nexts, &suspect) {
            return clean + found;
        }
        clean += LANES;
        if clean == LONG {
            clean += clean_strides(text.get(clean..).unwrap_or_default(), &suspect);
        }
    }
    // What is left is less than all lanes; with clean octets before it, it fills them.
    let found = match octets.len().checked_sub(LANES) {
        Some(from) => pairs(text, from).and_then(|(octets, nexts)| {
            first_suspect(octets, nexts, &suspect).map(|found| from + found)
        }),
        None => octets.iter().zip(text.iter().skip(1)).position(|(&o, &n)| suspect(o, n)),
    };
    found.unwrap_or(octets.len() + usize::from(!suspect(last, b' ')))
}

/// How many octets `text` begins with in strides that have no suspect one.
fn clean_strides(text: &[u8], suspect: &impl Fn(u8, u8) -> bool) -> usize {
    let (mut octets, mut nexts) = (text, text.get(1..).unwrap_or_default());
    while let (Some((stride, more)), Some((next, more_nexts))) =
        (octets.split_first_chunk::<STRIDE>(), nexts.split_first_chunk::<STRIDE>())
    {
        if stride.iter().zip(next).fold(false, |any, (&o, &n)| any | suspect(o, n)) {
            break;
        }
        (octets, nexts) = (more, more_nexts);
    }
    text.len() - octets.len()
}

/// All lanes from a place on, and the neighbour of each.
fn pairs(text: &[u8], from: usize) -> Option<(&[u8; LANES], &[u8; LANES])> {
    let octets = text.get(from..)?;
    Some((octets.first_chunk()?, octets.get(1..)?.first_chunk()?))
}

fn first_suspect(
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

    const LENGTHS: std::ops::Range<usize> = 0..300;

    /// Octet by octet.
    fn naive(text: &[u8], suspect: impl Fn(u8, u8) -> bool) -> usize {
        let nexts = text.iter().skip(1).chain(b" ");
        text.iter().zip(nexts).take_while(|(octet, next)| !suspect(**octet, **next)).count()
    }

    #[test]
    fn the_first_suspect_octet_is_found_wherever_it_stands() {
        let suspect = |octet, next| (octet == b'\t') | ((octet == b' ') & (next <= b' '));
        for len in LENGTHS.step_by(if cfg!(miri) { 67 } else { 1 }) {
            let clean = b"a b".iter().copied().cycle().take(len).collect::<Vec<u8>>();
            assert_eq!(clean_len(&clean, suspect), naive(&clean, suspect), "{len}");
            for at in (0..len).step_by(if cfg!(miri) { 31 } else { 1 }) {
                for (octet, next) in [(b'\t', b'x'), (b' ', b' '), (b' ', b'\r'), (b'x', b'\t')] {
                    let mut text = clean.clone();
                    text[at] = octet;
                    if let Some(after) = text.get_mut(at + 1) {
                        *after = next;
                    }
                    let place = format!("{octet} {next} at {at} of {len}");
                    assert_eq!(clean_len(&text, suspect), naive(&text, suspect), "{place}");
                }
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
}

//! Finding the few octets that canonicalization may have to change, many octets at a time.

/// Octets looked at one by one before the strides: suspect places come in swarms (indented HTML,
/// text in columns).
const NEAR: usize = 16;

/// Octets looked at together. Longer strides are no faster on clean text, and cost more where one
/// of them must be looked at again, octet by octet.
const STRIDE: usize = 32;

/// Splits `text` before its first octet that is suspect.
///
/// `suspect(octet, next)` sees each octet with its neighbour; after the last octet it is shown SP.
/// It must be free of branches (`|` and `&`, not `||` and `&&`), so that the compiler makes vector
/// instructions of a stride: that is twenty times faster.
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
    let mut octets = text;
    let mut nexts = text.get(1..).unwrap_or_default();
    let mut clean = 0;

    if let (Some((o, octets_left)), Some((n, nexts_left))) =
        (octets.split_first_chunk::<NEAR>(), nexts.split_first_chunk::<NEAR>())
    {
        if let Some(found) = o.iter().zip(n).position(|(&o, &n)| suspect(o, n)) {
            return found;
        }
        (octets, nexts) = (octets_left, nexts_left);
        clean += NEAR;
    }
    while let (Some((o, octets_left)), Some((n, nexts_left))) =
        (octets.split_first_chunk::<STRIDE>(), nexts.split_first_chunk::<STRIDE>())
    {
        if o.iter().zip(n).fold(false, |any, (&o, &n)| any | suspect(o, n)) {
            break;
        }
        (octets, nexts) = (octets_left, nexts_left);
        clean += STRIDE;
    }
    let nexts = nexts.iter().copied().chain([b' ']);
    clean + octets.iter().zip(nexts).take_while(|&(&o, n)| !suspect(o, n)).count()
}

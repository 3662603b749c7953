//! Finding the few octets that canonicalization may have to change, many octets at a time.

/// Octets looked at in one step of the long loop.
const STRIDE: usize = 64;

/// Octets looked at in one step where something suspect is near.
const STEP: usize = 16;

/// Splits `text` before its first octet that is suspect.
///
/// `suspect(octet, next)` sees each octet with its neighbour; after the last octet it is shown SP.
/// It must be free of branches, so that the compiler makes vector instructions of the loops below.
pub(crate) fn split_clean(text: &[u8], suspect: impl Fn(u8, u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at_checked(clean_len(text, suspect)).unwrap_or((text, &[]))
}

fn clean_len(text: &[u8], suspect: impl Fn(u8, u8) -> bool) -> usize {
    let mut octets = text;
    let mut nexts = text.get(1..).unwrap_or_default();
    let mut clean = 0;

    // Suspect places come in swarms (indented HTML, text in columns), so one short step comes
    // before the strides.
    let mut stride = false;
    loop {
        if stride {
            while let (Some((o, octets_left)), Some((n, nexts_left))) =
                (octets.split_first_chunk::<STRIDE>(), nexts.split_first_chunk::<STRIDE>())
            {
                if o.iter().zip(n).fold(false, |any, (&o, &n)| any | suspect(o, n)) {
                    break;
                }
                (octets, nexts) = (octets_left, nexts_left);
                clean += STRIDE;
            }
        }
        let (Some((o, octets_left)), Some((n, nexts_left))) =
            (octets.split_first_chunk::<STEP>(), nexts.split_first_chunk::<STEP>())
        else {
            break;
        };
        let mut flags = [0; STEP];
        for ((flag, &o), &n) in flags.iter_mut().zip(o).zip(n) {
            *flag = u8::from(suspect(o, n));
        }
        if flags != [0; STEP] {
            return clean + flags.iter().take_while(|&&flag| flag == 0).count();
        }
        (octets, nexts) = (octets_left, nexts_left);
        clean += STEP;
        stride = !stride;
    }

    let nexts = nexts.iter().copied().chain([b' ']);
    clean + octets.iter().zip(nexts).take_while(|&(&o, n)| !suspect(o, n)).count()
}

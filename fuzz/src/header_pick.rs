//! Which instances of a field are signed (RFC 6376 §5.4.2).

use dkim_canon::Canonicalization;
use dkim_hash::{FieldIndex, HeaderInputs};
use dkim_message::{Header, split};

use crate::canon_twin;

/// The header of the message is picked from by the lines of its body, as the words of the RFC go.
pub fn header_pick(data: &[u8]) {
    let (header, names) = split(data);
    let names = String::from_utf8_lossy(names);
    let names: Vec<&str> = names.lines().take(200).collect();

    let own = header.fields().positions("DKIM-Signature").next();
    let picked: Vec<_> = FieldIndex::new(&header).pick(names.iter().copied(), own).collect();
    assert_eq!(picked, naive(&header, &names, own));

    let mut inputs = HeaderInputs::new(&header);
    // The second time of what is there.
    for form in [Canonicalization::Simple, Canonicalization::Relaxed].repeat(2) {
        let mut input = Vec::new();
        for field in picked.iter().flatten().filter_map(|index| header.fields().get(*index)) {
            input.extend(canon_twin::field(form, field.raw_name(), field.body()));
            input.extend(b"\r\n");
        }
        let place = inputs.open(form, names.iter().copied(), own);
        assert_eq!(inputs.octets().get(place), Some(&*input));
    }
}

/// "from the bottom of the header field block to the top": each name takes the lowest instance
/// that is left. The signature's own field never is.
fn naive(header: &Header<'_>, names: &[&str], own: Option<usize>) -> Vec<Option<usize>> {
    let mut left: Vec<Option<String>> = header
        .fields()
        .iter()
        .map(|field| String::from_utf8(field.name().to_ascii_lowercase()).ok())
        .collect();
    if let Some(field) = own.and_then(|own| left.get_mut(own)) {
        *field = None;
    }
    let take = |name: &&str| {
        let name = Some(name.to_ascii_lowercase());
        let found = left.iter().rposition(|field| *field == name)?;
        left[found] = None;
        Some(found)
    };
    names.iter().map(take).collect()
}

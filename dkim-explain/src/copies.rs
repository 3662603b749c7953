//! The copies of fields in `z=` against the fields there are (RFC 6376 §3.5).

use std::collections::{BTreeSet, HashMap};

use dkim_message::Field;
use dkim_tags::{CopiedField, Signature};

use crate::input::{Indexed, canonical_field};

/// How many fields of its name are shown beside a copy, at most.
const MAX_NOW: usize = 8;

/// How many octets of fields are shown beside the copies of a signature, at most: of one long field
/// there may be many copies.
const MAX_NOW_OCTETS: usize = 1024 * 1024;

/// A field that is not as its copy in `z=` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyDifference {
    /// The name of the field.
    pub name: String,
    /// The field body when the message was signed.
    pub copy: Vec<u8>,
    /// The field bodies of that name now, top to bottom: the lowest eight, which a signature picks
    /// first, or fewer where they are long.
    pub now: Vec<Vec<u8>>,
    /// How many more fields of that name there are now.
    pub more: usize,
}

/// The fields of one name.
struct Named<'m> {
    /// The lowest of them, from the bottom up.
    lowest: Vec<Field<'m>>,
    count: usize,
}

/// Compares the copies in `z=` with the fields there are, white space apart where the header's
/// canonicalization sets it apart. Of copies that are the same the first is told.
pub(crate) fn compare(
    signature: &Signature,
    Indexed { header, index }: &Indexed<'_, '_>,
) -> Vec<CopyDifference> {
    let form = signature.canonicalization.header;
    let name_of = |copy: &CopiedField| copy.name.as_str().to_ascii_lowercase();
    let mut named = HashMap::new();
    let mut unlike: HashMap<Vec<u8>, usize> = HashMap::new();
    for (at, copy) in signature.copied_fields.iter().enumerate() {
        let name = name_of(copy);
        unlike.entry(canonical_field(form, name.as_bytes(), &copy.body)).or_insert(at);
        named.entry(name).or_insert(Named { lowest: Vec::new(), count: 0 });
    }
    for (name, named) in &mut named {
        let fields = index.positions(name).filter_map(|position| header.fields().get(position));
        for field in fields {
            unlike.remove(&canonical_field(form, name.as_bytes(), field.body()));
            named.count += 1;
            if named.count <= MAX_NOW {
                named.lowest.push(field);
            }
        }
    }
    let unlike: BTreeSet<usize> = unlike.into_values().collect();
    let mut room = MAX_NOW_OCTETS;
    let mut difference = |copy: &CopiedField| {
        let (lowest, count) =
            named.get(&name_of(copy)).map_or((&[][..], 0), |named| (&*named.lowest, named.count));
        let mut now = Vec::new();
        for field in lowest {
            let Some(left) = room.checked_sub(field.body().len()) else { break };
            room = left;
            now.push(field.body().to_vec());
        }
        now.reverse();
        let more = count - now.len();
        CopyDifference { name: copy.name.as_str().to_owned(), copy: copy.body.clone(), now, more }
    };
    let copies = signature.copied_fields.iter().enumerate();
    copies.filter(|(at, _)| unlike.contains(at)).map(|(_, copy)| difference(copy)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_message::Header;

    use super::*;

    fn compared(copies: &str, fields: &str) -> Vec<CopyDifference> {
        let signature = format!(
            "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s; h=from; bh=YQ==; b=YQ==; \
             z={copies}"
        );
        let header = Header::parse(fields.as_bytes());
        let signature = Signature::parse(signature.as_bytes()).unwrap();
        compare(&signature, &Indexed::new(&header))
    }

    #[test]
    fn copies_that_say_the_same_are_told_once() {
        let told = compared("To:a|to:=20a|To:b|Cc:c|to:a", "To: c\r\ncc:  c\r\nTO: d\r\n");
        let copies: Vec<_> = told.iter().map(|told| (&*told.name, &*told.copy)).collect();
        assert_eq!(copies, [("To", &b"a"[..]), ("To", b"b")]);
        assert_eq!(told[0].now, [b" c", b" d"]);
        assert!(told.iter().all(|told| told.more == 0));
        assert_eq!(compared("To:c|to:d|Cc:c", "To: c\r\ncc:  c\r\nTO: d\r\n"), []);
    }

    /// Of fields without number eight are shown beside a copy, and the others counted.
    #[test]
    fn eight_fields_are_shown_beside_a_copy() {
        for (count, shown) in [(MAX_NOW, MAX_NOW), (MAX_NOW + 1, MAX_NOW), (20_000, MAX_NOW)] {
            let fields: String = (0..count).map(|at| format!("a:{at}\r\n")).collect();
            let copies = vec!["a:"; 1000].join("|");
            let told = compared(&copies, &fields);
            assert_eq!(told.len(), 1);
            assert_eq!((told[0].now.len(), told[0].more), (shown, count - shown));
            assert_eq!(told[0].now[shown - 1], (count - 1).to_string().as_bytes());
        }
    }

    /// Many copies of one long field do not multiply it.
    #[test]
    fn so_many_octets_are_shown_beside_all_copies() {
        let copies: Vec<String> = (0..1000).map(|at| format!("a:{at}")).collect();
        for (length, shown) in [(MAX_NOW_OCTETS / 1000, 1000), (MAX_NOW_OCTETS / 1000 + 2, 998)] {
            let told = compared(&copies.join("|"), &format!("a:{}\r\n", "x".repeat(length)));
            assert_eq!(told.len(), 1000);
            assert_eq!(told.iter().filter(|told| told.now.len() == 1).count(), shown);
            assert!(told.iter().all(|told| told.now.len() + told.more == 1));
        }
    }
}

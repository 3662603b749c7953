//! Forms that servers of one's own take: a line or a few, each octet with a place.

use std::fmt::Write;

use crate::Publication;

/// A TXT record in master file form (RFC 1035 §5.1).
pub(super) fn zone(publication: &Publication) -> String {
    let mut entry = format!("{}. {} IN TXT (", publication.name, publication.ttl);
    for string in publication.strings() {
        entry.push_str("\n    ");
        entry.push_str(&quoted(string));
    }
    entry.push_str(" )\n");
    entry
}

/// RFC 2136 §2.4.4, §2.5.2: under the condition that there is no alias, the TXT records go and this
/// one comes. Without the first step a second record would stand beside the old one.
pub(super) fn nsupdate(publication: &Publication) -> String {
    let name = &publication.name;
    let strings: Vec<String> = publication.strings().map(quoted).collect();
    let (ttl, strings) = (publication.ttl, strings.join(" "));
    format!(
        "prereq nxrrset {name}. IN CNAME\n\
         update delete {name}. IN TXT\n\
         update add {name}. {ttl} IN TXT {strings}\n\
         send\n"
    )
}

/// `'fqdn:s:ttl`, which `tinydns-data` cuts into strings itself. Whatever it might take for a
/// separator is written as `\ooo`.
pub(super) fn tinydns(publication: &Publication) -> String {
    let mut line = format!("'{}:", publication.name);
    for octet in publication.text.bytes() {
        match octet {
            b':' | b'\\' | ..=0x1f | 0x7f.. => {
                // Writing to a string does not fail.
                let _ = write!(line, "\\{octet:03o}");
            }
            octet => line.push(char::from(octet)),
        }
    }
    let _ = writeln!(line, ":{}", publication.ttl);
    line
}

/// A character-string with quotes around it.
pub(super) fn quoted(string: &str) -> String {
    let mut quoted = String::with_capacity(string.len() + 2);
    quoted.push('"');
    for c in string.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

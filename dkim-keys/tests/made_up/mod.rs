//! RSA keys of any length, which no provider makes: nobody signs with them.

use dkim_crypto::{KeyType, PublicKey};

/// A public key with a modulus of so many octets, all of their bits in use.
pub(crate) fn rsa(octets: usize) -> PublicKey {
    let mut modulus = vec![0xc5; octets];
    if let Some(last) = modulus.last_mut() {
        *last = 0x01;
    }
    // A leading zero: the number is not negative.
    let integers = [element(0x02, &[&[0], &modulus[..]].concat()), element(0x02, &[1, 0, 1])];
    PublicKey::from_p_tag(KeyType::Rsa, &element(0x30, &integers.concat())).expect("a key")
}

/// DER with a length of two octets, or the short form.
fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let [.., high, low] = contents.len().to_be_bytes();
    let header = match (high, low) {
        (0, ..0x80) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [&header[..], contents].concat()
}

//! Octets cut into pieces, as a network would hand them over.

/// Cuts at places that follow from the octets themselves, so that an input is a message and nothing
/// else, and is cut the same way each time. Empty pieces are among them. `salt` gives other cuts.
pub(crate) fn pieces(octets: &[u8], salt: u64) -> Vec<&[u8]> {
    let mut random = Random::new(octets, salt);
    let longest = [1, 2, 3, 7, 80, 1500][random.below(6)];
    let mut pieces = Vec::new();
    let mut rest = octets;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(random.below(longest + 1).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// Numbers that follow from octets: FNV-1a, then xorshift.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(octets: &[u8], salt: u64) -> Self {
        let hash =
            |hash: u64, octet: &u8| (hash ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01b3);
        Self(octets.iter().fold(0xcbf2_9ce4_8422_2325 ^ salt, hash) | 1)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % limit
    }
}

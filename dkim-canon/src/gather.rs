//! Puts small pieces together, so that what follows (a hash) is not fed a few octets at a time.

/// Octets of small pieces gathered before they are handed on.
const CAPACITY: usize = 512;

/// Octets from which a piece is handed on as it is: copying it would cost more than it saves.
const LARGE: usize = 256;

/// Octets of a piece that are copied at one go, be it shorter.
const WORD: usize = 16;

/// A sink in front of the caller's sink.
pub(crate) struct Gather<S> {
    sink: S,
    buffer: [u8; CAPACITY],
    len: usize,
}

impl<S: FnMut(&[u8])> Gather<S> {
    pub(crate) const fn new(sink: S) -> Self {
        Self { sink, buffer: [0; CAPACITY], len: 0 }
    }

    /// Hands `piece` on: at once if it is large, with its neighbours otherwise.
    pub(crate) fn put(&mut self, piece: &[u8]) {
        if piece.len() >= LARGE {
            self.flush();
            (self.sink)(piece);
            return;
        }
        if let [octet] = piece {
            self.put_octet(*octet);
            return;
        }
        if CAPACITY - self.len < piece.len() {
            self.flush();
        }
        let end = self.len + piece.len();
        if let Some(room) = self.buffer.get_mut(self.len..end) {
            room.copy_from_slice(piece);
            self.len = end;
        }
    }

    /// `put` of so many octets of `text`, and returns the rest of it.
    pub(crate) fn put_first<'t>(&mut self, text: &'t [u8], len: usize) -> &'t [u8] {
        let (piece, rest) = text.split_at_checked(len).unwrap_or((text, &[]));
        let room = self.buffer.get_mut(self.len..).and_then(<[u8]>::first_chunk_mut);
        match (text.first_chunk::<WORD>(), room) {
            // More is copied than is asked for: what comes next overwrites it.
            (Some(octets), Some(room)) if len <= WORD => {
                *room = *octets;
                self.len += len;
            }
            _ => self.put(piece),
        }
        rest
    }

    /// `put` of one octet, the commonest of small pieces.
    pub(crate) fn put_octet(&mut self, octet: u8) {
        if self.len == CAPACITY {
            self.flush();
        }
        if let Some(room) = self.buffer.get_mut(self.len) {
            *room = octet;
            self.len += 1;
        }
    }

    /// Hands on what has been gathered. The last call of all.
    pub(crate) fn flush(&mut self) {
        if let Some(gathered @ [_, ..]) = self.buffer.get(..self.len) {
            (self.sink)(gathered);
        }
        self.len = 0;
    }
}

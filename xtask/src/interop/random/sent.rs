//! A signed message on its way: which of its fields are signed, and what can be done to them.

use super::dice::Dice;
use super::message::{Letter, covered, octets};
use super::name_of;

/// A signed message on its way.
pub(super) struct Sent<'l> {
    pub(super) letter: &'l Letter,
    /// Fields without the line end that closes them.
    pub(super) fields: Vec<Vec<u8>>,
    /// Where the signature stands among them.
    pub(super) own: usize,
    pub(super) body: Vec<u8>,
}

/// Changes a field; `false` if it has no place for that.
pub(super) type FieldChange = fn(&mut Dice, &mut Vec<u8>) -> bool;

impl<'l> Sent<'l> {
    /// The letter as its signer returned it: the signature on top of the message.
    pub(super) fn new(letter: &'l Letter, signed: &[u8]) -> Option<Self> {
        let signature = signed.strip_suffix(letter.message.octets().as_slice())?;
        let signature = signature.strip_suffix(b"\r\n")?.to_vec();
        let mut fields = letter.message.fields.clone();
        fields.insert(0, signature);
        Some(Self { letter, fields, own: 0, body: letter.message.body.clone() })
    }

    pub(super) fn octets(&self) -> Vec<u8> {
        octets(&self.fields, &self.body)
    }

    /// How often `h=` has this name.
    pub(super) fn listed(&self, name: &str) -> usize {
        self.letter.names.iter().filter(|listed| listed.eq_ignore_ascii_case(name)).count()
    }

    /// How often the message has this name, the signature left out.
    pub(super) fn present(&self, name: &str) -> usize {
        self.others().filter(|at| self.name(*at) == name).count()
    }

    pub(super) fn others(&self) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.fields.len()).filter(|at| *at != self.own)
    }

    pub(super) fn name(&self, at: usize) -> String {
        self.fields.get(at).map(|field| name_of(field)).unwrap_or_default()
    }

    /// The fields that are signed, or those that are not.
    pub(super) fn with_signed(&self, signed: bool) -> Vec<usize> {
        let covered = covered(&self.letter.names, &self.fields, self.others());
        self.others().filter(|at| covered.contains(at) == signed).collect()
    }

    /// Inserts a field and keeps in mind where the signature is.
    pub(super) fn insert(&mut self, at: usize, field: Vec<u8>) {
        self.fields.insert(at, field);
        if at <= self.own {
            self.own += 1;
        }
    }

    pub(super) fn own(&mut self) -> &mut Vec<u8> {
        self.fields.get_mut(self.own).expect("the signature is among the fields")
    }

    /// Changes one of these fields where it fits.
    pub(super) fn change_one_of(
        &mut self,
        dice: &mut Dice,
        mut from: Vec<usize>,
        change: FieldChange,
    ) -> bool {
        dice.shuffle(&mut from);
        let fields = &mut self.fields;
        from.into_iter().any(|at| fields.get_mut(at).is_some_and(|field| change(dice, field)))
    }

    pub(super) fn change_signed(&mut self, dice: &mut Dice, change: FieldChange) -> bool {
        let signed = self.with_signed(true);
        self.change_one_of(dice, signed, change)
    }

    /// Removes one of these fields.
    pub(super) fn remove_one_of(&mut self, dice: &mut Dice, from: &[usize]) -> bool {
        let Some(at) = dice.pick_any(from) else { return false };
        self.fields.remove(at);
        if at < self.own {
            self.own -= 1;
        }
        true
    }

    /// Exchanges a field and the next one, where both are so.
    pub(super) fn swap(
        &mut self,
        dice: &mut Dice,
        suits: impl Fn(&Self, usize, usize) -> bool,
    ) -> bool {
        let pairs: Vec<usize> =
            (1..self.fields.len()).filter(|below| suits(self, below - 1, *below)).collect();
        let Some(below) = dice.pick_any(&pairs) else { return false };
        self.fields.swap(below - 1, below);
        if self.own == below {
            self.own = below - 1;
        } else if self.own + 1 == below {
            self.own = below;
        }
        true
    }

    /// Closes the last line of the body. The empty body gets an empty line. In neither form does
    /// that change the canonical body (RFC 6376 §3.4.3, §3.4.4).
    pub(super) fn end_body(&mut self) {
        if !self.body.ends_with(b"\r\n") {
            self.body.extend_from_slice(b"\r\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Message;
    use super::*;

    #[test]
    fn the_lowest_instances_are_signed() {
        let fields = ["A: 1", "B: 2", "a: 3", "A: 4"].map(|field| field.as_bytes().to_vec());
        let mut dice = Dice::new(1, 1);
        let mut letter = Letter::random(&mut dice, 2);
        letter.message = Message { fields: fields.to_vec(), body: Vec::new() };
        letter.names = ["A", "c", "a"].map(str::to_owned).to_vec();
        let signed = [b"DKIM-Signature: x\r\n", letter.message.octets().as_slice()].concat();
        let sent = Sent::new(&letter, &signed).expect("the signature is on top");
        assert_eq!(sent.with_signed(true), [3, 4]);
        assert_eq!(sent.with_signed(false), [1, 2]);
    }
}

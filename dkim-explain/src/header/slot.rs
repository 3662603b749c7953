//! One field of a header hash input, and what it may have been when it was signed.

use dkim_canon::Canonicalization;
use dkim_message::Field;
use dkim_tags::Signature;

use super::mend::{
    RESPACINGS, Respacing, decoded_words, in_other_case, requoted, unquoted, untagged,
};
use super::{FieldChange, FieldChangeKind};
use crate::input::{Indexed, body_without_b, canonical_field};

/// How many instances of a name are tried for one another.
const MAX_INSTANCES: usize = 8;

/// How many options there are for a field, at most.
const MAX_OPTIONS: usize = 64;

/// Octets after which a field is not changed in search of what it was: it would take too long.
const MAX_OCTETS: usize = 64 * 1024;

/// The values of Content-Transfer-Encoding (RFC 2045 §6.1), as they are mostly written.
const ENCODINGS: [&str; 5] = ["7bit", "8bit", "quoted-printable", "base64", "binary"];

/// What a name in `h=` may have stood for; first what it stands for now.
pub(super) struct Slot {
    options: Vec<SlotOption>,
    /// How many of the options come from what is usually done to messages; the rest is rare.
    usual: usize,
    /// The canonical field under each of [`RESPACINGS`].
    respaced: Vec<Option<Vec<u8>>>,
}

struct SlotOption {
    change: Option<FieldChange>,
    octets: Option<Vec<u8>>,
}

impl Slot {
    /// The place of a name in `h=` that picks the field at this position.
    pub(super) fn of(
        name: &str,
        position: Option<usize>,
        own: usize,
        indexed: &Indexed<'_, '_>,
        signature: &Signature,
        room: &mut usize,
    ) -> Self {
        let mut options = Options::new(name, signature.canonicalization.header, room);
        let now = position.and_then(|position| indexed.header.fields().get(position));
        options.now(now.map(|field| (field.raw_name(), field.body())));
        let copies = signature.copied_fields.iter().filter(|copy| copy.name.is(name));
        for copy in copies.take(MAX_INSTANCES) {
            options.add(FieldChangeKind::NotAsCopied, name, &copy.body);
        }
        let now = now.filter(|field| field.octets().len() <= MAX_OCTETS);
        if let Some(field) = now {
            options.absent();
            options.rewritten(&field);
        } else if position.is_none() {
            options.usual_values(FieldChangeKind::Removed, name);
        }
        for (kind, body) in moved(name, indexed) {
            let kind = if position.is_some() { kind } else { FieldChangeKind::Removed };
            options.add(kind, name, body);
        }
        let usual = options.all.len();
        if let Some(field) = now {
            options.respaced(field.raw_name(), field.body());
            options.name_case(field.raw_name(), field.body());
            options.usual_values(FieldChangeKind::Rewritten, name);
        }
        let others = indexed.index.positions(name);
        let others = others.filter(|other| *other != own && Some(*other) != position);
        let fields = indexed.header.fields();
        for other in others.take(MAX_INSTANCES).filter_map(|other| fields.get(other)) {
            options.add_raw(FieldChangeKind::Reordered, other.raw_name(), other.body());
        }
        options.slot(usual, now.map(|field| (field.raw_name(), field.body())))
    }

    /// The place of the DKIM-Signature field itself.
    pub(super) fn of_own(field: &Field<'_>, signature: &Signature, room: &mut usize) -> Self {
        let form = signature.canonicalization.header;
        let mut options = Options::new(Signature::FIELD_NAME, form, room);
        let body = body_without_b(field);
        options.now(Some((field.raw_name(), &body)));
        let short = Some((field.raw_name(), &*body)).filter(|_| body.len() <= MAX_OCTETS);
        if let Some((name, body)) = short {
            options.respaced(name, body);
            options.name_case(name, body);
        }
        options.slot(1, short)
    }

    /// How many options there are to choose from when so many fields are taken to be changed:
    /// several at once have the usual changes only.
    pub(super) fn choices(&self, changes: usize) -> usize {
        if changes == 1 { self.options.len() } else { self.usual }
    }

    /// The canonical field with its white space changed in this way.
    pub(super) fn respaced(&self, respacing: usize) -> Option<&[u8]> {
        self.respaced.get(respacing)?.as_deref()
    }

    /// The canonical field; `None` if there is none.
    pub(super) fn octets(&self, option: usize) -> Option<&[u8]> {
        self.options.get(option)?.octets.as_deref()
    }

    pub(super) fn change(&self, option: usize) -> Option<FieldChange> {
        self.options.get(option)?.change.clone()
    }
}

/// Options as they are collected.
struct Options<'n> {
    name: &'n str,
    form: Canonicalization,
    all: Vec<SlotOption>,
    /// How many octets of options there is still room for.
    room: &'n mut usize,
}

impl<'n> Options<'n> {
    fn new(name: &'n str, form: Canonicalization, room: &'n mut usize) -> Self {
        Self { name, form, all: Vec::new(), room }
    }

    fn now(&mut self, field: Option<(&[u8], &[u8])>) {
        let octets = field.map(|(name, body)| self.canonical(name, body));
        self.all.push(SlotOption { change: None, octets });
    }

    fn absent(&mut self) {
        self.push(FieldChangeKind::Added, None, None);
    }

    fn add(&mut self, kind: FieldChangeKind, name: &str, body: &[u8]) {
        self.add_raw(kind, name.as_bytes(), body);
    }

    fn add_raw(&mut self, kind: FieldChangeKind, name: &[u8], body: &[u8]) {
        // Of much white space little may be left in canonical form, but it is kept as it was.
        if body.len() <= MAX_OCTETS && body.len() <= *self.room {
            let octets = self.canonical(name, body);
            self.push(kind, Some(body.to_vec()), Some(octets));
        }
    }

    fn push(&mut self, kind: FieldChangeKind, signed: Option<Vec<u8>>, octets: Option<Vec<u8>>) {
        let length = octets.as_ref().map_or(0, Vec::len) + signed.as_ref().map_or(0, Vec::len);
        if length > *self.room || self.all.len() > MAX_OPTIONS {
            return;
        }
        if self.all.iter().all(|option| option.octets != octets) {
            *self.room -= length;
            let change = FieldChange { name: self.name.to_owned(), kind, signed };
            self.all.push(SlotOption { change: Some(change), octets });
        }
    }

    fn canonical(&self, name: &[u8], body: &[u8]) -> Vec<u8> {
        canonical_field(self.form, name, body)
    }

    /// What the field there may have been before it was rewritten.
    fn rewritten(&mut self, field: &Field<'_>) {
        let (raw_name, body) = (field.raw_name(), field.body());
        if field.is("Subject") {
            for untagged in untagged(body) {
                self.add_raw(FieldChangeKind::Tagged, raw_name, &untagged);
            }
        }
        if ["From", "To", "Cc", "Reply-To", "Sender"].iter().any(|name| field.is(name)) {
            for body in requoted(body) {
                self.add_raw(FieldChangeKind::Quotes, raw_name, &body);
            }
        }
        if field.is("Content-Type") {
            self.add_raw(FieldChangeKind::Quotes, raw_name, &unquoted(body));
        }
        if field.is("Content-Transfer-Encoding") {
            for encoding in ENCODINGS {
                let body = format!(" {encoding}");
                self.add_raw(FieldChangeKind::TransferEncoding, raw_name, body.as_bytes());
            }
        }
        if let Some(decoded) = decoded_words(body) {
            self.add_raw(FieldChangeKind::EncodedWords, raw_name, &decoded);
        }
    }

    /// What such a field says as a rule.
    fn usual_values(&mut self, kind: FieldChangeKind, name: &str) {
        let guesses: &[&str] = match () {
            () if name.eq_ignore_ascii_case("MIME-Version") => &["1.0"],
            () if name.eq_ignore_ascii_case("Content-Transfer-Encoding") => &ENCODINGS,
            () if name.eq_ignore_ascii_case("Content-Type") => {
                &["text/plain", "text/plain; charset=us-ascii"]
            }
            () => &[],
        };
        for guess in guesses {
            let body = format!(" {guess}");
            self.add(kind.clone(), name, body.as_bytes());
        }
    }

    fn respaced(&mut self, raw_name: &[u8], body: &[u8]) {
        for respace in RESPACINGS {
            let (name, body) = respace(raw_name, body);
            self.add_raw(FieldChangeKind::WhiteSpace, &name, &body);
        }
    }

    fn slot(self, usual: usize, now: Option<(&[u8], &[u8])>) -> Slot {
        let respaced = |respace: &Respacing| {
            let (name, body) = now.map(|(name, body)| respace(name, body))?;
            Some(self.canonical(&name, &body))
        };
        let respaced = match now {
            Some(_) => RESPACINGS.iter().map(respaced).collect(),
            None => vec![self.all.first().and_then(|now| now.octets.clone()); RESPACINGS.len()],
        };
        Slot { options: self.all, usual, respaced }
    }

    fn name_case(&mut self, raw_name: &[u8], body: &[u8]) {
        for name in in_other_case(raw_name) {
            self.add_raw(FieldChangeKind::NameCase, &name, body);
        }
    }
}

/// Fields in which lists and gateways keep what a field was before they rewrote it.
fn moved<'m>(name: &str, indexed: &Indexed<'_, 'm>) -> Vec<(FieldChangeKind, &'m [u8])> {
    let mut kept: Vec<String> =
        ["X-Original-", "Original-", "X-Google-Original-", "X-", "Old-", "X-Old-", "Resent-"]
            .iter()
            .map(|prefix| format!("{prefix}{name}"))
            .collect();
    if name.eq_ignore_ascii_case("From") {
        kept.extend(["Reply-To", "Cc", "X-Original-Sender", "Sender"].map(str::to_owned));
    }
    kept.into_iter()
        .filter_map(|name| {
            let lowest = indexed.index.positions(&name).next()?;
            let field = indexed.header.fields().get(lowest)?;
            Some((FieldChangeKind::MovedTo(name), field.body()))
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_message::Header;

    use super::*;

    fn signature(tags: &str) -> Signature {
        let field = format!(
            "v=1; a=rsa-sha256; c=relaxed/relaxed; d=a.example; s=s; h=from; bh=YQ==; b=YQ==; {tags}"
        );
        Signature::parse(field.as_bytes()).unwrap()
    }

    /// Of fields with much white space little is left in canonical form, but what is kept of them
    /// takes room all the same.
    #[test]
    fn options_take_no_more_than_their_room() {
        let signature = signature("");
        for (blanks, kept) in [(50_000, 3), (MAX_OCTETS - 1, 3), (MAX_OCTETS, 0)] {
            let octets = format!("From: a\r\nX-From:{}x\r\n", " ".repeat(blanks));
            let header = Header::parse(octets.as_bytes());
            let mut room = 3 * (blanks + 100);
            let slots = [(); 5].map(|()| {
                Slot::of("from", Some(0), 2, &Indexed::new(&header), &signature, &mut room)
            });
            let moved = slots.iter().flat_map(|slot| &slot.options).filter(|option| {
                let signed = option.change.as_ref().and_then(|change| change.signed.as_ref());
                signed.is_some_and(|signed| signed.len() == blanks + 1)
            });
            assert_eq!(moved.count(), kept, "{blanks}");
        }
    }

    /// How many options of this kind a slot has.
    fn count(slot: &Slot, kind: &FieldChangeKind) -> usize {
        let changes = slot.options.iter().filter_map(|option| option.change.as_ref());
        changes.filter(|change| change.kind == *kind).count()
    }

    #[test]
    fn eight_instances_and_eight_copies_are_tried() {
        for others in [MAX_INSTANCES, MAX_INSTANCES + 1] {
            let fields: String = (0..=others).map(|number| format!("X: {number}\r\n")).collect();
            let copies: Vec<_> = (0..others).map(|number| format!("X:copy{number}")).collect();
            let (header, signature) =
                (Header::parse(fields.as_bytes()), signature(&format!("z={}", copies.join("|"))));
            let (indexed, mut room) = (Indexed::new(&header), 1_000_000);
            let slot = Slot::of("x", Some(others), others + 1, &indexed, &signature, &mut room);
            for kind in [FieldChangeKind::Reordered, FieldChangeKind::NotAsCopied] {
                assert_eq!(count(&slot, &kind), MAX_INSTANCES, "{others} {kind:?}");
            }
        }
    }

    #[test]
    fn a_field_has_64_options() {
        for added in [MAX_OPTIONS, MAX_OPTIONS + 1] {
            let mut room = 1_000_000;
            let mut options = Options::new("x", Canonicalization::Relaxed, &mut room);
            options.now(None);
            for number in 0..added {
                options.add(FieldChangeKind::Rewritten, "x", number.to_string().as_bytes());
            }
            let slot = options.slot(1, None);
            assert_eq!(count(&slot, &FieldChangeKind::Rewritten), MAX_OPTIONS, "{added}");
        }
    }

    #[test]
    fn fields_of_64_kib_are_changed() {
        for (octets, is_changed) in [(MAX_OCTETS, true), (MAX_OCTETS + 1, false)] {
            let field = |body: usize| format!("Subject:x {}\r\n", "x".repeat(body - 2));
            let (whole, body) = (field(octets - "Subject:".len()), field(octets));
            let (whole, body) = (Header::parse(whole.as_bytes()), Header::parse(body.as_bytes()));
            let (signature, mut room) = (signature(""), 10 * MAX_OCTETS);
            let slot =
                Slot::of("subject", Some(0), 1, &Indexed::new(&whole), &signature, &mut room);
            assert_eq!(slot.options.len() > 1, is_changed, "{octets}");
            let own = body.fields().get(0).unwrap();
            let slot = Slot::of_own(&own, &signature, &mut room);
            assert_eq!(slot.options.len() > 1, is_changed, "own, {octets}");
        }
    }
}

//! `opendkim.conf` itself: its settings, and how they say to sign.

use std::path::{Path, PathBuf};

use dkim_tags::{Canonicalizations, FieldName};
use zeroize::Zeroizing;

use super::{Import, ImportError, ReadFile};
use crate::excerpt::quoted;

/// How deep files may be included, which is how deep OpenDKIM does it.
const MAX_DEPTH: usize = 5;

/// How many files are included.
const MAX_INCLUDED: usize = 100;

/// The settings of a configuration file, in the order they stand; names without regard to case.
#[derive(Default)]
pub(super) struct Settings {
    settings: Zeroizing<Vec<(String, String)>>,
    included: usize,
    /// Lines with a name and no value.
    pub(super) notes: Vec<String>,
}

impl Settings {
    pub(super) fn read(conf: &str, files: &impl ReadFile) -> Result<Self, ImportError> {
        let mut settings = Self::default();
        settings.take(conf, None, 0, files)?;
        Ok(settings)
    }

    fn take(
        &mut self,
        text: &str,
        file: Option<&Path>,
        depth: usize,
        files: &impl ReadFile,
    ) -> Result<(), ImportError> {
        const BLANK: [char; 2] = [' ', '\t'];
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split(['#', '\r']).next().unwrap_or_default().trim_matches(BLANK);
            let Some((name, value)) = line.split_once(BLANK) else {
                if !line.is_empty() {
                    self.without_value(number, file);
                }
                continue;
            };
            let value = value.trim_matches(BLANK);
            if name.eq_ignore_ascii_case("Include") {
                self.include(PathBuf::from(value), depth + 1, files)?;
            } else {
                self.settings.push((name.to_owned(), value.to_owned()));
            }
        }
        Ok(())
    }

    fn include(
        &mut self,
        path: PathBuf,
        depth: usize,
        files: &impl ReadFile,
    ) -> Result<(), ImportError> {
        self.included += 1;
        if depth > MAX_DEPTH || self.included > MAX_INCLUDED {
            return Err(ImportError::Included { path });
        }
        match files(&path) {
            Ok(text) => self.take(&text, Some(&path), depth, files),
            Err(error) => Err(ImportError::File { path, error }),
        }
    }

    /// What stands there is not told: it may be a line of a key.
    fn without_value(&mut self, number: usize, file: Option<&Path>) {
        let of_file = file.map(|file| format!(" of {}", file.display())).unwrap_or_default();
        let note = format!("line {number}{of_file}: a name without a value: not taken over");
        self.notes.push(note.escape_debug().to_string());
    }

    /// Of several the last.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut found =
            self.settings.iter().rev().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }

    pub(super) fn is_on(&self, name: &str) -> bool {
        // Its first octet decides: T, t, Y, y or 1.
        self.get(name).is_some_and(|value| value.starts_with(['T', 't', 'Y', 'y', '1']))
    }
}

impl Import {
    pub(super) fn signing(
        &mut self,
        settings: &Settings,
        files: &impl ReadFile,
    ) -> Result<(), ImportError> {
        // One name means that one for the header and simple for the body, there and here; none at
        // all means simple there.
        let forms = settings.get("Canonicalization").unwrap_or("simple/simple");
        match Canonicalizations::parse(&forms.to_ascii_lowercase()) {
            Some(forms) => self.config.signing.canonicalization = Some(forms),
            None => self.notes.push(format!("Canonicalization: {:?} is none", quoted(forms))),
        }
        if let Some(text) = settings.get("SignatureTTL") {
            match seconds(text) {
                // No end, there.
                Some(0) => {}
                Some(seconds) => self.config.signing.expires = Some(seconds),
                None => self
                    .notes
                    .push(format!("SignatureTTL: {:?} is no number of seconds", quoted(text))),
            }
        }
        if let Some(names) = settings.get("OversignHeaders") {
            let table = self.table("OversignHeaders", names, files)?;
            let name = |(name, _): &(String, String)| {
                let wrong = |_| ImportError::entry("OversignHeaders", name, "it is no field name");
                FieldName::parse(name).map_err(wrong)
            };
            self.config.signing.oversign =
                Some(table.entries.iter().map(name).collect::<Result<_, _>>()?);
        }
        // `s` signs, `v` verifies, and both are done unless it is said.
        if settings.get("Mode").is_some_and(|mode| !mode.contains('s')) {
            self.notes.push("Mode: it does not sign; this configuration would".to_owned());
        }
        Ok(())
    }

    /// What is not about which key signs for whom is named, so that nobody misses it later; without
    /// its value, which may be a password.
    pub(super) fn others(&mut self, settings: Settings) {
        const TAKEN_OVER: [&str; 12] = [
            "KeyTable",
            "SigningTable",
            "Domain",
            "Selector",
            "KeyFile",
            "SubDomains",
            "MultipleSignatures",
            "InternalHosts",
            "Canonicalization",
            "SignatureTTL",
            "OversignHeaders",
            "Mode",
        ];
        const KEEP_MAIL_UNSIGNED: [&str; 8] = [
            "DontSignMailTo",
            "ExemptDomains",
            "LuaOnlySigning",
            "MaximumHeaders",
            "MinimumKeyBits",
            "PeerList",
            "SenderHeaders",
            "SetupPolicyScript",
        ];
        let is_among =
            |name: &str, known: &[&str]| known.iter().any(|known| known.eq_ignore_ascii_case(name));
        for (name, _) in settings.settings.iter() {
            if is_among(name, &TAKEN_OVER) {
                continue;
            }
            let more = match is_among(name, &KEEP_MAIL_UNSIGNED) {
                true => "; this configuration may sign what it keeps unsigned",
                false => "",
            };
            self.notes.push(format!("{}: not taken over{more}", quoted(name).escape_debug()));
        }
        self.notes.extend(settings.notes);
    }
}

/// A number as C writes it, in 31 bits: `0x` before it makes it hexadecimal, `0` octal.
fn seconds(text: &str) -> Option<u64> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (radix, digits) = match hexadecimal {
        Some(digits) => (16, digits),
        None if text.starts_with('0') => (8, text),
        None => (10, text),
    };
    // A second sign is none.
    if !digits.starts_with(|c: char| c.is_digit(radix)) {
        return None;
    }
    i32::from_str_radix(digits, radix).ok().and_then(|seconds| seconds.try_into().ok())
}

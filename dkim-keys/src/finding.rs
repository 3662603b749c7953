//! What is found wrong, for people and programs.

use std::fmt;

/// How bad a finding is, from worst to mildest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Mail fails, or a key is in other hands.
    Error,
    /// Some mail fails somewhere, or will one day.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// All, worst first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Note];

    /// Its word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }

    /// The severity of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == name)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// A stable word for programs, such as `no-record`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it was found on: a file, a name in the DNS, a rule.
    pub subject: String,
    /// What is wrong.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
    /// Where that is said, such as `RFC 6376 §3.6.1`.
    pub reference: &'static str,
}

/// What a fault is called and worth: a row of its kind's table.
pub(crate) struct Row {
    pub(crate) code: &'static str,
    pub(crate) severity: Severity,
    pub(crate) remedy: &'static str,
    pub(crate) reference: &'static str,
}

impl Row {
    /// The finding of this row.
    pub(crate) fn finding(self, subject: impl fmt::Display, cause: impl fmt::Display) -> Finding {
        let Self { code, severity, remedy, reference } = self;
        let (subject, cause, remedy) = (subject.to_string(), cause.to_string(), remedy.to_owned());
        Finding { code, severity, subject, cause, remedy, reference }
    }
}

impl fmt::Display for Finding {
    /// `subject: severity: cause`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.subject, self.severity, self.cause)
    }
}

//! What is said on standard error.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io::{self, Write};

use dkim_keys::is_secret;

use crate::exit::Exit;
use crate::printable::printable;

/// Why something was not done: what is wrong with what, and what a person can do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    subject: Option<String>,
    pub(crate) what: String,
    pub(crate) remedy: Option<String>,
    silent: bool,
}

impl Failure {
    pub(crate) fn new(exit: Exit, what: impl Display) -> Self {
        let what = what.to_string();
        Self { exit, subject: None, what, remedy: None, silent: false }
    }

    /// An error with its causes.
    pub(crate) fn of(exit: Exit, error: &dyn Error) -> Self {
        let mut what = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_says = cause.to_string();
            // Some errors tell their cause themselves.
            if !what.contains(&cause_says) {
                what = format!("{what}: {cause_says}");
            }
            source = cause.source();
        }
        Self::new(exit, what)
    }

    /// The output cannot be written. That nobody reads it any more is no news to anybody.
    pub(crate) fn output(error: &io::Error) -> Self {
        let silent = error.kind() == io::ErrorKind::BrokenPipe;
        let failure = Self::new(Exit::CannotWrite, error);
        Self { silent, ..failure }.on("standard output")
    }

    /// Says what it is about, unless that is said already.
    pub(crate) fn on(mut self, subject: impl Display) -> Self {
        self.subject.get_or_insert_with(|| unless_secret(&subject.to_string()).to_owned());
        self
    }

    pub(crate) fn remedy(mut self, remedy: impl Display) -> Self {
        self.remedy = Some(remedy.to_string());
        self
    }

    /// Of which whoever reads has been told.
    pub(crate) fn told(self) -> Self {
        Self { silent: true, ..self }
    }

    pub(crate) fn is_told(&self) -> bool {
        self.silent
    }

    pub(crate) fn tell(&self) {
        if !self.silent {
            say(self);
        }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(subject) = &self.subject {
            write!(f, "{}: ", printable(subject))?;
        }
        write!(f, "{}", printable(&self.what))?;
        match &self.remedy {
            Some(remedy) => write!(f, "\nremedy: {}", printable(remedy)),
            None => Ok(()),
        }
    }
}

impl Error for Failure {}

/// What is told of a text that names a file: somebody may have put there what belongs into it.
pub(crate) fn unless_secret(subject: &str) -> &str {
    if is_secret(subject) { "(a secret, and no file)" } else { subject }
}

/// Tells something that is no failure.
pub(crate) fn note(subject: impl Display, what: impl Display) {
    let subject = subject.to_string();
    say(format_args!("{}: {what}", printable(&subject)));
}

fn say(what: impl Display) {
    // Where standard error is closed, there is nobody to tell.
    let _ = writeln!(io::stderr(), "dkim: {what}");
}

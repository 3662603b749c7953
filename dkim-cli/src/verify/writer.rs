//! Says what became of the messages, one after the other.

use std::fs::{File, Metadata};
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;

use super::judge::Judged;
use super::progress::Progress;
use crate::diagnostics::{Failure, note};
use crate::exit::Exit;
use crate::input::{BLOCK, LineEnds, Origin};

/// Whether standard output cannot be seen coming: what is found would be progress enough. Behind a
/// pipe there may be a program that writes to the terminal, too.
fn is_out_of_sight() -> bool {
    let kind = io::stdout().as_fd().try_clone_to_owned().and_then(|out| File::from(out).metadata());
    let pipe = |kind: Metadata| kind.file_type().is_fifo() || kind.file_type().is_socket();
    !io::stdout().is_terminal() && !kind.is_ok_and(pipe)
}

/// Standard output for what was found, standard error for what is to be known besides.
pub(super) struct Writer {
    out: BufWriter<Stdout>,
    progress: Progress,
    /// The worst that was found.
    worst: Exit,
    /// The file of which it was said that its line ends are LF.
    noted: Option<String>,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self {
            out: BufWriter::with_capacity(BLOCK, io::stdout()),
            progress: Progress::new(is_out_of_sight() && io::stderr().is_terminal()),
            worst: Exit::Success,
            noted: None,
        }
    }

    /// Takes the message in turn.
    pub(super) fn take(&mut self, judged: &Judged) -> Result<(), Failure> {
        self.worst = self.worst.max(judged.exit);
        self.tell(judged)?;
        self.out.write_all(&judged.output).map_err(|error| Failure::output(&error))?;
        self.progress.one_more();
        Ok(())
    }

    /// Lets everything be seen that was taken.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|error| Failure::output(&error))
    }

    /// There are no more messages.
    pub(super) fn finish(mut self) -> Result<Exit, Failure> {
        self.flush()?;
        Ok(self.worst)
    }

    /// Says on standard error what is to stand right before the message's output.
    fn tell(&mut self, judged: &Judged) -> Result<(), Failure> {
        let origin = &judged.origin;
        // Once a file.
        let lf =
            judged.line_ends == Some(LineEnds::Lf) && self.noted.as_ref() != Some(&origin.file);
        if !lf && judged.unlisted == 0 && judged.failure.is_none() {
            return Ok(());
        }
        self.flush()?;
        self.progress.clear();
        if lf {
            let file = Origin { number: None, ..origin.clone() };
            note(&file, "lines end with LF; read as CRLF");
            self.noted = Some(file.file);
        }
        if judged.unlisted > 0 {
            let more = format_args!("{} more signatures are not looked at", judged.unlisted);
            note(origin, more);
        }
        if let Some(failure) = &judged.failure {
            failure.tell();
        }
        Ok(())
    }
}

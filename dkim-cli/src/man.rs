//! `dkim man`: manual pages.

use std::io::{self, Write};

use clap::{Args, Command};
use clap_mangen::Man as Page;

use crate::diagnostics::Failure;
use crate::exit::Exit;

/// Write a manual page, in roff
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The command it is about, with its subcommand if it has some; dkim itself unless said
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

impl Man {
    pub(crate) fn run(self, dkim: Command) -> Result<Exit, Failure> {
        let mut command = dkim;
        // Gives the page of `dkim verify` its name, dkim-verify.
        command.build();
        for name in &self.command {
            let Some(found) = command.find_subcommand(name) else {
                let failure = Failure::new(Exit::Usage, "there is no such command").on(name);
                return Err(failure.remedy("`dkim --help` lists them"));
            };
            command = found.clone();
        }
        let mut page = Vec::new();
        let mut out = io::stdout().lock();
        Page::new(command)
            .render(&mut page)
            .and_then(|()| out.write_all(unfilled(&String::from_utf8_lossy(&page)).as_bytes()))
            .and_then(|()| out.flush())
            .map_err(|error| Failure::output(&error))?;
        Ok(Exit::Success)
    }
}

/// Octets of a line that is set off and not filled, with what roff has escaped in it.
const WIDTH: usize = 100;

/// What is not filled.
#[derive(Clone, Copy)]
enum Block {
    /// Up to an empty line.
    Whole,
    /// Lines that begin with a blank.
    SetOff,
}

/// The page with examples, files and lists of fields as they stand: roff would fill their lines, and
/// hyphenate. Of tables that are set off as files are, rows that are too long are filled.
fn unfilled(page: &str) -> String {
    let mut unfilled = String::with_capacity(page.len());
    let mut stands = None;
    for line in page.lines() {
        let is_set_off = line.starts_with(' ') && line.len() <= WIDTH;
        let ends = match stands {
            Some(Block::Whole) => line.is_empty() || line.starts_with(".SH"),
            Some(Block::SetOff) => !is_set_off,
            None => false,
        };
        if ends {
            unfilled.push_str(".fi\n");
            stands = None;
        }
        if stands.is_none() {
            let is_whole = line.starts_with("Example") || line.starts_with("JSON");
            stands = match (is_whole, is_set_off) {
                (true, _) => Some(Block::Whole),
                (_, true) => Some(Block::SetOff),
                _ => None,
            };
            if stands.is_some() {
                unfilled.push_str(".nf\n");
            }
        }
        unfilled.push_str(line);
        unfilled.push('\n');
    }
    unfilled
}

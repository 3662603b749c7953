//! `dkim rotate abort`: a key that does not sign yet is taken back.

use clap::Args;
use dkim_keys::{Progress, abort};
use dkim_stack::now;

use super::open::Which;
use super::progress::{self, Teller, also_in_json};
use super::run::failure;
use crate::diagnostics::Failure;
use crate::exit::{self, Exit};

/// Take back a key that does not sign yet: its record goes, and its file
///
/// Its selector is not used again; the next step begins with another one, if a new key is due.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(super) struct Abort {
    #[command(flatten)]
    which: Which,

    /// Write JSON
    #[arg(long)]
    json: bool,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Example:
  dkim rotate abort --config /etc/dkim/config.toml --key main
";
    [EXAMPLES, progress::JSON_HELP, "\n", &exit::help()].concat()
}

impl Abort {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let opened = self.which.open()?;
        let [key] = &*opened.keys else {
            return Err(Failure::new(Exit::Usage, "several keys change")
                .remedy("say which one is meant, with --key NAME"));
        };
        let mut state = opened.state.clone();
        let mut world = opened.world()?;
        let teller = Teller { json: self.json, is_by_hand: world.is_by_hand() };
        let taken = abort(&mut state, &key.name, now(), &mut world);
        let failed = |error| also_in_json(self.json, &key.name, failure(&key.name, error));
        let progress: Progress = taken.map_err(failed)?;
        teller.tell(&key.name, &progress)
    }
}

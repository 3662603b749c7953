//! `dkim rotate step` and `dkim rotate run`: what can be done is done.

use clap::Args;
use dkim_keys::{Progress, RotationError, step};
use dkim_stack::now;

use super::open::{Changing, Opened, Which};
use super::progress::{self, Teller};
use crate::date::date;
use crate::diagnostics::Failure;
use crate::exit::{self, Exit};

/// Take one step for each key that changes, if one can be taken
///
/// May be stopped at any moment, and goes on with the next call. At no moment does a key sign whose
/// record is not shown by every name server, and no record goes while mail that needs it may be on
/// its way.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(super) struct Step {
    #[command(flatten)]
    which: Which,

    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// Take steps until each key waits for something
///
/// Exits with 1 if a person has to do something, with 75 if a name server does not do what it
/// should yet, and with 0 if there is only time to be waited for.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(super) struct Run {
    #[command(flatten)]
    which: Which,

    /// Write JSON
    #[arg(long)]
    json: bool,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Example:
  dkim rotate run --config /etc/dkim/config.toml    # from cron, every hour
";
    [EXAMPLES, progress::JSON_HELP, "\n", &exit::help()].concat()
}

impl Step {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        each(&self.which, self.json, |_| false)
    }
}

impl Run {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        each(&self.which, self.json, |progress| !matches!(progress, Progress::Waiting { .. }))
    }
}

/// Takes steps for each key, for as long as they go on. What one key cannot do keeps no other from
/// its way.
fn each(which: &Which, json: bool, goes_on: impl Fn(&Progress) -> bool) -> Result<Exit, Failure> {
    let mut opened = which.open()?;
    let mut exit = Exit::Success;
    for key in opened.keys.clone() {
        loop {
            let was_told = opened.hook_failed.borrow().is_some();
            let ended = opened.take_over(&key).and_then(|()| one_step(&mut opened, &key, json));
            // Whatever else came of the step.
            let hook = opened.hook_failed.borrow().as_ref().filter(|_| json && !was_told).cloned();
            if let Some(what) = hook {
                let failure = Failure::new(Exit::NonePasses, what).on("rotation.hook");
                progress::tell_failure(&key.name, &failure)?;
            }
            match ended {
                Ok((progress, _)) if goes_on(&progress) => {}
                Ok((_, ended)) => {
                    exit = exit.max(ended);
                    break;
                }
                // Nobody reads any more what is done.
                Err(failure) if failure.exit == Exit::CannotWrite => return Err(failure),
                Err(failure) => {
                    failure.tell();
                    if json && !failure.is_told() {
                        progress::tell_failure(&key.name, &failure)?;
                    }
                    exit = exit.max(failure.exit);
                    break;
                }
            }
        }
    }
    Ok(opened.exit(exit))
}

fn one_step(opened: &mut Opened, key: &Changing, json: bool) -> Result<(Progress, Exit), Failure> {
    let mut state = opened.state.clone();
    let mut world = opened.world()?;
    let teller = Teller { json, is_by_hand: world.is_by_hand() };
    let main = (&*key.name, &key.domain);
    let taken = step(&mut state, main, &key.plan, now(), &mut world);
    // What was saved on the way to a failure is so, and the next key's step is not to undo it.
    opened.go_on_with(state);
    let progress = taken.map_err(|error| failure(&key.name, error))?;
    let exit = teller.tell(&key.name, &progress)?;
    Ok((progress, exit))
}

/// What to tell of a step that was not taken.
pub(super) fn failure(name: &str, error: RotationError<Failure>) -> Failure {
    match error {
        RotationError::Hands(failure) => failure,
        error @ RotationError::NoneFree(_) => Failure::of(Exit::Data, &error)
            .on(format_args!("keys.{name}"))
            .remedy("look for a wildcard record (`dkim key test`), or choose another template"),
        error @ RotationError::OtherDomain { .. } => {
            Failure::of(Exit::Data, &error).on(format_args!("keys.{name}")).remedy(
                "put the old domain back, and give the keys of the new one a name of their own",
            )
        }
        RotationError::ClockBehind { now, newest } => {
            let (now, newest) = (date(now), date(newest));
            let what = format!("the clock says {now}, and the last step was taken at {newest}");
            Failure::new(Exit::Temporary, what).on(format_args!("keys.{name}")).remedy(
                "set the clock; if it is right, it was ahead then: put `at` of that step right in \
                 the state (`dkim rotate status --history` shows it)",
            )
        }
        error => Failure::of(Exit::Usage, &error).on(format_args!("keys.{name}")),
    }
}

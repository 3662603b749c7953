//! `dkim key revoke`: a key in other hands ends at once.

use clap::Args;
use dkim_keys::{Hands, Phase, Progress, RotationError, RotationState, revoke};
use dkim_stack::{Selector, now};

use crate::diagnostics::Failure;
use crate::exit::{self, Exit};
use crate::rotate::{Teller, Which, also_in_json};

/// Revoke a key that is in other hands, at once and whatever mail is on its way
///
/// For keys that change (`dkim rotate`): the key signs no more, the hook tells whoever signs, and the
/// record says that it is revoked. Mail that it signed and that is on its way does not verify any
/// more. `dkim rotate run` then brings the next key on its way. For a key that no plan changes, let
/// another one sign, and say `dkim key publish --revoked`.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(super) struct Revoke {
    #[command(flatten)]
    which: Which,

    /// The selector of the key [default: the one that signs]
    #[arg(long, value_name = "S", value_parser = Selector::parse)]
    selector: Option<Selector>,

    /// Do it; nothing else than at once is offered, since `dkim rotate run` revokes in time
    #[arg(long, required = true)]
    now: bool,

    /// Write JSON, as `dkim rotate run` does
    #[arg(long)]
    json: bool,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Example:
  dkim key revoke --now --config /etc/dkim/config.toml --key main
  dkim rotate run --config /etc/dkim/config.toml
";
    [EXAMPLES, "\n", &exit::help()].concat()
}

impl Revoke {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let mut opened = self.which.open()?;
        let [key] = &*opened.keys.clone() else {
            return Err(Failure::new(Exit::Usage, "several keys change")
                .remedy("say which one is meant, with --key NAME"));
        };
        opened.take_over(key).map_err(|failure| {
            let failure = match failure.exit {
                Exit::NoInput => failure
                    .remedy("put it back; or, without it, take its record away: dkim key withdraw"),
                _ => failure,
            };
            also_in_json(self.json, &key.name, failure)
        })?;
        let mut state = opened.state.clone();
        let selector = self.selector.or_else(|| Some(state.active(&key.name)?.selector.clone()));
        let Some(selector) = selector else {
            return Err(Failure::new(Exit::Usage, "no key signs by this name")
                .on(&key.name)
                .remedy(
                    "say which one is meant, with --selector S; `dkim rotate status` lists them",
                ));
        };
        let mut world = opened.world()?;
        let teller = Teller { json: self.json, is_by_hand: world.is_by_hand() };
        let (mut saved, mut unread) = (Exit::Success, None);
        loop {
            let taken = revoke(&mut state, (&key.name, &selector), &key.plan, now(), &mut world);
            let progress = taken.map_err(|error| {
                let failure = match error {
                    RotationError::Hands(failure) => failure,
                    error => Failure::of(Exit::Usage, &error).on(format_args!("s={selector}")),
                };
                also_in_json(self.json, &key.name, failure)
            })?;
            // The key is in other hands, whether anybody reads what is done or not.
            let told = teller.tell(&key.name, &progress);
            let exit = told.as_ref().map_or_else(|failure| failure.exit, |exit| *exit);
            unread = unread.or(told.err());
            match progress {
                Progress::Moved { phase: Phase::Retiring, .. } => {
                    saved = tell_signers(&mut state, &mut world, (&key.name, self.json));
                }
                _ => return unread.map_or(Ok(opened.exit(exit.max(saved))), Err),
            }
        }
    }
}

/// A hook that fails holds nothing up, since the key is in other hands; how it ended is returned.
fn tell_signers(
    state: &mut RotationState,
    world: &mut impl Hands<Error = Failure>,
    (key, json): (&str, bool),
) -> Exit {
    let mut next = state.clone();
    next.told(now());
    match world.hook().and_then(|()| world.save(&next)) {
        Ok(()) => {
            *state = next;
            Exit::Success
        }
        Err(failure) => {
            failure.tell();
            also_in_json(json, key, failure).exit
        }
    }
}

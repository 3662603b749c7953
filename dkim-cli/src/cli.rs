//! The command line.

use std::io::{self, Write};
use std::sync::LazyLock;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Parser, Subcommand};
use dkim_keys::is_secret;

use crate::adsp::Adsp;
use crate::agent::Agent;
use crate::atps::Atps;
use crate::audit::Audit;
use crate::border::Border;
use crate::completions::Completions;
use crate::config::Config;
use crate::delegate::Delegate;
use crate::diagnostics::Failure;
use crate::diff::Diff;
use crate::exit::{self, Exit};
use crate::explain::Explain;
use crate::key::{Key, New};
use crate::man::Man;
use crate::mediate::Mediate;
use crate::printable::printable;
use crate::provider::provider;
use crate::relay_check::RelayCheck;
use crate::report::Report;
use crate::rotate::Rotate;
use crate::sign::Sign;
use crate::strip::Strip;
use crate::verify::Verify;

static VERSION: LazyLock<String> =
    LazyLock::new(|| format!("{} ({})", env!("CARGO_PKG_VERSION"), provider().name()));

/// Sign and verify mail with DKIM (RFC 6376)
#[derive(Debug, Parser)]
#[command(name = "dkim", version = VERSION.as_str(), after_long_help = exit::help())]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Verify(Verify),
    Explain(Explain),
    Diff(Diff),
    RelayCheck(RelayCheck),
    Sign(Box<Sign>),
    Strip(Strip),
    Border(Border),
    Mediate(Mediate),
    #[command(subcommand)]
    Report(Report),
    Key(Key),
    /// Make a key pair: the same as `dkim key new`
    Keygen(New),
    Rotate(Rotate),
    Delegate(Delegate),
    Config(Config),
    Agent(Agent),
    Audit(Audit),
    Adsp(Adsp),
    Atps(Atps),
    Completions(Completions),
    Man(Man),
}

impl Cli {
    /// Reads the command line, or tells what is wrong with it and ends; nothing where it asked for
    /// help, which is written.
    pub(crate) fn read() -> Result<Option<Self>, Failure> {
        let asked = match Self::try_parse() {
            Ok(cli) => return Ok(Some(cli)),
            Err(error) if error.use_stderr() => harmless(error).exit(),
            Err(help) => help,
        };
        let written = asked.print().and_then(|()| io::stdout().flush());
        written.map(|()| None).map_err(|error| Failure::output(&error))
    }

    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.command {
            Command::Verify(verify) => verify.run(),
            Command::Explain(explain) => explain.run(),
            Command::Diff(diff) => diff.run(),
            Command::RelayCheck(check) => check.run(),
            Command::Sign(sign) => sign.run(),
            Command::Strip(strip) => strip.run(),
            Command::Border(border) => border.run(),
            Command::Mediate(mediate) => mediate.run(),
            Command::Report(report) => report.run(),
            Command::Key(key) => key.run(),
            Command::Keygen(new) => new.run(),
            Command::Rotate(rotate) => rotate.run(),
            Command::Delegate(delegate) => delegate.run(),
            Command::Config(config) => config.run(),
            Command::Agent(agent) => agent.run(),
            Command::Audit(audit) => audit.run(),
            Command::Adsp(adsp) => adsp.run(),
            Command::Atps(atps) => atps.run(),
            Command::Completions(completions) => completions.run(Self::command()),
            Command::Man(man) => man.run(Self::command()),
        }
    }
}

/// An error that shows arguments, which may come out of mail, as what they are, and none that is a
/// secret: PEM begins as an option does.
fn harmless(mut error: clap::Error) -> clap::Error {
    let is_secret = |(_, value): (ContextKind, &ContextValue)| match value {
        ContextValue::String(text) => is_secret(text),
        _ => false,
    };
    if error.context().any(is_secret) {
        let what = "an argument is a secret, and not shown: it belongs into a file";
        return Cli::command().error(error.kind(), what);
    }
    let shown = error.context().filter_map(|(kind, value)| {
        let value = match value {
            ContextValue::String(text) => ContextValue::String(printable(text).to_string()),
            // Their text is that of the command line, too: `to pass '...' as a value`.
            ContextValue::StyledStrs(texts) => {
                let plain = texts.iter().map(|text| printable(&text.to_string()).to_string());
                ContextValue::StyledStrs(plain.map(Into::into).collect())
            }
            _ => return None,
        };
        Some((kind, value))
    });
    for (kind, value) in shown.collect::<Vec<_>>() {
        error.insert(kind, value);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    /// The lines of the examples in the long help of a command and of those below it.
    fn examples(command: &clap::Command) -> Vec<String> {
        let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        let lines = help.lines().skip_while(|line| !line.starts_with("Example"));
        let own = lines.skip(1).take_while(|line| !line.is_empty()).map(str::to_owned);
        own.chain(command.get_subcommands().flat_map(examples)).collect()
    }

    /// A terminal has 80 columns: help cut into other lines cannot be typed as it stands.
    #[test]
    fn examples_fit_into_a_terminal() {
        let examples = examples(&Cli::command());
        assert!(examples.iter().any(|line| line.starts_with("  dkim sign ")));
        for line in examples {
            assert!(line.len() <= 78, "{line}");
        }
    }
}

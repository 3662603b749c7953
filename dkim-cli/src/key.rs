//! `dkim key`: keys made, published and tested.

mod check_domainkeys;
mod dns;
mod new;
mod owner;
mod publish;
mod revoke;
mod tags;
mod test;

use clap::{Args, Subcommand};

use self::check_domainkeys::CheckDomainKeys;
pub(crate) use self::new::New;
pub(crate) use self::owner::{Owner, parse as parse_owner, parse_group};
use crate::diagnostics::Failure;
use crate::exit::{self, Exit};

/// Make keys, print their records, test what is published
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Key {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(New),
    Dns(dns::Dns),
    Publish(publish::Publish),
    Withdraw(publish::Withdraw),
    Revoke(revoke::Revoke),
    Test(test::Test),
    #[command(name = "check-domainkeys")]
    CheckDomainKeys(CheckDomainKeys),
}

fn help() -> String {
    const WAY: &str = "\
The life of a key:
  dkim key new ...        make it, in a file that nobody else can read
  dkim key dns ...        print its record for your name server or provider; publish it
  dkim key publish ...    or let the name server take it, by dynamic update
  dkim key test ...       see that the world finds it, and that it is right
  dkim sign ...           sign with it
  dkim rotate ...         or let keys come and go by a plan
  dkim key revoke ...     it is in other hands: end it at once
  dkim key withdraw ...   take its record away, when no mail that it signed is on its way
  dkim audit ...          now and then, see that it is still well kept
";
    [WAY, &exit::help()].join("\n")
}

impl Key {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.command {
            Command::New(new) => new.run(),
            Command::Dns(dns) => dns.run(),
            Command::Publish(publish) => publish.run(),
            Command::Withdraw(withdraw) => withdraw.run(),
            Command::Revoke(revoke) => revoke.run(),
            Command::Test(test) => test.run(),
            Command::CheckDomainKeys(check) => check.run(),
        }
    }
}

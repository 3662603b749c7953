//! `dkim border`: what the border of a site does to a message that comes in.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use dkim_stack::authres::{AuthenticationResults, without_forged};
use dkim_stack::message::Header;
use dkim_stack::res_infos;

use crate::diagnostics::{Failure, note};
use crate::dns::{Dns, DnsArgs};
use crate::exit::{self, Exit};
use crate::input::{Held, Origin, refuse_malformed};
use crate::output;
use crate::strip::refuse_empty;
use crate::verify::verify_held;

/// Verify a message that comes in, and write it with the results on top
///
/// Authentication-Results fields that claim to come from inside are deleted as `dkim strip` does, and
/// what verifying the message found stands above all others (RFC 8601 §5, §4.1). Whoever delivers the
/// message reads it there: the message is written whether a signature passes or not.
///
/// A message that uses LF throughout is written so, too.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Border {
    /// The message as it came in; `-` is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,

    /// The name in the results; fields with it that came from outside are deleted
    ///
    /// May be given several times: the first is written, all are deleted.
    #[arg(long, value_name = "NAME", required = true)]
    authserv_id: Vec<String>,

    #[command(flatten)]
    dns: DnsArgs,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim border --authserv-id mx.example.org < message.eml > delivered.eml
  # as a filter of procmail(1)
  :0 fw
  | dkim border --authserv-id mx.example.org
";
    [EXAMPLES, &exit::help()].join("\n")
}

impl Border {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        output::refuse_closed()?;
        let Some(own) = self.authserv_id.first() else { return Ok(Exit::Usage) };
        refuse_empty(&self.authserv_id)?;
        let origin = Origin::of(&self.file);
        let message = Held::read(&self.file)?;
        let header = Header::parse(&message.header);
        refuse_malformed(&header).map_err(|failure| failure.on(&origin))?;
        let found = verify_held(&message, &Dns::new(&self.dns)?);
        let (kept, forged) = without_forged(&header, &self.authserv_id);
        if !forged.is_empty() {
            let fields = if forged.len() == 1 { "field" } else { "fields" };
            note(&origin, format_args!("{} {fields} deleted", forged.len()));
        }
        let results = AuthenticationResults::new(own);
        let results = res_infos(&found).into_iter().fold(results, AuthenticationResults::with);
        let out = [results.field().as_bytes(), &kept, b"\r\n", &message.body].concat();
        let mut stdout = io::stdout().lock();
        let written = stdout.write_all(&message.line_ends.of_octets(&out));
        let written = written.and_then(|()| stdout.flush());
        written.map_err(|error| Failure::output(&error))?;
        Ok(Exit::Success)
    }
}

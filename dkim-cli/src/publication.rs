//! Records to publish, in the form that somebody asks for.

use std::io::{self, Write};

use clap::Args;
use clap::builder::RangedI64ValueParser;
use dkim_keys::{Form, NameTooLong, Publication};

use crate::diagnostics::Failure;
use crate::exit::Exit;
use crate::output;

/// In which form records are written.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct FormArgs {
    /// Who is to take it: zone, plain, nsupdate, json, route53, cloudflare, octodns, terraform or
    /// tinydns
    #[arg(long, value_name = "F", default_value = "zone", value_parser = form)]
    format: Form,

    /// The same as `--format json`: one JSON object a record, with name, type, ttl, text and strings
    #[arg(long, conflicts_with = "format")]
    json: bool,

    /// How long resolvers may keep the record, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = Publication::TTL, value_parser = ttl())]
    ttl: u32,
}

/// Seconds that a record may be kept.
pub(crate) fn ttl() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(..=i64::from(Publication::MAX_TTL))
}

fn form(name: &str) -> Result<Form, String> {
    Form::from_name(name)
        .ok_or_else(|| format!("one of {} is needed", Form::ALL.map(Form::name).join(", ")))
}

impl From<NameTooLong> for Failure {
    fn from(error: NameTooLong) -> Self {
        Self::of(Exit::Data, &error)
    }
}

impl FormArgs {
    /// Whether the text alone is written, without its name.
    pub(crate) fn is_plain(self) -> bool {
        !self.json && self.format == Form::Plain
    }

    /// Writes records to standard output, one after the other.
    pub(crate) fn write(self, records: Vec<Publication>) -> Result<Exit, Failure> {
        output::refuse_closed()?;
        let form = if self.json { Form::Json } else { self.format };
        let mut out = io::stdout().lock();
        let written = records.into_iter().try_for_each(|mut record| {
            record.ttl = self.ttl;
            out.write_all(form.write(&record).as_bytes())
        });
        written.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
        Ok(Exit::Success)
    }
}

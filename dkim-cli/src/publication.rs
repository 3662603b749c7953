//! Records to publish, in the form that somebody asks for.

use std::io::{self, Write};

use clap::Args;
use clap::builder::RangedI64ValueParser;
use dkim_keys::{Form, Publication};
use dkim_stack::DomainName;

use crate::diagnostics::Failure;
use crate::exit::Exit;

/// A name in the DNS has at most this many octets in text (RFC 1035 §2.3.4).
const MAX_NAME: usize = 253;

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
    clap::value_parser!(u32).range(..=i64::from(Publication::LONGEST_TTL))
}

fn form(name: &str) -> Result<Form, String> {
    Form::from_name(name)
        .ok_or_else(|| format!("one of {} is needed", Form::ALL.map(Form::name).join(", ")))
}

/// A record with this text at this name, if the DNS has room for the name.
pub(crate) fn publication(
    name: String,
    domain: &DomainName,
    text: String,
) -> Result<Publication, Failure> {
    if name.len() > MAX_NAME {
        let what = format_args!("longer than the {MAX_NAME} octets of a name in the DNS");
        return Err(Failure::new(Exit::Data, what).on(name));
    }
    Ok(Publication::of(name, domain, text))
}

impl FormArgs {
    /// Writes records to standard output, one after the other.
    pub(crate) fn write(self, records: Vec<Publication>) -> Result<Exit, Failure> {
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_have_253_octets() {
        let domain = DomainName::parse("example.com").unwrap();
        for (octets, is_one) in [(MAX_NAME, true), (MAX_NAME + 1, false)] {
            let name = format!("{}.example.com", "a".repeat(octets - ".example.com".len()));
            assert_eq!(publication(name, &domain, "x".to_owned()).is_ok(), is_one, "{octets}");
        }
    }
}

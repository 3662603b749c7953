//! A block for each DomainKeys signature.

use std::fmt::Display;
use std::io::{self, Write};

use dkim_stack::domainkeys::Verification;

use super::style_of;
use crate::printable::printable;

pub(super) fn signature(out: &mut impl Write, found: &Verification) -> io::Result<()> {
    let result = found.outcome.result();
    let style = style_of(result);
    writeln!(out, "  DomainKeys signature {}: {style}{result}{style:#}", found.index + 1)?;
    let mut line = |label: &str, value: &dyn Display| {
        writeln!(out, "    {label:<17} {}", printable(&value.to_string()))
    };
    line("reason", &format_args!("{} ({})", found.outcome, found.outcome.reason()))?;
    let claims = &found.claims();
    let unreadable = || "(cannot be read)".to_owned();
    line("domain", &claims.sdid.as_ref().map_or_else(unreadable, ToString::to_string))?;
    line("selector", &claims.selector.as_ref().map_or_else(unreadable, ToString::to_string))?;
    if let Some(sender) = &found.sender {
        line("sender", &format_args!("{} ({})", sender.address(), sender.field().name()))?;
    }
    if let Some(key) = found.key.as_ref().and_then(|key| key.record().key.as_ref()) {
        line("key", &format_args!("{}, {} bits", key.key_type(), key.bits()))?;
    }
    if let Some(signature) = &found.signature {
        line("canonicalization", &signature.canonicalization)?;
        match &signature.signed_fields {
            Some(names) => line("signed", &names.to_string().replace(':', ", "))?,
            None => line("signed", &"every field below the signature")?,
        }
    }
    for deviation in &found.deviations {
        line("deviation", &format_args!("{deviation} ({})", deviation.code()))?;
    }
    Ok(())
}

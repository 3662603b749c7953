//! cfdkim, which judges the signatures of one domain: that of the From field.

use std::sync::Arc;

use cfdkim::dns::Lookup;
use cfdkim::{DKIMError, verify_email_with_resolver};
use futures::future::{BoxFuture, ready};

use crate::Records;

/// Who is asked about, as all messages are from there.
const DOMAIN: &str = "example.com";

struct Zone(Records);

impl Lookup for Zone {
    fn lookup_txt<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<String>, DKIMError>> {
        let found = self.0.get(name).map(|text| vec![text.clone()]);
        Box::pin(ready(found.ok_or(DKIMError::NoKeyForSignature)))
    }
}

pub(crate) fn verify(message: &[u8], records: &Records) -> Result<bool, String> {
    let message = mailparse::parse_mail(message).map_err(|error| error.to_string())?;
    let logger = slog::Logger::root(slog::Discard, slog::o!());
    let zone = Arc::new(Zone(records.clone()));
    let found = verify_email_with_resolver(&logger, DOMAIN, &message, zone);
    let found = futures::executor::block_on(found).map_err(|error| error.to_string())?;
    Ok(found.summary() == "pass")
}

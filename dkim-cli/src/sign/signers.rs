//! Who signs: as the command line says, or a configuration.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use dkim_keys::{Signing, Verdict};
use dkim_stack::message::Header;
use dkim_stack::sign::RequestError;
use dkim_stack::{Auid, DomainName, Selector, SigningKey};

use super::refused;
use crate::agent::configured_key;
use crate::config::{ConfigFile, mail_of};
use crate::diagnostics::Failure;
use crate::exit::Exit;
use crate::key_file;

/// A signature that is wanted.
pub(super) struct Signer {
    pub(super) domain: DomainName,
    pub(super) selector: Selector,
    pub(super) key: Arc<dyn SigningKey>,
    pub(super) identity: Option<Auid>,
}

/// A configuration.
pub(super) struct Configured {
    file: ConfigFile,
}

impl Configured {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        Ok(Self { file: ConfigFile::read(path)? })
    }

    /// How messages are signed.
    pub(super) fn signing(&self) -> &Signing {
        &self.file.config.signing
    }

    /// Who signs a message with this header, that comes from there; the keys are in their files, or
    /// with the agent at this socket.
    pub(super) fn signers(
        &self,
        header: &Header<'_>,
        (client, authenticated): (Option<IpAddr>, bool),
        agent: Option<&Path>,
    ) -> Result<Vec<Signer>, Failure> {
        let mut authors = header.named("From");
        let from = authors.next().ok_or_else(|| refused(&RequestError::NoFrom))?;
        if authors.next().is_some() {
            return Err(refused(&RequestError::SeveralFrom));
        }
        let mut signers: Vec<Signer> = Vec::new();
        let mut is_client_unknown = false;
        for mut mail in mail_of(from.body())? {
            mail.authenticated = authenticated;
            if let Some(client) = client {
                mail = mail.from_client(client);
            }
            let selection = self.file.config.select(&mail);
            // No rule fits, and one might if the client were known.
            let mut unfit = selection.passed_over.iter().map(|one| &one.why);
            let fits_none = unfit.clone().all(|why| {
                matches!(why, Verdict::Author | Verdict::Client | Verdict::UnknownClient)
            });
            is_client_unknown |= fits_none && unfit.any(|why| *why == Verdict::UnknownClient);
            for chosen in selection.chosen {
                let is_same = |signer: &Signer| {
                    signer.domain == chosen.domain && signer.selector == chosen.selector
                };
                if signers.iter().any(is_same) {
                    continue;
                }
                let key = match agent {
                    Some(socket) => configured_key(socket, &chosen.domain, &chosen.selector)?,
                    None => key_file::read(&self.file.key_file(&chosen))?,
                };
                let (domain, selector) = (chosen.domain, chosen.selector);
                signers.push(Signer { domain, selector, key, identity: chosen.identity });
            }
        }
        if signers.is_empty() && is_client_unknown {
            return Err(Failure::new(
                Exit::NonePasses,
                "the configuration signs for some clients, and which one this is was not said",
            )
            .remedy("say where the message comes from: --client ADDRESS, or --authenticated"));
        }
        if signers.is_empty() {
            let from = String::from_utf8_lossy(from.body()).trim().to_owned();
            return Err(Failure::new(
                Exit::NonePasses,
                "the configuration signs for none of its authors",
            )
            .remedy(format_args!("see why: dkim config which --config FILE --from '{from}'")));
        }
        Ok(signers)
    }
}

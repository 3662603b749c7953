//! Who signs: as the command line says, or a configuration.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use dkim_keys::{Chosen, Selection, Signing, Verdict};
use dkim_stack::message::Header;
use dkim_stack::sign::RequestError;
use dkim_stack::{Auid, DomainName, Selector, SigningKey};

use super::refused;
use crate::agent::configured_key;
use crate::config::{ConfigFile, decide};
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
        client: (Option<IpAddr>, bool),
        agent: Option<&Path>,
    ) -> Result<Vec<Signer>, Failure> {
        let mut authors = header.named("From");
        let from = authors.next().ok_or_else(|| refused(&RequestError::NoFrom))?;
        if authors.next().is_some() {
            return Err(refused(&RequestError::SeveralFrom));
        }
        let (_, decision) = decide(&self.file.config, from.body(), client)?;
        let is_unsigned = decision.signatures.is_empty();
        if is_unsigned && decision.authors.iter().any(needs_client) {
            return Err(Failure::new(
                Exit::NonePasses,
                "the configuration signs for some clients, and which one this is was not said",
            )
            .remedy("say where the message comes from: --client ADDRESS, or --authenticated"));
        }
        if is_unsigned {
            return Err(Failure::new(
                Exit::NonePasses,
                "the configuration signs for none of its authors, or not for all of a domain",
            )
            .remedy("see why: dkim config which --config FILE --from ADDRESS"));
        }
        let signer = |chosen: Chosen| {
            let key = match agent {
                Some(socket) => configured_key(socket, &chosen.domain, &chosen.selector)?,
                None => key_file::read(&self.file.key_file(&chosen))?,
            };
            let (domain, selector) = (chosen.domain, chosen.selector);
            Ok(Signer { domain, selector, key, identity: chosen.identity })
        };
        decision.signatures.into_iter().map(signer).collect()
    }
}

/// Whether no rule fits, and one might if the client were known.
fn needs_client(selection: &Selection) -> bool {
    let mut unfit = selection.passed_over.iter().map(|one| &one.why);
    let fits_none = unfit
        .clone()
        .all(|why| matches!(why, Verdict::Author | Verdict::Client | Verdict::UnknownClient));
    selection.chosen.is_empty() && fits_none && unfit.any(|why| *why == Verdict::UnknownClient)
}

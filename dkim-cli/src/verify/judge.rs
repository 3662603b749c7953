//! What becomes of one message: it is read and judged, and what is to be said of it made ready.

use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

use anstream::{AutoStream, ColorChoice};
use dkim_stack::authres::AuthenticationResults;
use dkim_stack::dns::drive;
use dkim_stack::domainkeys;
use dkim_stack::message::Header;
use dkim_stack::verify::Stance;
use dkim_stack::{
    AuthorPractices, DomainName, KeyCache, Policy, TrustedResults, UnixTime, Verification,
    Verifier, res_infos,
};

use super::domainkeys::DomainKeys;
use super::{exit_of, json, text};
use crate::diagnostics::Failure;
use crate::dns::SharedDns;
use crate::exit::Exit;
use crate::input::{LineEnds, Message, MessageError, Origin};
use crate::practices::Wanted;
use crate::provider::provider;

/// What does not change from message to message.
pub(super) struct Judge {
    pub(super) dns: SharedDns,
    pub(super) keys: Arc<KeyCache>,
    pub(super) policy: Policy,
    pub(super) domainkeys: domainkeys::Policy,
    pub(super) now: UnixTime,
    /// The sites whose results are believed.
    pub(super) trusted: Vec<DomainName>,
    pub(super) wanted: Wanted,
    pub(super) authserv_id: String,
    pub(super) form: Form,
}

/// How that is written which was found.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Json,
    Text(ColorChoice),
}

/// What is to be said of a message.
pub(super) struct Judged {
    pub(super) origin: Origin,
    /// `None` when the header cannot be read.
    pub(super) line_ends: Option<LineEnds>,
    /// How many signatures were not looked at.
    pub(super) unlisted: usize,
    /// What kept it from being judged.
    pub(super) failure: Option<Failure>,
    pub(super) exit: Exit,
    /// For standard output.
    pub(super) output: Vec<u8>,
}

/// What was found in a message.
pub(super) struct Found {
    /// A verification for each DKIM-Signature field, top to bottom.
    pub(crate) dkim: Vec<Verification>,
    /// One for each DomainKey-Signature field.
    pub(crate) domainkeys: Vec<domainkeys::Verification>,
    /// What trusted sites found, if some are named.
    pub(crate) trusted: Option<Vec<TrustedResults>>,
    /// What the authors' domains say, if that was asked for.
    pub(crate) practices: AuthorPractices,
}

/// A message that was read and waits for its keys, or why it was not read.
pub(super) struct Waiting {
    judged: Judged,
    read: Result<Undecided, Failure>,
}

/// A header, and the verifiers that have seen the whole message.
struct Undecided {
    header: Vec<u8>,
    dkim: Verifier,
    domainkeys: DomainKeys,
}

impl Waiting {
    /// How many octets of the message are kept; nothing is of its body.
    pub(super) fn header_octets(&self) -> usize {
        self.read.as_ref().map_or(0, |read| read.header.len())
    }
}

impl Judge {
    /// Reads a message.
    pub(super) fn read(&self, origin: Origin, octets: Result<impl Read, Failure>) -> Waiting {
        let mut judged = Judged {
            origin,
            line_ends: None,
            unlisted: 0,
            failure: None,
            exit: Exit::Success,
            output: Vec::new(),
        };
        let read =
            octets.and_then(|mut octets| Ok(self.header_and_body(&mut octets, &mut judged)?));
        Waiting { judged, read }
    }

    /// Asks for the keys, and judges.
    pub(super) async fn judge(&self, Waiting { mut judged, read }: Waiting) -> Judged {
        match read {
            Ok(Undecided { header, mut dkim, domainkeys }) => {
                drive(&mut dkim, &self.dns).await;
                let (header, dkim) = (Header::parse(&header), dkim.finish());
                let domainkeys = domainkeys.judge(&self.dns).await;
                let trusted = (!self.trusted.is_empty())
                    .then(|| TrustedResults::of(&header, &dkim, &self.trusted));
                let believed = trusted.iter().flatten();
                let practices = self.wanted.ask(&header, &dkim, believed, &self.dns).await;
                let found = Found { dkim, domainkeys, trusted, practices };
                self.found(&mut judged, &header, &found);
            }
            Err(failure) => self.failed(&mut judged, failure),
        }
        judged
    }

    /// Hands a verifier the header, and the body to its end if any of that is needed.
    fn header_and_body(
        &self,
        octets: &mut dyn Read,
        judged: &mut Judged,
    ) -> Result<Undecided, MessageError> {
        let mut message = Message::open(octets)?;
        let header = message.header();
        let dkim = Verifier::new(&header, &self.policy, self.now, provider());
        let mut dkim = dkim.with_key_cache(&self.keys);
        let mut domainkeys = DomainKeys::new(&header, &self.domainkeys);
        judged.line_ends = Some(message.line_ends);
        judged.unlisted = dkim.unlisted() + domainkeys.unlisted();
        if [dkim.stance(), domainkeys.stance()].contains(&Stance::Interested) {
            let (line_ends, mut scratch) = (message.line_ends, Vec::new());
            // To its end, even when no more is needed: people are told how much of it is signed.
            message.body.for_each(|chunk| {
                let chunk = line_ends.to_crlf(chunk, &mut scratch);
                dkim.body_chunk(chunk);
                domainkeys.body_chunk(chunk);
                ControlFlow::Continue(())
            })?;
        }
        Ok(Undecided { header: message.into_header(), dkim, domainkeys })
    }

    fn found(&self, judged: &mut Judged, header: &Header<'_>, found: &Found) {
        judged.exit = exit_of(&found.dkim);
        let (origin, results) = (&judged.origin, self.results(found));
        judged.output = match self.form {
            Form::Json => written(|out| json::message(out, origin, header, found, &results)),
            Form::Text(choice) => written(|out| {
                let text = written(|out| text::message(out, origin, header, found, &results));
                // All at once, which is faster than piece by piece.
                AutoStream::new(out, choice).write_all(&text)
            }),
        };
    }

    fn failed(&self, judged: &mut Judged, failure: Failure) {
        let failure = failure.on(&judged.origin);
        if let Form::Json = self.form {
            judged.output =
                written(|out| crate::json::unreadable(out, &judged.origin, &failure, true));
        }
        judged.exit = failure.exit;
        judged.failure = Some(failure);
    }

    /// The field to be added to the message (RFC 8601).
    fn results(&self, found: &Found) -> AuthenticationResults {
        let results = AuthenticationResults::new(&self.authserv_id);
        let domainkeys = found.domainkeys.iter().map(domainkeys::Verification::res_info);
        let all = res_infos(&found.dkim).into_iter().chain(domainkeys);
        let all = all.chain(found.practices.res_infos());
        all.fold(results, AuthenticationResults::with)
    }
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out).expect("memory takes whatever is written");
    out
}

//! `dkim mediate`: what a mailing list does to a message before it signs it.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use dkim_stack::dns::drive_blocking;
use dkim_stack::explain::{Fate, relayed};
use dkim_stack::message::Header;
use dkim_stack::{DomainName, Mediation, Policy, Signature, Verification, Verifier, now};

use crate::diagnostics::{Failure, note};
use crate::dns::{Dns, DnsArgs};
use crate::exit::{self, Exit};
use crate::input::{Held, Origin, refuse_malformed};
use crate::output;
use crate::provider::provider;

/// Make a message ready to be signed by a mailing list
///
/// Takes away the list's own old signatures and all results that the message brings, and writes on
/// top of the header what verifying the message found as it came in (RFC 6377 §5.7). Signatures of
/// others stay, unless --drop-broken says otherwise. Then sign it: `dkim sign --mediator`. A mail
/// server can do it for a list that knows nothing of DKIM (RFC 6377 §4.4).
///
/// A message that uses LF throughout is written so, too.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Mediate {
    /// The message as it goes out; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The message as it came in, if it was changed since: it is the one that is verified
    #[arg(long, value_name = "FILE")]
    received: Option<PathBuf>,

    /// The domain that the list signs with
    #[arg(long, value_name = "D", value_parser = DomainName::parse)]
    domain: DomainName,

    /// The name in the results to be written [default: the domain]
    #[arg(long, value_name = "NAME")]
    authserv_id: Option<String>,

    /// Take the signatures away that were broken since the message came in
    #[arg(long, requires = "received")]
    drop_broken: bool,

    #[command(flatten)]
    dns: DnsArgs,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim mediate --domain lists.example --received posted.eml listed.eml |
    dkim sign --mediator --domain lists.example --selector s1 --key s1.pem \\
      > out.eml
  # what it did to the signatures of others
  dkim relay-check posted.eml out.eml

For whoever runs a list (RFC 6377): change no more than you need; a tag in the Subject and a footer
break the author's signature. Always sign what goes out, with the list's own domain, and let
List-Post and List-Id name it. Do not rewrite From unless the author's domain leaves no other way.
Refuse posts of domains that call mail without their signature discardable, unless you break none,
and tell who subscribes from there (RFC 6377 §5.2, §5.3): `dkim adsp check --from ADDRESS`.
";
    [EXAMPLES, "\n", &exit::help()].concat()
}

impl Mediate {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        output::refuse_closed()?;
        let origin = Origin::of(&self.file);
        let (message, received) = match &self.received {
            None => (Held::read(&self.file)?, None),
            Some(received) => {
                let (message, received) = Held::read_two(&self.file, received)?;
                (message, Some(received))
            }
        };
        let found = verify(received.as_ref().unwrap_or(&message), &Dns::new(&self.dns)?);
        let header = Header::parse(&message.header);
        refuse_malformed(&header).map_err(|failure| failure.on(&origin))?;
        let broken = match &received {
            Some(received) if self.drop_broken => broken(received, &message, &found),
            _ => Vec::new(),
        };
        let authserv_id = self.authserv_id.as_deref().unwrap_or(self.domain.as_str());
        let mediation = Mediation::new(&header, &self.domain, authserv_id, &found, &broken);
        if !mediation.removed.is_empty() {
            let count = mediation.removed.len();
            let fields = if count == 1 { "field" } else { "fields" };
            note(&origin, format_args!("{count} {fields} taken away"));
        }
        let out = [&mediation.header(&header), &b"\r\n"[..], &message.body].concat();
        let mut stdout = io::stdout().lock();
        let written = stdout.write_all(&message.line_ends.of_octets(&out));
        let written = written.and_then(|()| stdout.flush());
        written.map_err(|error| Failure::output(&error))?;
        Ok(Exit::Success)
    }
}

fn verify(message: &Held, dns: &Dns) -> Vec<Verification> {
    let header = Header::parse(&message.header);
    let mut verifier = Verifier::new(&header, &Policy::rfc(), now(), provider());
    drive_blocking(&mut verifier, dns);
    verifier.body_chunk(&message.body);
    verifier.finish()
}

/// The signatures of the message as it goes out that verified when it came in, and do not now.
fn broken(received: &Held, message: &Held, found: &[Verification]) -> Vec<usize> {
    let (before, after) = (Header::parse(&received.header), Header::parse(&message.header));
    let fates = relayed((&before, &received.body), (&after, &message.body));
    // Both have one entry for each DKIM-Signature field, top to bottom.
    let passed = found.iter().map(Verification::passes);
    let broken = fates.into_iter().zip(passed);
    let broken = broken.filter(|(one, passed)| *passed && matches!(one.fate, Fate::Broken(_)));
    let broken: Vec<Signature> = broken.filter_map(|(one, _)| one.signature.ok()).collect();
    let is_broken =
        |signature: &Signature| broken.iter().any(|one| one.signature == signature.signature);
    let signatures = message.signatures().into_iter();
    signatures.filter(|(_, one)| is_broken(one)).map(|(position, _)| position).collect()
}

//! `dkim sign`: signs a message.

mod check;
mod signers;

use std::io::{self, Write};
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use clap::Args;
use dkim_stack::crypto::SignError;
use dkim_stack::sign::{
    BodyLength, Copies, Expiration, Fields, QueryMethod, Reports, RequestError, Timestamp,
    UnsignedError,
};
use dkim_stack::tags::{Atps, AtpsHash, Canonicalizations, FieldName};
use dkim_stack::{Auid, DomainName, Request, Selector, SigningKey, UnixTime, now};

use self::check::check;
use self::signers::{Configured, Signer};
use crate::agent::remote_key;
use crate::atps::parse_hash;
use crate::diagnostics::{Failure, note};
use crate::dns::{Dns, DnsArgs};
use crate::exit::{self, Exit};
use crate::input::{BodyLineEnds, LineEnds, Message, MessageError, Origin, Twice, refuse_mbox};
use crate::key_file;
use crate::output;
use crate::printable::printable;
use crate::provider::provider;

/// Sign a message
///
/// Writes the DKIM-Signature field and the unchanged message to standard output. The key decides
/// the algorithm: rsa-sha256 or ed25519-sha256.
///
/// Unless said otherwise: relaxed/relaxed, t= now, no x=, no l=; From, To, Cc, Subject, Date,
/// Reply-To, Message-ID and the MIME fields are over-signed (signed once more than they are there,
/// so that none can be added), others that matter are signed where they are.
///
/// A message that uses LF throughout is signed as CRLF, as it will be sent, which is said on
/// standard error; it is written as it was, and the field with LF too. Mixed line ends are refused.
/// The message is read twice; what is no regular file is kept meanwhile, in a temporary file if it
/// is long.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Sign {
    /// The message; `-` is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,

    /// The SDID, d=: the domain that takes responsibility
    #[arg(long, value_name = "D", value_parser = DomainName::parse, required_unless_present = "config")]
    domain: Option<DomainName>,

    /// The selector, s=: the key record stands at S._domainkey.D
    ///
    /// May be given several times, each with a key: the message is read once for all of them.
    #[arg(long, value_name = "S", required_unless_present = "config", value_parser = Selector::parse)]
    selector: Vec<Selector>,

    /// The private key: PKCS#8 or PKCS#1 for RSA, PKCS#8 for Ed25519, in PEM
    ///
    /// Or a key in a token, as an HSM is, by its URI (RFC 7512), in a build with the feature
    /// pkcs11: `pkcs11:token=T;object=O?module-path=/LIBRARY.so&pin-source=file:/FILE`. The PIN
    /// is the first line of that file.
    #[arg(long, value_name = "PEM|URI", required_unless_present_any = ["config", "agent"])]
    key: Vec<PathBuf>,

    /// Let the agent at this socket sign, which has the keys: `dkim agent --help`
    #[arg(long, value_name = "SOCKET", conflicts_with = "key")]
    agent: Option<PathBuf>,

    /// Let a configuration say who signs, by the author of the message; `dkim config --help` shows
    /// how it is written
    #[arg(long, value_name = "FILE", conflicts_with_all = ["domain", "selector", "key", "identity"])]
    config: Option<PathBuf>,

    /// Where the message comes from, for rules that ask for it
    #[arg(long, value_name = "IP", requires = "config")]
    client: Option<IpAddr>,

    /// The sender has shown who they are (SMTP AUTH), for rules that ask for it
    #[arg(long, requires = "config")]
    authenticated: bool,

    /// Canonicalization of header and body, c=
    ///
    /// relaxed/relaxed, unless a configuration says otherwise.
    #[arg(long, value_name = "HEADER/BODY", value_parser = Canonicalizations::from_str)]
    canon: Option<Canonicalizations>,

    /// The exact h=: names listed more often than they are there are over-signed
    #[arg(long, value_name = "A:B:C", value_parser = parse_names)]
    headers: Option<Names>,

    /// Over-sign these fields and no others; may be empty
    #[arg(long, value_name = "A:B", value_parser = parse_names, conflicts_with = "headers")]
    oversign: Option<Names>,

    /// Sign the Authentication-Results fields, too, as a mailing list does with what it found out:
    /// see `dkim mediate`
    #[arg(long, conflicts_with_all = ["headers", "oversign"])]
    mediator: bool,

    /// The AUID, i=: [local-part]@ the domain or a subdomain
    #[arg(long, value_name = "I", value_parser = Auid::parse)]
    identity: Option<Auid>,

    /// t= in seconds since 1970; `none` leaves it out
    #[arg(long, value_name = "T|none", value_parser = parse_timestamp)]
    timestamp: Option<Moment>,

    /// x=: so many seconds after t=
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    expires: Option<u64>,

    /// Put in l=, the length of the body: whoever likes may append to it
    #[arg(long)]
    body_length: bool,

    /// Put in q=dns/txt, which is what its absence means too
    #[arg(long)]
    query: bool,

    /// Put in z=, copies of the signed fields: `dkim explain` tells what became of them
    #[arg(long)]
    copies: bool,

    /// Put in r=y: ask for reports about failures, to the address in the DNS (RFC 6651)
    #[arg(long)]
    reports: bool,

    /// Put in atps=, the domain that this signature is for: ATPS (RFC 6541, Experimental)
    ///
    /// That domain must publish that the --domain may sign for it: `dkim atps zone`.
    #[arg(long, value_name = "AUTHOR-DOMAIN", value_parser = DomainName::parse)]
    atps: Option<DomainName>,

    /// atpsh=: how that domain writes the name of its record, sha256, sha1 or none
    #[arg(long, value_name = "HASH", default_value = "sha256", requires = "atps",
          value_parser = parse_hash)]
    atps_hash: AtpsHash,

    /// Write the DKIM-Signature field alone
    #[arg(long)]
    field: bool,

    /// Verify what was signed with the key records as they are published, before anything is
    /// written
    ///
    /// As of the time of signing, --timestamp.
    #[arg(long)]
    check: bool,

    #[command(flatten)]
    dns: DnsArgs,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim sign --domain example.com --selector s1 --key s1.pem message.eml \\
      > signed.eml
  dkim sign --domain example.com --selector s1 --key s1.pem --expires 604800 \\
      --field - < message.eml
  dkim sign --domain example.com --selector s1 --key s1.pem \\
      --headers From:From:To:Subject message.eml
  dkim sign --domain example.com --selector rsa --key rsa.pem --selector ed \\
      --key ed.pem --check message.eml
  dkim sign --config /etc/dkim/config.toml --client 192.0.2.1 message.eml
  dkim sign --config /etc/dkim/config.toml --agent /run/dkim/agent.sock \\
      message.eml
";
    [EXAMPLES, &exit::help()].join("\n")
}

/// The value of `--timestamp`.
#[derive(Clone, Copy, Debug)]
enum Moment {
    At(UnixTime),
    Unsaid,
}

/// A colon-separated list of field names.
#[derive(Clone, Debug)]
struct Names(Vec<FieldName>);

fn parse_names(text: &str) -> Result<Names, String> {
    let parse = |name: &str| {
        FieldName::parse(name.trim()).map_err(|error| format!("\"{}\": {error}", printable(name)))
    };
    let names = text.split(':').filter(|_| !text.is_empty());
    names.map(parse).collect::<Result<_, _>>().map(Names)
}

fn parse_timestamp(text: &str) -> Result<Moment, &'static str> {
    match text {
        "none" => Ok(Moment::Unsaid),
        seconds => match seconds.parse() {
            Ok(seconds) => Ok(Moment::At(UnixTime(seconds))),
            Err(_) => Err("seconds since 1970, or `none`"),
        },
    }
}

/// The signatures, and what it takes to write them.
struct Signed {
    /// The DKIM-Signature fields, in the order of the keys.
    fields: String,
    /// How many.
    count: usize,
    line_ends: LineEnds,
    /// Octets of the message.
    length: u64,
    /// Lines that relays may cut.
    long_lines: u64,
    /// As of when it was signed.
    now: UnixTime,
}

impl Sign {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        output::refuse_closed()?;
        let configured = self.config.as_deref().map(Configured::read).transpose()?;
        let told = self.told()?;
        if self.dns.is_given() && !self.check {
            return Err(Failure::new(Exit::Usage, "--zone and --dns are for --check")
                .remedy("add --check, or leave them out"));
        }
        let dns = if self.check { Some(Dns::new(&self.dns)?) } else { None };
        let origin = Origin::of(&self.file);
        let mut octets = Twice::open(&self.file).map_err(|failure| failure.on(&origin))?;
        let signed = self
            .sign(&mut octets, told, configured.as_ref())
            .map_err(|failure| failure.on(&origin))?;
        if signed.line_ends == LineEnds::Lf {
            note(&origin, "lines end with LF; signed as CRLF");
        }
        if signed.long_lines > 0 {
            let lines = if signed.long_lines == 1 { "line is" } else { "lines are" };
            let what = format_args!(
                "{} {lines} longer than 998 octets; relays may cut that, which breaks the signature",
                signed.long_lines
            );
            note(&origin, what);
        }
        if let Some(dns) = dns {
            check(&signed, &mut octets, &dns).map_err(|failure| failure.on(&origin))?;
        }
        // RFC 6376 §5.6: before any other DKIM-Signature field, so on top.
        let mut out = io::stdout().lock();
        let fields = signed.line_ends.of_text(&signed.fields);
        out.write_all(fields.as_bytes()).map_err(|error| Failure::output(&error))?;
        if !self.field
            && octets.copy_to(0, &mut out).map_err(|failure| failure.on(&origin))? != signed.length
        {
            return Err(Failure::new(Exit::NoInput, "changed while it was signed").on(&origin));
        }
        out.flush().map_err(|error| Failure::output(&error))?;
        Ok(Exit::Success)
    }

    /// Each selector with the key that was given with it, or that the agent has for it.
    fn told(&self) -> Result<Vec<Signer>, Failure> {
        let Some(domain) = &self.domain else { return Ok(Vec::new()) };
        let signer = |selector: &Selector, key: Arc<dyn SigningKey>| {
            let (domain, selector) = (domain.clone(), selector.clone());
            Signer { domain, selector, key, identity: self.identity.clone() }
        };
        if let Some(socket) = &self.agent {
            let signer = |selector| Ok(signer(selector, remote_key(socket, domain, selector)?));
            return self.selector.iter().map(signer).collect();
        }
        let (selectors, keys) = (self.selector.len(), self.key.len());
        if selectors != keys {
            let what = format_args!("selectors given: {selectors}, keys given: {keys}");
            return Err(Failure::new(Exit::Usage, what)
                .remedy("give --selector and --key in pairs, one pair for each signature"));
        }
        let signer =
            |(selector, key): (&Selector, &PathBuf)| Ok(signer(selector, key_file::read(key)?));
        self.selector.iter().zip(&self.key).map(signer).collect()
    }

    fn sign(
        &self,
        octets: &mut Twice,
        told: Vec<Signer>,
        configured: Option<&Configured>,
    ) -> Result<Signed, Failure> {
        refuse_mbox(&octets.peek()?)?;
        let mut message = Message::open(octets)?;
        let now = match self.timestamp {
            Some(Moment::At(time)) => time,
            Some(Moment::Unsaid) | None => now(),
        };
        let signers = match configured {
            Some(configured) => configured.signers(
                &message.header(),
                (self.client, self.authenticated),
                self.agent.as_deref(),
            )?,
            None => told,
        };
        let requests = signers.iter().map(|signer| self.request(signer, configured));
        let mut signer = dkim_stack::Signer::new(requests, &message.header(), now, provider())
            .map_err(|error| refused(&error))?;
        let (line_ends, mut scratch) = (message.line_ends, Vec::new());
        let mut body_line_ends = BodyLineEnds::new(line_ends);
        let mut length = message.header_length;
        message
            .body
            .for_each(|chunk| {
                length += u64::try_from(chunk.len()).unwrap_or(0);
                body_line_ends.chunk(chunk);
                signer.body_chunk(line_ends.to_crlf(chunk, &mut scratch));
                ControlFlow::Continue(())
            })
            .map_err(MessageError::from)?;
        if body_line_ends.finish() {
            return Err(Failure::new(Exit::Data, "line ends are mixed: CRLF, LF or CR")
                .remedy("bring all of them to CRLF, then sign"));
        }
        let long_lines = signer.long_lines();
        let mut fields = String::new();
        // One signature for each request, in their order.
        let count = signers.len();
        for (unsigned, Signer { key, .. }) in signer.finish().into_iter().zip(&signers) {
            let signature = unsigned.sign(&**key).map_err(|error| unsigned_for(&error))?;
            fields.push_str(&signature.to_field());
        }
        Ok(Signed { fields, count, line_ends, length, long_lines, now })
    }

    /// What is asked for a signature: by the command line, else by the configuration.
    fn request(&self, signer: &Signer, configured: Option<&Configured>) -> Request {
        let (sdid, selector) = (signer.domain.clone(), signer.selector.clone());
        let mut request = Request::for_key(sdid, selector, &*signer.key);
        request.auid.clone_from(&signer.identity);
        if let Some(configured) = configured {
            configured.signing().apply(&mut request);
        }
        if let Some(forms) = self.canon {
            request.canonicalization = forms;
        }
        if let Some(Names(names)) = &self.headers {
            request.fields = Fields::Exact(names.clone());
        } else if let Some(Names(names)) = &self.oversign {
            request.fields = Fields::oversigning(names.clone());
        } else if self.mediator {
            request.fields = Fields::of_mediator();
        }
        if let Some(Moment::Unsaid) = self.timestamp {
            request.timestamp = Timestamp::Absent;
        }
        if let Some(seconds) = self.expires {
            request.expiration = Expiration::After(seconds);
        }
        if self.body_length {
            request.body_length = BodyLength::AsSigned;
        }
        if self.query {
            request.query_method = QueryMethod::DnsTxt;
        }
        if self.copies {
            request.copies = Copies::OfSignedFields;
        }
        if self.reports {
            request.reports = Reports::Asked;
        }
        if let Some(author_domain) = self.atps.clone() {
            request.atps = Some(Atps { author_domain, hash: self.atps_hash });
        }
        request
    }
}

fn unsigned_for(error: &UnsignedError) -> Failure {
    match error {
        UnsignedError::Key(SignError::OutOfReach(_)) => Failure::of(Exit::Temporary, error)
            .remedy("try again when the agent or the token is there"),
        _ => Failure::of(Exit::Data, error),
    }
}

fn refused(error: &RequestError) -> Failure {
    let (exit, remedy) = match error {
        RequestError::NoFrom => (Exit::Data, "add a From field: every signature must cover it"),
        RequestError::SeveralFrom => {
            (Exit::Data, "leave one From field only: verifiers refuse a message with several")
        }
        RequestError::MalformedHeader(_) => {
            (Exit::Data, "mend the header: verifiers refuse it, or each reads another one")
        }
        RequestError::TooManyFields => {
            (Exit::Data, "name other fields in --headers, or take away those that are too many")
        }
        RequestError::FromNotListed => (Exit::Usage, "add From to --headers"),
        RequestError::AuidOutsideSdid { .. } => {
            (Exit::Usage, "give an --identity in the --domain or in a subdomain")
        }
        RequestError::AtpsForItself(_) => {
            (Exit::Usage, "name the domain that sends in --atps, or leave it out")
        }
        RequestError::SingleLabelDomain(_) => (Exit::Usage, "give the --domain that sends"),
        RequestError::NoRoomForKey { .. } => (Exit::Usage, "give a shorter --selector"),
        RequestError::SignsItself => {
            (Exit::Usage, "name DKIM-Signature in --headers as often as it is there, at most")
        }
        RequestError::TimeOutOfRange(_) => {
            (Exit::Usage, "give a --timestamp or --expires of less than 10^12 seconds")
        }
        _ => return Failure::of(Exit::Data, error),
    };
    Failure::of(exit, error).remedy(remedy)
}

//! `dkim report make`: the report that a failing signature asks for.

use core::net::IpAddr;
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use dkim_stack::authres::AuthenticationResults;
use dkim_stack::dns::drive_blocking;
use dkim_stack::message::{Address, Header};
use dkim_stack::report::{
    CanonicalBody, Decision, DeliveryResult, Feedback, Original, Redactor, Report, ReportAddress,
    ReportInquiry, Unwanted, date_time,
};
use dkim_stack::{Policy, UnixTime, Verification, Verifier, now};
use zeroize::Zeroizing;

use crate::diagnostics::{Failure, note};
use crate::dns::{Dns, DnsArgs};
use crate::exit::{self, Exit};
use crate::input::{LineEnds, Message, Origin, Twice, read_whole, refuse_mbox};
use crate::output;
use crate::provider::provider;
use crate::verify::host_name;

/// How long a canonical body may be that is put into a report, in octets.
const MAX_BODY: usize = 256 * 1024;

/// How long the file with the key for redaction may be, in octets.
const MAX_KEY: usize = 64 * 1024;

/// Make the report that a failing signature asks for, and print it
///
/// The message is verified as `dkim verify` does it. For a signature that fails and says r=y, the
/// DNS is asked at _report._domainkey.DOMAIN whether and about what reports are wanted (RFC 6651).
/// The report (RFC 6591) is written to standard output, with CRLF, and nothing is sent. If none is
/// due, the reasons are told.
///
/// To send it: with an empty envelope sender, signed, and to the address in its To field. This
/// command keeps no memory of what it made, and so nothing limits how many reports go to whom; a
/// program that sends them by itself must (RFC 6591 §6.3, §6.5), as `Throttle` of the library
/// dkim-report does.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Make {
    /// The message; `-` is standard input
    #[arg(value_name = "MESSAGE", default_value = "-")]
    file: PathBuf,

    /// Only about this signature, counted from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    signature: Option<u32>,

    #[command(flatten)]
    dns: DnsArgs,

    /// Judge as of this time, in seconds since 1970, and not as of now; the report has it as its
    /// date
    #[arg(long, value_name = "UNIXTIME")]
    at: Option<u64>,

    /// Who reports: postmaster at this host unless said
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    from: Option<Address>,

    /// Who says so in the Authentication-Results field; the host's name unless said
    #[arg(long, value_name = "NAME")]
    authserv_id: Option<String>,

    /// The envelope sender of the message; `<>` is the empty one, about which nothing is reported
    #[arg(long, value_name = "ADDRESS")]
    mail_from: Option<String>,

    /// An envelope recipient of the message; may be given several times
    ///
    /// With --redact, each is hidden wherever it stands, and whom the header does not name can be
    /// hidden in no other way.
    #[arg(long, value_name = "ADDRESS")]
    rcpt_to: Vec<String>,

    /// From where the message came
    #[arg(long, value_name = "IP")]
    source_ip: Option<IpAddr>,

    /// When the message came, in seconds since 1970
    #[arg(long, value_name = "UNIXTIME")]
    arrival: Option<u64>,

    /// What became of the message
    #[arg(long, value_parser = delivery_results())]
    delivery: Option<DeliveryResult>,

    /// The number for rp=, the percentage of failures to be reported: 0 to 99; drawn at random
    /// unless said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(..100))]
    drawn: Option<u8>,

    /// Send the whole message back and not only its header
    ///
    /// Of a message whose header is not ASCII, or whose lines are too long or do not end with CRLF,
    /// the header is sent alone: in a report a message stands as it is (RFC 2046 §5.2.1).
    #[arg(long, conflicts_with = "redact")]
    whole: bool,

    /// Hide the recipients, by a hash with the key in this file (RFC 6590)
    ///
    /// The canonical header and body are left out then, as RFC 6591 demands. The recipients are those
    /// of --rcpt-to, of To, Cc, Delivered-To and the like, and of Received, behind its word `for`.
    /// Their addresses are found in all fields, with @, = or the %40 and =40 of URIs and encoded
    /// words. What stays: an address in another encoding (as base64) or broken over two lines, a name
    /// alone, a recipient named nowhere but in other fields, and what the sender's logs know
    /// (Message-ID).
    #[arg(long, value_name = "KEYFILE")]
    redact: Option<PathBuf>,
}

/// The words of Delivery-Result.
fn delivery_results() -> impl TypedValueParser<Value = DeliveryResult> {
    let words = DeliveryResult::ALL.iter().map(|result| result.word());
    let unknown = "no Delivery-Result";
    PossibleValuesParser::new(words)
        .try_map(move |word| DeliveryResult::from_word(&word).ok_or(unknown))
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim report make message.eml > report.eml
  dkim report make --zone keys.zone --at 1700000000 --source-ip 192.0.2.1 \\
      --delivery reject message.eml
  dkim report make --redact secret.key --rcpt-to joe@example.org message.eml |
      dkim report show -
";
    [EXAMPLES, &exit::help()].join("\n")
}

impl Make {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        output::refuse_closed()?;
        let origin = Origin::of(&self.file);
        let dns = Dns::new(&self.dns)?;
        let redactor = self.redactor()?;
        let report = self.report(&origin, &dns).map_err(|failure| failure.on(&origin))?;
        let Some(mut report) = report else { return Ok(Exit::NonePasses) };
        if let Some(redactor) = redactor {
            report.redact(&redactor);
        }
        let message =
            report.to_message().map_err(|error| Failure::of(Exit::Data, &error).on(&origin))?;
        let mut out = io::stdout().lock();
        out.write_all(&message)
            .and_then(|()| out.flush())
            .map_err(|error| Failure::output(&error))?;
        Ok(Exit::Success)
    }

    fn redactor(&self) -> Result<Option<Redactor>, Failure> {
        let Some(path) = &self.redact else { return Ok(None) };
        // Room for all at once: a vector that grows leaves copies of itself behind.
        let mut key = Zeroizing::new(Vec::with_capacity(MAX_KEY + 2));
        read_whole(path, MAX_KEY, &mut key)?;
        if key.trim_ascii().is_empty() {
            return Err(Failure::new(Exit::Data, "the key is empty")
                .on(path.display())
                .remedy("put 32 octets at random into it, as with `openssl rand -hex 32`"));
        }
        Redactor::new(provider(), key.trim_ascii())
            .map(Some)
            .ok_or_else(|| Failure::new(Exit::Data, "the cryptographic library has no SHA-256"))
    }

    /// The report; `None` if none is due, which is told.
    fn report(&self, origin: &Origin, dns: &Dns) -> Result<Option<Report>, Failure> {
        let mut octets = Twice::open(&self.file)?;
        refuse_mbox(&octets.peek()?)?;
        let mut message = Message::open(&mut octets)?;
        let body = message.whole_body()?;
        if message.line_ends == LineEnds::Lf {
            note(origin, "lines end with LF; read as CRLF");
        }
        let empty_line = message.empty_line().to_vec();
        let header = message.header();
        let now = self.at.map_or_else(now, UnixTime);
        let mut verifier = Verifier::new(&header, &Policy::rfc(), now, provider());
        drive_blocking(&mut verifier, dns);
        verifier.body_chunk(&body);
        let found = verifier.finish();
        let Some((index, to)) = self.wanted(origin, &header, &found, dns)? else { return Ok(None) };
        let signed = found.iter().find(|one| one.index == index);
        let feedback = Feedback::of_signature(&found, index, &self.authserv_id());
        // A decision for a report is for a signature with names.
        let (Some(signed), Some(feedback)) = (signed, feedback) else { return Ok(None) };
        let canonical = signed.signature.as_ref().map(|signature| {
            let mut canonical = CanonicalBody::new(signature, MAX_BODY);
            canonical.chunk(&body);
            canonical
        });
        let mut feedback = feedback.with_canonical(signed, &header, canonical);
        self.add_envelope(&mut feedback);
        let original = if self.whole {
            Original::Message([header.octets(), &empty_line, &body].concat())
        } else {
            Original::of_header(&header)
        };
        let mut report = Report::new(self.sender()?, to, now, feedback, original);
        report.message_id = Some(self.message_id(now, index));
        Ok(Some(report))
    }

    fn wanted(
        &self,
        origin: &Origin,
        header: &Header<'_>,
        found: &[Verification],
        dns: &Dns,
    ) -> Result<Option<(usize, ReportAddress)>, Failure> {
        if found.is_empty() {
            note(origin, "no report: there is no DKIM-Signature field");
            return Ok(None);
        }
        let only = self.signature.and_then(|number| usize::try_from(number - 1).ok());
        let asked: Vec<Verification> =
            found.iter().filter(|one| only.is_none_or(|only| only == one.index)).cloned().collect();
        if let (Some(number), []) = (self.signature, &*asked) {
            return Err(Failure::new(Exit::Data, format_args!("there is no signature {number}")));
        }
        let mut inquiry = ReportInquiry::new(&asked, header, self.mail_from.as_deref());
        drive_blocking(&mut inquiry, dns);
        // RFC 6651 §3.3, step 7: "select a random number between 0 and 99, inclusive".
        let decisions = inquiry.finish(self.drawn.unwrap_or_else(|| fastrand::u8(..100)));
        // About the message, and not about each signature.
        if let Some(Err(why @ Unwanted::Automatic(_))) = decisions.first().map(|one| &one.wanted) {
            note(origin, format_args!("no report: {why}"));
            return Ok(None);
        }
        let mut wanted: Option<(usize, ReportAddress)> = None;
        // What the record of a domain says is told once, with the first signature it is about:
        // somebody else wrote it, and a message has room for thousands of signatures.
        let mut told = HashMap::new();
        for (Decision { index, wanted: decision, smtp_text, .. }, one) in
            decisions.iter().zip(&asked)
        {
            let number = index + 1;
            let mut told_with = |what: &str| {
                let first = *told.entry((one.claims().sdid, what.to_owned())).or_insert(number);
                Some(first).filter(|first| *first != number)
            };
            if let Some(text) = smtp_text
                && told_with(text).is_none()
            {
                let what =
                    format_args!("signature {number}: if the message is refused, say: {text}");
                note(origin, what);
            }
            match decision {
                Ok(to) if wanted.is_none() => wanted = Some((*index, to.clone())),
                Ok(to) => {
                    let what = format_args!("signature {number}: another report is due, to {to}");
                    note(origin, format_args!("{what}; make it with --signature {number}"));
                }
                Err(why @ (Unwanted::Invalid(_) | Unwanted::NoRecord(_))) => {
                    let why = why.to_string();
                    match told_with(&why) {
                        Some(first) => {
                            let what = format_args!("no report, as for signature {first}");
                            note(origin, format_args!("signature {number}: {what}"));
                        }
                        None => {
                            note(origin, format_args!("signature {number}: no report: {why}"));
                        }
                    }
                }
                Err(why) => note(origin, format_args!("signature {number}: no report: {why}")),
            }
        }
        let is_temporary = |decision: &Decision| match &decision.wanted {
            Err(Unwanted::NoRecord(error)) => error.is_temporary(),
            _ => false,
        };
        if wanted.is_none() && decisions.iter().any(is_temporary) {
            let what = "the DNS gave no answer for now, so that none is made";
            return Err(Failure::new(Exit::Temporary, what).remedy("try again later"));
        }
        Ok(wanted)
    }

    fn add_envelope(&self, feedback: &mut Feedback) {
        let bare = |path: &String| {
            let inner = path.strip_prefix('<').and_then(|path| path.strip_suffix('>'));
            inner.unwrap_or(path).to_owned()
        };
        feedback.original_mail_from = self.mail_from.as_ref().map(bare);
        feedback.original_rcpt_to = self.rcpt_to.iter().map(bare).collect();
        feedback.source_ip = self.source_ip;
        feedback.arrival_date = self.arrival.map(|time| date_time(UnixTime(time)));
        feedback.delivery_result = self.delivery;
    }

    fn sender(&self) -> Result<Address, Failure> {
        self.from.clone().map(Ok).unwrap_or_else(|| {
            Address::parse(&format!("postmaster@{}", host_name())).map_err(|_| {
                Failure::new(Exit::Usage, "the host has no name for an address")
                    .remedy("say who reports with --from ADDRESS")
            })
        })
    }

    /// As it is told to others.
    fn authserv_id(&self) -> String {
        let id = self.authserv_id.clone().unwrap_or_else(host_name);
        AuthenticationResults::new(id).authserv_id
    }

    fn message_id(&self, now: UnixTime, index: usize) -> String {
        let process = std::process::id();
        format!("{}.{process}.{index}.dkim-report@{}", now.0, self.authserv_id())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        make: Make,
    }

    fn make(args: &[&str]) -> Make {
        Command::parse_from([&["make"], args].concat()).make
    }

    /// One of more octets is left out.
    #[test]
    fn bodies_of_256_kib_are_reported() {
        const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
        let message = fs::read_to_string(format!("{DATA}/asks-for-reports.eml")).unwrap();
        let (header, _) = message.split_once("\r\n\r\n").unwrap();
        let (directory, zone) = (tempfile::tempdir().unwrap(), format!("{DATA}/reports.zone"));
        let path = directory.path().join("message.eml");
        let args = ["--zone", &zone, "--at", "1700000000", "--drawn", "0"];
        let make =
            make(&[&args[..], &["--from", "mx@example.net", path.to_str().unwrap()]].concat());
        let dns = Dns::new(&make.dns).unwrap();
        for (octets, is_reported) in [(MAX_BODY, true), (MAX_BODY + 1, false)] {
            let body = "x".repeat(octets - 2);
            fs::write(&path, format!("{header}\r\n\r\n{body}\r\n")).unwrap();
            let report = make.report(&Origin::of(&path), &dns).unwrap().unwrap();
            assert_eq!(report.feedback.canonicalized_body.is_some(), is_reported, "{octets}");
        }
    }

    #[test]
    fn keys_for_redaction_have_64_kib() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let make = make(&["--redact", file.path().to_str().unwrap()]);
        for (octets, is_read) in [(MAX_KEY, true), (MAX_KEY + 1, false)] {
            fs::write(file.path(), vec![b'x'; octets]).unwrap();
            assert_eq!(make.redactor().is_ok(), is_read, "{octets}");
        }
    }
}

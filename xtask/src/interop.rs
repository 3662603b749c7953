//! `cargo xtask interop`: we sign and others verify, others sign and we verify; we report and
//! others read.

mod adsp;
mod arf;
mod attacks;
mod bind;
mod command;
mod domainkeys;
mod messages;
mod opendkim;
mod peer;
mod random;
mod script;
mod softhsm;
mod users;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{PrivateKey, Provider};
use dkim_dns::Zone;
use dkim_sign::{BodyLength, Fields, Request, Signer};
use dkim_tags::value::to_base64;
use dkim_tags::{Canonicalizations, DomainName, FieldName, Selector, UnixTime};

use crate::judge;
use messages::{Damage, MESSAGES, Message};
use peer::{Algorithm, Answer, Order, Peer, not_run};

const DOMAIN: &str = "example.com";
const SIGNED_FIELDS: [&str; 4] = ["From", "To", "Subject", "Date"];
/// When everybody signs. Verifiers take the time from the clock, which matters to nothing here.
const NOW: UnixTime = UnixTime(1_700_000_000);
const FORMS: [&str; 4] = ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"];

/// Exchange signatures with other implementations, as far as they are installed.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only with this one.
    #[arg(long, value_name = "NAME")]
    with: Option<Name>,
    /// Forged messages, judged by everybody who is there: prints the table of COMPARISON.md.
    #[arg(long, conflicts_with_all = ["with", "random"])]
    attacks: bool,
    /// So many random messages, signed in turn, changed and judged by all, instead of the fixed
    /// ones; OpenDKIM, which would have to be started for each, takes no part.
    #[arg(long, value_name = "N")]
    random: Option<u64>,
    /// What the random messages are made from.
    #[arg(long, value_name = "S", default_value_t = 1, requires = "random")]
    seed: u64,
    /// The number of the first random message: `--random 1 --first K` makes message K again.
    #[arg(long, value_name = "K", default_value_t = 0, requires = "random")]
    first: u64,
    /// Save random messages about which there is disagreement.
    #[arg(long, value_name = "DIR", requires = "random")]
    keep: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    Arf,
    Dkimpy,
    Maildkim,
    Opendkim,
    /// Keys in a token, by PKCS #11.
    Softhsm,
    /// An agent, and users of all kinds.
    Users,
    /// A name server, for the life of a key.
    Bind,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if options.attacks {
        return attacks::run();
    }
    match options.random {
        Some(count) => random::run(options, count),
        None => exchange_all(options),
    }
}

fn exchange_all(options: &Options) -> Result<()> {
    let peers: [(Name, Box<dyn Peer>); 3] = [
        (Name::Dkimpy, Box::new(script::dkimpy())),
        (Name::Maildkim, Box::new(script::maildkim())),
        (Name::Opendkim, Box::new(opendkim::OpenDkim)),
    ];
    let bench = Bench::new()?;
    let (mut met, mut disagreements) = (0, 0);
    for (name, peer) in peers {
        if options.with.is_some_and(|only| only != name) {
            continue;
        }
        let version = match peer.version() {
            Ok(version) => version,
            Err(why) => {
                println!("{}", not_run(peer.name(), &why, peer.how_to_install()));
                continue;
            }
        };
        met += 1;
        println!("{} {version}", peer.name());
        for algorithm in Algorithm::ALL {
            if !peer.knows(algorithm, &version) {
                println!("  {}: SKIPPED, this version does not know it", algorithm.name());
                continue;
            }
            disagreements += bench.exchange(&*peer, algorithm)?;
        }
        if name == Name::Maildkim {
            let mut script = script::maildkim().start()?;
            disagreements += domainkeys::exchange(&mut script, &bench.zone, &bench.records)?;
            disagreements += adsp::compare(&mut script)?;
        }
    }
    if options.with.is_none_or(|only| only == Name::Arf) {
        let (read, faults) = arf::exchange()?;
        met += usize::from(read);
        disagreements += faults;
    }
    if options.with.is_none_or(|only| only == Name::Softhsm) {
        match softhsm::version() {
            Some(version) => {
                met += 1;
                println!("SoftHSM {version}");
                disagreements += softhsm::exchange(&bench)?;
            }
            None => println!("SoftHSM: SKIPPED, not installed: {}", softhsm::HOW_TO_INSTALL),
        }
    }
    if options.with.is_none_or(|only| only == Name::Users) {
        if users::is_superuser() {
            met += 1;
            println!("an agent and several users");
            disagreements += users::exchange(&bench)?;
        } else {
            println!("an agent and several users: SKIPPED, only root can be several users");
        }
    }
    if options.with.is_none_or(|only| only == Name::Bind) {
        match bind::version() {
            None => println!("BIND: SKIPPED, not installed: {}", bind::HOW_TO_INSTALL),
            Some(version) => {
                met += 1;
                println!("BIND {version}");
                disagreements += bind::run()?;
            }
        }
    }
    if met == 0 {
        bail!("nobody to talk to is installed");
    }
    if disagreements > 0 {
        bail!("{disagreements} disagreements");
    }
    Ok(())
}

/// Who signs.
#[derive(Clone, Copy)]
enum Direction {
    ToPeer,
    FromPeer,
}

impl Direction {
    fn words(self) -> &'static str {
        match self {
            Self::ToPeer => "ours there",
            Self::FromPeer => "theirs here",
        }
    }
}

/// What a disagreement is about.
struct About {
    form: &'static str,
    message: &'static str,
}

/// One message, verified by one side after the other signed it.
struct Trial {
    message: &'static str,
    title: String,
    disagreement: Option<String>,
}

impl Trial {
    fn new(message: &Message, damage: Option<&Damage>, form: &str, verdict: Answer<bool>) -> Self {
        let expected = damage.is_none_or(|damage| damage.is_forgiven(form));
        let title = match damage {
            Some(damage) => format!("{}, {}", message.title, damage.title),
            None => message.title.to_owned(),
        };
        let disagreement = match verdict {
            Ok(passes) if passes == expected => None,
            Ok(passes) => Some(format!("should {}, does {}", word(expected), word(passes))),
            Err(error) => Some(error),
        };
        Self { message: message.title, title, disagreement }
    }
}

/// What we need for our side of the exchange.
struct Bench {
    zone: Zone,
    records: BTreeMap<String, String>,
}

impl Bench {
    fn new() -> Result<Self> {
        let mut records = BTreeMap::new();
        for algorithm in Algorithm::ALL {
            let key = PROVIDER.signing_key(&PrivateKey::from_pem(algorithm.pem().as_bytes())?)?;
            let p = to_base64(&key.public_key().to_p_tag());
            let name = format!("{}._domainkey.{DOMAIN}", algorithm.selector());
            records.insert(name, format!("v=DKIM1; k={}; p={p}", algorithm.selector()));
        }
        let zone = records.iter().fold(Zone::new(), |zone, (name, text)| zone.txt(name, text));
        Ok(Self { zone, records })
    }

    /// Exchanges all messages in all canonicalizations, prints what came of it, and returns how
    /// many disagreements nothing explains.
    fn exchange(&self, peer: &dyn Peer, algorithm: Algorithm) -> Result<usize> {
        let mut unexplained = 0;
        for form in FORMS {
            let messages: Vec<&Message> =
                MESSAGES.iter().filter(|one| one.suits(peer, form)).collect();
            let theirs = self.receive(peer, &messages, algorithm, form)?;
            let directions = [
                (Direction::ToPeer, self.send(peer, &messages, algorithm, form)?),
                (Direction::FromPeer, theirs),
            ];
            print!("  {:<15} {form:<16}", algorithm.name());
            for (direction, trials) in &directions {
                let agreed = trials.iter().filter(|trial| trial.disagreement.is_none()).count();
                print!("  {} {agreed} of {}", direction.words(), trials.len());
            }
            println!();
            let mut faults: BTreeMap<&str, usize> = BTreeMap::new();
            for (direction, trials) in &directions {
                for trial in trials {
                    let Some(disagreement) = &trial.disagreement else { continue };
                    match peer.known_fault(&About { form, message: trial.message }) {
                        Some(fault) => *faults.entry(fault).or_default() += 1,
                        None => {
                            unexplained += 1;
                            let (direction, title) = (direction.words(), &trial.title);
                            println!("    DISAGREES: {direction}, {title}: {disagreement}");
                        }
                    }
                }
            }
            if let Some(mended) = peer.mended(algorithm, form) {
                println!("    theirs only mended: {mended}");
            }
            for (fault, count) in faults {
                println!("    {count} by a known fault of {}: {fault}", peer.name());
            }
        }
        Ok(unexplained)
    }

    /// We sign, they verify.
    fn send(
        &self,
        peer: &dyn Peer,
        messages: &[&Message],
        algorithm: Algorithm,
        form: &'static str,
    ) -> Result<Vec<Trial>> {
        let mut sent = Vec::new();
        for message in messages {
            let order = Order {
                message: message.octets(),
                algorithm,
                form,
                fields: SIGNED_FIELDS.map(str::to_owned).to_vec(),
                length: false,
            };
            let signed =
                sign(&order).with_context(|| format!("we cannot sign {}", message.title))?;
            let damaged = message.with_damages(&signed);
            sent.extend(damaged.map(|(damage, octets)| (*message, damage, octets)));
        }
        let octets: Vec<Vec<u8>> = sent.iter().map(|(.., octets)| octets.clone()).collect();
        let verdicts = peer.verify(&octets, &self.records)?;
        let trial = |((message, damage, _), verdict): (&(&Message, Option<&Damage>, _), _)| {
            Trial::new(message, *damage, form, verdict)
        };
        Ok(sent.iter().zip(verdicts).map(trial).collect())
    }

    /// They sign, we verify.
    fn receive(
        &self,
        peer: &dyn Peer,
        messages: &[&Message],
        algorithm: Algorithm,
        form: &'static str,
    ) -> Result<Vec<Trial>> {
        let plain: Vec<Vec<u8>> = messages.iter().map(|message| message.octets()).collect();
        let mut trials = Vec::new();
        for (message, signed) in messages.iter().zip(peer.sign(&plain, algorithm, form)?) {
            match signed {
                Err(error) => trials.push(Trial::new(message, None, form, Err(error))),
                Ok(signed) => {
                    trials.extend(message.with_damages(&signed).map(|(damage, octets)| {
                        Trial::new(message, damage, form, Ok(self.we_pass(&octets)))
                    }))
                }
            }
        }
        Ok(trials)
    }

    /// Whether a signature of the message passes.
    fn we_pass(&self, message: &[u8]) -> bool {
        let found = judge::verify(message, &self.zone, NOW);
        found.iter().any(dkim_verify::Verification::passes)
    }
}

fn word(passes: bool) -> &'static str {
    if passes { "pass" } else { "fail" }
}

/// The message with our signature on top.
fn sign(order: &Order) -> Result<Vec<u8>> {
    let key = PROVIDER.signing_key(&PrivateKey::from_pem(order.algorithm.pem().as_bytes())?)?;
    let selector = Selector::parse(order.algorithm.selector())?;
    let mut request = Request::new(DomainName::parse(DOMAIN)?, selector, key.algorithm());
    request.canonicalization =
        Canonicalizations::parse(order.form).context("no canonicalization")?;
    let names = order.fields.iter().map(|name| FieldName::parse(name));
    request.fields = Fields::Exact(names.collect::<Result<_, _>>()?);
    if order.length {
        request.body_length = BodyLength::AsSigned;
    }
    let (header, body) = dkim_message::split(&order.message);
    let mut signer = Signer::new([request], &header, NOW, &PROVIDER)?;
    signer.body_chunk(body);
    let unsigned = signer.finish().pop().context("nothing was signed")?;
    Ok([unsigned.sign(&*key)?.to_field().as_bytes(), &order.message].concat())
}

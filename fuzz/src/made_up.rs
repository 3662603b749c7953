//! Values made up from octets: any that the types allow and the writers promise to write.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Result, Unstructured};
use dkim_adsp::{Adsp, AdspRecord, AtpsRecord};
use dkim_authres::{AuthenticationResults, ResInfo};
use dkim_canon::Canonicalization;
use dkim_crypto::{HashAlgorithm, KeyType, PublicKey, SigningAlgorithm};
use dkim_dns::Zone;
use dkim_keyrec::{KeyRecord, record_name};
use dkim_keys::agent::wire as agent;
use dkim_keys::{
    Config, KeyEntry, KeyKind, KeySource, Matching, Pattern, Plan, Publication, Rule,
    ServerAddress, SigningDomain,
};
use dkim_message::{Header, author_addresses};
use dkim_report::{AuthFailure, DeliveryResult, Feedback, Incident, Original, Report, ReportTerms};
use dkim_sign::{BodyLength, Copies, Expiration, Fields, QueryMethod, Reports, Request, Timestamp};
use dkim_tags::{
    Atps, AtpsHash, Auid, Canonicalizations, CopiedField, DomainName, FieldName, Selector,
    Signature, UnixTime,
};

/// One more than the largest time that `t=` and `x=` can tell (RFC 6376 §3.5: 12 digits).
pub(crate) const END_OF_TIME: u64 = 1_000_000_000_000;

pub(crate) fn signature(u: &mut Unstructured<'_>) -> Result<Signature> {
    let algorithms = [
        SigningAlgorithm::RSA_SHA256,
        SigningAlgorithm::ED25519_SHA256,
        SigningAlgorithm::RSA_SHA1,
    ];
    let mut names = list(u, 60, field_name)?;
    names.insert(u.int_in_range(0..=names.len())?, from());
    let names = names.into_iter().collect();
    let mut signature = Signature::new(*u.choose(&algorithms)?, domain(u)?, selector(u)?, names);
    signature.signature = octets(u, 1, 1100)?;
    signature.body_hash = octets(u, 1, 64)?;
    signature.canonicalization = canonicalizations(u)?;
    signature.auid = auid(u, &signature.sdid)?;
    signature.body_length = u.arbitrary()?;
    let time = u.int_in_range(0..=END_OF_TIME - 2)?;
    signature.timestamp = u.arbitrary::<bool>()?.then_some(UnixTime(time));
    signature.expiration =
        u.arbitrary::<bool>()?.then_some(UnixTime(u.int_in_range(time + 1..=END_OF_TIME - 1)?));
    signature.copied_fields =
        list(u, 10, |u| Ok(CopiedField { name: field_name(u)?, body: octets(u, 0, 300)? }))?;
    let names: BTreeSet<&str> =
        list(u, 4, |u| u.choose(&["r", "zz", "A_1", "bx", "V"]).copied())?.into_iter().collect();
    for name in names {
        if u.arbitrary()? {
            let words = list(u, 15, |u| word(u, b"ab=|:/\xc3\xbc\"(", 1, 60))?;
            signature.add_other(name, &words.join(" ")).expect("words and a name that is new");
        } else {
            let text: String = text(u)?.chars().take(200).collect();
            // Refused, or written as it stands.
            let _ = signature.add_other(name, &text);
        }
    }
    Ok(signature)
}

pub(crate) fn key_record(u: &mut Unstructured<'_>) -> Result<KeyRecord> {
    let mut record = KeyRecord::new(public_key(u)?);
    if u.arbitrary()? {
        record.key = None;
    }
    record.versioned = u.arbitrary()?;
    let hashes = ["sha1", "sha256", "md5", "x-1"];
    let services = ["email", "*", "tlsrpt"];
    let flags = ["y", "s", "x-y"];
    let pick = |u: &mut Unstructured<'_>, words: &[&'static str]| -> Result<Vec<&'static str>> {
        list(u, 5, |u| Ok(*u.choose(words)?))
    };
    record.set_hashes(&pick(u, &hashes)?).expect("words");
    record.set_services(&pick(u, &services)?).expect("words");
    record.set_flags(&pick(u, &flags)?).expect("words");
    record.set_notes(&word(u, b"ab=;:| \xc3\xbc\"\\", 0, 300)?);
    Ok(record)
}

pub(crate) fn adsp_record(u: &mut Unstructured<'_>) -> Result<AdspRecord> {
    let mut record = AdspRecord::new(*u.choose(&[Adsp::Unknown, Adsp::All, Adsp::Discardable])?);
    for (name, value) in tags(u)? {
        // Refused, or written as it stands.
        let _ = record.add_tag(&name, &value);
    }
    Ok(record)
}

pub(crate) fn atps_record(u: &mut Unstructured<'_>) -> Result<AtpsRecord> {
    let mut record = AtpsRecord::new(&domain(u)?);
    for (name, value) in tags(u)? {
        // Refused, or written as it stands.
        let _ = record.add_tag(&name, &value);
    }
    Ok(record)
}

/// A signer, and the claim that it signs for another.
pub(crate) fn atps_claim(u: &mut Unstructured<'_>) -> Result<(DomainName, Atps)> {
    Ok((domain(u)?, atps(u)?))
}

fn atps(u: &mut Unstructured<'_>) -> Result<Atps> {
    let (sha1, sha256) = (HashAlgorithm::Sha1, HashAlgorithm::Sha256);
    let hashes = [AtpsHash::Plain, AtpsHash::Hashed(sha1), AtpsHash::Hashed(sha256)];
    Ok(Atps { author_domain: domain(u)?, hash: *u.choose(&hashes)? })
}

/// Tags of all kinds, some of them none.
fn tags(u: &mut Unstructured<'_>) -> Result<Vec<(String, String)>> {
    list(u, 6, |u| {
        let name = word(u, b"adkimv_1-=", 1, 5)?;
        let value = if u.arbitrary()? { word(u, b"ab= \t;:\"\\", 0, 60)? } else { text(u)? };
        Ok((name, value))
    })
}

/// A key record, an ADSP record, or ASCII that is none, at some name; nothing where the DNS has no
/// room for that.
pub(crate) fn publication(u: &mut Unstructured<'_>) -> Result<Option<Publication>> {
    let (selector, domain) = (selector(u)?.in_a_labels(), domain(u)?.in_a_labels());
    let publication = match u.int_in_range(0..=2)? {
        0 => Publication::new(&selector, &domain, &key_record(u)?),
        1 => Publication::of(
            format!("_adsp._domainkey.{domain}"),
            &domain,
            adsp_record(u)?.to_text(),
        ),
        _ => {
            let text = word(u, b"ab=;:'\"\\ ${}%()#\t", 1, 600)?;
            Publication::of(dkim_keyrec::record_name(&selector, &domain), &domain, text)
        }
    };
    // RFC 2181 §8: at most 31 bits.
    let ttl = u.int_in_range(0..=u32::MAX >> 1)?;
    Ok(publication.ok().map(|mut publication| {
        publication.ttl = ttl;
        publication
    }))
}

pub(crate) fn public_key(u: &mut Unstructured<'_>) -> Result<PublicKey> {
    if u.arbitrary()? {
        return Ok(ed25519_key());
    }
    let bits = *u.choose(&[2048_u32, 1024, 1023, 512, 4096, 8192])?;
    Ok(rsa_key(bits))
}

/// RFC 8032 §7.1, test 1.
pub(crate) fn ed25519_key() -> PublicKey {
    let point = [
        0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07,
        0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07,
        0x51, 0x1a,
    ];
    PublicKey::from_p_tag(KeyType::Ed25519, &point).expect("a key of the RFC")
}

/// An RSA key of any length, with a modulus that is nobody's: all bits set.
pub(crate) fn rsa_key(bits: u32) -> PublicKey {
    let octets = usize::try_from(bits.div_ceil(8)).expect("a length fits");
    let mut modulus = vec![0xff; octets];
    modulus[0] >>= bits.div_ceil(8) * 8 - bits;
    if modulus[0] & 0x80 != 0 {
        modulus.insert(0, 0);
    }
    let element = |tag: u8, contents: &[u8]| -> Vec<u8> {
        let length = u16::try_from(contents.len()).expect("a key is short").to_be_bytes();
        let header = match length {
            [0, short @ 0..=0x7f] => vec![tag, short],
            [0, long] => vec![tag, 0x81, long],
            [high, low] => vec![tag, 0x82, high, low],
        };
        [&header, contents].concat()
    };
    let integers = [element(2, &modulus), element(2, &[1, 0, 1])].concat();
    PublicKey::from_p_tag(KeyType::Rsa, &element(0x30, &integers)).expect("an RSAPublicKey")
}

/// A zone with two keys for each signature of a header, one of each type.
pub(crate) fn keys_of(header: &Header<'_>) -> Zone {
    let keys = [ed25519_key(), rsa_key(2048)].map(KeyRecord::new);
    let signatures = header.named(Signature::FIELD_NAME);
    let signatures = signatures.filter_map(|field| Signature::parse(field.body()).ok());
    signatures.fold(Zone::new(), |zone, signature| {
        let name = record_name(&signature.selector, &signature.sdid);
        keys.iter().fold(zone, |zone, key| zone.txt(&name, key.to_text()))
    })
}

pub(crate) fn request(u: &mut Unstructured<'_>, algorithm: SigningAlgorithm) -> Result<Request> {
    let mut request = Request::new(domain(u)?, selector(u)?, algorithm);
    request.canonicalization = canonicalizations(u)?;
    request.auid = auid(u, &request.sdid)?;
    request.timestamp = *u.choose(&[Timestamp::Now, Timestamp::Absent])?;
    request.body_length = *u.choose(&[BodyLength::Absent, BodyLength::AsSigned])?;
    request.query_method = *u.choose(&[QueryMethod::Unsaid, QueryMethod::DnsTxt])?;
    request.copies = *u.choose(&[Copies::Absent, Copies::OfSignedFields])?;
    request.reports = *u.choose(&[Reports::Unasked, Reports::Asked])?;
    request.atps = if u.arbitrary()? { Some(atps(u)?) } else { None };
    if u.arbitrary()? {
        request.expiration = Expiration::After(u.arbitrary()?);
    }
    request.fields = match u.int_in_range(0..=2)? {
        0 => Fields::default(),
        1 => {
            let (signed, mut oversigned) = (list(u, 20, field_name)?, list(u, 20, field_name)?);
            oversigned.push(from());
            Fields::Chosen { signed, oversigned }
        }
        _ => {
            let mut names = list(u, 40, field_name)?;
            names.push(from());
            Fields::Exact(names)
        }
    };
    Ok(request)
}

pub(crate) fn auth_results(u: &mut Unstructured<'_>) -> Result<AuthenticationResults> {
    let mut value = AuthenticationResults::new(text(u)?);
    value.version = u.arbitrary()?;
    value.results = list(u, 4, |u| {
        let mut info = ResInfo::new(text(u)?, text(u)?);
        info.version = u.arbitrary()?;
        if u.arbitrary()? {
            info = info.reason(text(u)?);
        }
        for _ in 0..u.int_in_range(0..=4)? {
            info = info.prop(text(u)?, text(u)?, text(u)?);
        }
        Ok(info)
    })?;
    Ok(value)
}

pub(crate) fn report_terms<I: Incident>(
    u: &mut Unstructured<'_>,
    incidents: &[I],
) -> Result<ReportTerms<I>> {
    let mut terms = ReportTerms::none();
    let local_part = text(u)?;
    // Refused, or one that stays within its domain.
    let else_part = if u.arbitrary()? { "a" } else { "\"a b@c\"" };
    terms = match terms.clone().to_local_part(&local_part) {
        Ok(terms) => terms,
        Err(_) if u.arbitrary()? => terms,
        Err(_) => terms.to_local_part(else_part).expect("a local-part"),
    };
    let percentage = u.arbitrary()?;
    terms = terms.clone().of_percentage(percentage).unwrap_or(terms);
    terms = terms.about(&list(u, 3, |u| u.choose(incidents).copied())?);
    if u.arbitrary()? {
        terms = terms.with_smtp_text(&octets(u, 0, 500)?);
    }
    Ok(terms)
}

pub(crate) fn report(u: &mut Unstructured<'_>) -> Result<Report> {
    let mut feedback = Feedback::new(*u.choose(AuthFailure::ALL)?);
    feedback.user_agent = option(u, text)?;
    feedback.authentication_results = list(u, 2, auth_results)?;
    feedback.delivery_result = option(u, |u| u.choose(DeliveryResult::ALL).copied())?;
    feedback.original_envelope_id = option(u, text)?;
    feedback.original_mail_from = option(u, text)?;
    feedback.original_rcpt_to = list(u, 3, text)?;
    feedback.arrival_date = option(u, text)?;
    feedback.source_ip = option(u, |u| u.arbitrary())?;
    feedback.reporting_mta = option(u, text)?;
    feedback.incidents = u.arbitrary()?;
    feedback.reported_domain = list(u, 3, text)?;
    feedback.reported_uri = list(u, 3, text)?;
    let sdid = domain(u)?;
    feedback.dkim_identity = auid(u, &sdid)?;
    feedback.dkim_domain = Some(sdid);
    feedback.dkim_selector = Some(selector(u)?);
    feedback.dkim_selector_dns = option(u, text)?;
    feedback.dkim_adsp_dns = option(u, text)?;
    feedback.identity_alignment = option(u, text)?;
    feedback.canonicalized_header = option(u, |u| octets(u, 0, 300))?;
    feedback.canonicalized_body = option(u, |u| octets(u, 0, 300))?;
    // Names that no field has yet.
    feedback.other = list(u, 3, |u| Ok((format!("X-{}", text(u)?), text(u)?)))?;
    let original = if u.arbitrary()? {
        Original::Header(octets(u, 0, 500)?)
    } else {
        Original::Message(octets(u, 0, 500)?)
    };
    let from = author_addresses(b"mx@example.net").expect("an address").remove(0);
    let to = report_terms(u, dkim_report::DkimIncident::ALL)?.address(&domain(u)?);
    let to = to.ok_or(arbitrary::Error::IncorrectFormat)?;
    let date = UnixTime(u.arbitrary()?);
    let mut report = Report::new(from, to, date, feedback, original);
    report.message_id = option(u, text)?;
    report.subject = option(u, text)?;
    report.text = text(u)?;
    Ok(report)
}

fn option<'a, T>(
    u: &mut Unstructured<'a>,
    value: impl FnOnce(&mut Unstructured<'a>) -> Result<T>,
) -> Result<Option<T>> {
    if u.arbitrary()? { value(u).map(Some) } else { Ok(None) }
}

pub(crate) fn agent_request(u: &mut Unstructured<'_>) -> Result<agent::Request> {
    Ok(match u.int_in_range(0..=2)? {
        0 => agent::Request::List,
        1 => agent::Request::Key(key_name(u)?),
        _ => agent::Request::Sign {
            key: key_name(u)?,
            algorithm: *u.choose(SigningAlgorithm::ALL)?,
            input: octets(u, 0, 3000)?,
        },
    })
}

pub(crate) fn agent_answer(u: &mut Unstructured<'_>) -> Result<agent::Answer> {
    use agent::Refusal;

    let refusals = [Refusal::Malformed, Refusal::User, Refusal::UnknownKey, Refusal::NotDkim];
    Ok(match u.int_in_range(0..=3)? {
        0 => agent::Answer::End,
        1 => agent::Answer::Refused(*u.choose(&refusals)?),
        2 => agent::Answer::Signature(octets(u, 0, 1024)?),
        _ => {
            let (name, public) = (key_name(u)?, public_key(u)?);
            let of_key = |algorithm: &&SigningAlgorithm| algorithm.key() == public.key_type();
            let algorithm = *SigningAlgorithm::ALL.iter().find(of_key).expect("each key has one");
            agent::Answer::Key(agent::PublicHalf { name, algorithm, public })
        }
    })
}

fn key_name(u: &mut Unstructured<'_>) -> Result<agent::KeyName> {
    let (domain, selector) = (domain(u)?.in_a_labels(), selector(u)?.in_a_labels());
    Ok(agent::KeyName { domain, selector })
}

fn canonicalizations(u: &mut Unstructured<'_>) -> Result<Canonicalizations> {
    let forms = [Canonicalization::Simple, Canonicalization::Relaxed];
    Ok(Canonicalizations { header: *u.choose(&forms)?, body: *u.choose(&forms)? })
}

fn from() -> FieldName {
    FieldName::parse("From").expect("a field name")
}

fn field_name(u: &mut Unstructured<'_>) -> Result<FieldName> {
    let names = ["From", "Subject", "to", "X", "DKIM-Signature", "List-Id", "Received", "fr\"om="];
    let name = match u.int_in_range(0..=9)? {
        0 => word(u, b"aZ-_=|~!", 1, 80)?,
        number => names[number % names.len()].to_owned(),
    };
    FieldName::parse(&name).map_err(|_| arbitrary::Error::IncorrectFormat)
}

fn domain(u: &mut Unstructured<'_>) -> Result<DomainName> {
    let labels = list(u, 5, label)?;
    let name = if labels.is_empty() { "example.com".to_owned() } else { labels.join(".") };
    Ok(DomainName::parse(&name).unwrap_or(DomainName::parse("example.com").expect("a name")))
}

fn selector(u: &mut Unstructured<'_>) -> Result<Selector> {
    let mut labels = list(u, 3, label)?;
    labels.push("s_1".to_owned());
    Ok(Selector::parse(&labels.join(".")).unwrap_or(Selector::parse("s").expect("a name")))
}

fn label(u: &mut Unstructured<'_>) -> Result<String> {
    let labels =
        ["a", "Example", "com", "b\u{fc}cher", "xn--bcher-kva", "\u{4f8b}\u{3048}", "x--y"];
    match u.int_in_range(0..=9)? {
        0 => word(u, b"a-1", 1, 63),
        number => Ok(labels[number % labels.len()].to_owned()),
    }
}

/// An identity at the domain or below it.
fn auid(u: &mut Unstructured<'_>, sdid: &DomainName) -> Result<Option<Auid>> {
    if !u.arbitrary::<bool>()? {
        return Ok(None);
    }
    let local_part: String = text(u)?.chars().take(64).collect();
    let below = if u.arbitrary()? { "below." } else { "" };
    Ok(Auid::parse(&format!("{local_part}@{below}{}", sdid.as_written())).ok())
}

/// Text of all kinds, more of what is dangerous than there is in mail.
fn text(u: &mut Unstructured<'_>) -> Result<String> {
    if u.arbitrary()? {
        return Ok(u.arbitrary::<&str>()?.to_owned());
    }
    let parts =
        ["a", "b.c", "@", "\"", "\\", "\r\n", "\r\n X: y", ";", "(", ")", " ", "\u{fc}", "=", "\0"];
    Ok(list(u, 30, |u| u.choose(&parts).copied())?.concat())
}

/// Up to `most` characters of an alphabet, mended where the octets are no UTF-8.
fn word(u: &mut Unstructured<'_>, alphabet: &[u8], least: usize, most: usize) -> Result<String> {
    let length = u.int_in_range(least..=most)?;
    let octets: Vec<u8> =
        (0..length).map(|_| u.choose(alphabet).copied()).collect::<Result<_>>()?;
    Ok(String::from_utf8(octets).unwrap_or_else(|_| "a".repeat(length)))
}

fn octets(u: &mut Unstructured<'_>, least: usize, most: usize) -> Result<Vec<u8>> {
    let length = u.int_in_range(least..=most)?;
    let octets = u.bytes(length.min(u.len()))?.to_vec();
    Ok(if octets.len() < least { vec![7; least] } else { octets })
}

fn list<'a, T>(
    u: &mut Unstructured<'a>,
    most: usize,
    mut item: impl FnMut(&mut Unstructured<'a>) -> Result<T>,
) -> Result<Vec<T>> {
    let count = u.int_in_range(0..=most)?;
    (0..count).map(|_| item(u)).collect()
}

/// Any that the types allow, most of it plausible.
pub(crate) fn config(u: &mut Unstructured<'_>) -> Result<Config> {
    let mut config = Config::default();
    config.matching = *u.choose(&[Matching::Every, Matching::First])?;
    config.signing.canonicalization = maybe(u, |u| {
        let form = u.choose(&["relaxed/simple", "simple", "relaxed"])?;
        Ok(form.parse().expect("canonicalizations"))
    })?;
    config.signing.oversign = maybe(u, |u| list(u, 4, field_name))?;
    config.signing.expires = u.arbitrary()?;
    config.signing.body_length = u.arbitrary()?;
    let servers = ["192.0.2.1:53", "[2001:db8::1]:5353"];
    let server = |u: &mut Unstructured<'_>| {
        Ok(u.choose(&servers)?.parse::<ServerAddress>().expect("an address"))
    };
    config.rotation.server = maybe(u, server)?;
    config.rotation.tsig = maybe(u, |u| Ok(name(u, &["update.key", "/etc/bind/k"])?.into()))?;
    config.rotation.zone = maybe(u, |u| name(u, &["example.com", "a..b"]))?;
    config.rotation.servers = list(u, 3, server)?;
    config.rotation.owner = maybe(u, |u| name(u, &["dkim", "dkim:mail"]))?;
    config.rotation.hook = list(u, 4, |u| name(u, &["systemctl", "reload", "--", ""]))?;
    for _ in 0..u.int_in_range(0..=5)? {
        let key = name(u, &["main", "second", "a.b", "", "\"'\n"])?;
        config.keys.insert(key, key_entry(u)?);
    }
    config.rules = list(u, 5, |u| rule(u, &config.keys))?;
    Ok(config)
}

fn key_entry(u: &mut Unstructured<'_>) -> Result<KeyEntry> {
    let domain = match u.arbitrary()? {
        true => SigningDomain::Named(domain(u)?),
        false => SigningDomain::Author,
    };
    let selector = selector(u)?;
    let file = name(u, &["s2024.pem", "%/key.pem", "pkcs11:object=dkim", "../x"])?;
    let mut entry = KeyEntry::new(domain, selector, file.into());
    if let (KeySource::Fixed(named), true) = (entry.key.clone(), u.arbitrary()?) {
        let mut plan = Box::new(Plan::default());
        plan.kind = *u.choose(&KeyKind::ALL)?;
        let template = *u.choose(&["{year}{month}", "k{counter}", "s-{year}-{counter}"])?;
        plan.selector = template.parse().expect("a template");
        plan.ttl = u.arbitrary()?;
        for time in
            [&mut plan.every, &mut plan.negative_ttl, &mut plan.message_life, &mut plan.revoked_for]
        {
            *time = u.arbitrary()?;
        }
        plan.reveal = maybe(u, |u| Ok(name(u, &["revealed", "/srv/keys"])?.into()))?;
        let before = u.arbitrary::<bool>()?.then_some(named);
        let (active, standby, other_domain) = (None, Vec::new(), None);
        entry.key = KeySource::Rotated { plan, before, active, standby, other_domain };
    }
    Ok(entry)
}

fn rule(u: &mut Unstructured<'_>, keys: &BTreeMap<String, KeyEntry>) -> Result<Rule> {
    let keys: Vec<&String> = keys.keys().collect();
    let from = ["*@example.com", "*@*.example.com", "JOE@example.com", "*", "a@b@c"];
    let from = list(u, 4, |u| Ok(Pattern::new(name(u, &from)?)))?;
    let mut rule = Rule::new(from, Vec::new());
    if !keys.is_empty() {
        rule.keys = list(u, 3, |u| Ok((*u.choose(&keys)?).clone()))?;
    }
    rule.identity = maybe(u, |u| name(u, &["joe@%", "@sub.%", "%"]))?;
    let networks = ["10.0.0.0/8", "::1/128", "192.0.2.1/24", "0.0.0.0/0"];
    rule.clients = list(u, 3, |u| Ok(u.choose(&networks)?.parse().expect("a network")))?;
    rule.authenticated = u.arbitrary()?;
    Ok(rule)
}

/// One of these, or any text.
fn name(u: &mut Unstructured<'_>, likely: &[&str]) -> Result<String> {
    if u.ratio(7, 8)? { Ok((*u.choose(likely)?).to_owned()) } else { text(u) }
}

fn maybe<'a, T>(
    u: &mut Unstructured<'a>,
    item: impl FnOnce(&mut Unstructured<'a>) -> Result<T>,
) -> Result<Option<T>> {
    if u.arbitrary()? { item(u).map(Some) } else { Ok(None) }
}

/// A DomainKey-Signature field, and what it says.
pub(crate) struct DomainKeysField {
    pub(crate) canonicalization: dkim_domainkeys::Canonicalization,
    pub(crate) domain: DomainName,
    pub(crate) selector: Selector,
    pub(crate) signature: Vec<u8>,
    pub(crate) names: Vec<FieldName>,
    pub(crate) field_body: String,
}

/// A DomainKey-Signature field, and the text of a policy.
pub(crate) fn domainkeys(u: &mut Unstructured<'_>) -> Result<(DomainKeysField, String)> {
    let canonicalization = *u.choose(dkim_domainkeys::Canonicalization::ALL)?;
    let (domain, selector) = (domain(u)?.in_a_labels(), selector(u)?.in_a_labels());
    let signature = octets(u, 1, 600)?;
    let ascii =
        |name: &FieldName| name.as_str().bytes().all(|o| o.is_ascii_alphanumeric() || o == b'-');
    let names: Vec<FieldName> = list(u, 30, field_name)?.into_iter().filter(ascii).collect();
    let gap = *u.choose(&["", " ", "\r\n\t"])?;
    let h = names.iter().map(FieldName::as_str).collect::<Vec<_>>().join(":");
    let h = if names.is_empty() { String::new() } else { format!(";{gap}h={h}") };
    let b = dkim_tags::value::to_base64(&signature);
    let field_body = format!(
        "{gap}a=rsa-sha1;{gap}b={b};{gap}c={canonicalization};{gap}d={domain};{gap}q=dns;{gap}s={selector}{h}"
    );
    let policy = format!(
        "{}t={};{gap}n={};{gap}r=a@example.com",
        u.choose(&["", "o=~; ", "o=-; "])?,
        u.choose(&["y", "x", "x:y"])?,
        word(u, b"ab=: ", 0, 40)?
    );
    let field =
        DomainKeysField { canonicalization, domain, selector, signature, names, field_body };
    Ok((field, policy))
}

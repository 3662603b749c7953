//! FINDINGS.md has every finding there is: each kind of fault in turn, by a `match` that the compiler
//! holds to be complete.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::io;

use dkim_crypto::KeyType;
use dkim_keyrec::KeyRecord;
use dkim_tags::DomainName;

use crate::config::{ComplianceFault, ConfigFault};
use crate::finding::Row;
use crate::rotation::RotationFault;
use crate::{FileFault, KeyFileError, Phase, RecordFault, Unclear};

const DOCUMENT: &str = include_str!("../FINDINGS.md");

/// What `opendkim-testkey` says of mistakes, by their codes.
const OPENDKIM: &str = include_str!("../tests/data/opendkim-testkey.txt");

/// The fault after this one, with values as they might be.
fn record_fault(after: Option<&RecordFault>) -> Option<RecordFault> {
    use RecordFault as F;
    Some(match after {
        None => F::NoRecord,
        Some(F::NoRecord) => F::NoTxt,
        Some(F::NoTxt) => F::NameDoubled { at: "S._domainkey.D.D".to_owned() },
        Some(F::NameDoubled { .. }) => F::DanglingAlias { target: "T".to_owned() },
        Some(F::DanglingAlias { .. }) => F::AliasLoop,
        Some(F::AliasLoop) => F::NotDelegated { at: "A".to_owned(), target: "T".to_owned() },
        Some(F::NotDelegated { .. }) => F::Unanswered { why: "no answer in time".to_owned() },
        Some(F::Unanswered { .. }) => F::SeveralRecords { count: 2 },
        Some(F::SeveralRecords { .. }) => F::Wildcard,
        Some(F::Wildcard) => F::QuotesInside,
        Some(F::QuotesInside) => F::EscapedSemicolons,
        Some(F::EscapedSemicolons) => F::PrivateKey,
        Some(F::PrivateKey) => F::CutOff,
        Some(F::CutOff) => {
            F::Unusable { error: KeyRecord::parse(b"v=spf1 -all").expect_err("no key record") }
        }
        Some(F::Unusable { .. }) => {
            F::WrongKeyType { says: "rsa".to_owned(), key: KeyType::Ed25519 }
        }
        Some(F::WrongKeyType { .. }) => F::Revoked,
        Some(F::Revoked) => F::OtherKey,
        Some(F::OtherKey) => F::SpaceInKey,
        Some(F::SpaceInKey) => F::TooShort { bits: 768 },
        Some(F::TooShort { .. }) => F::Short { bits: 1024 },
        Some(F::Short { .. }) => F::NoSha256,
        Some(F::NoSha256) => F::NotForEmail,
        Some(F::NotForEmail) => F::Testing,
        Some(F::Testing) => F::Granularity { value: String::new() },
        Some(F::Granularity { .. }) => F::NoVersion,
        Some(F::NoVersion) => F::Large { octets: 810 },
        Some(F::Large { .. }) => F::LongTtl { seconds: 172_800 },
        Some(F::LongTtl { .. }) => F::Bogus,
        Some(F::Bogus) => F::LoopBack { outcome: "fail: body hash mismatch".to_owned() },
        Some(F::LoopBack { .. }) => return None,
    })
}

fn domain(name: &str) -> DomainName {
    DomainName::parse(name).expect("a domain")
}

fn file_fault(after: Option<&FileFault>) -> Option<FileFault> {
    use FileFault as F;
    Some(match after {
        None => F::Exposed { mode: 0o644 },
        Some(F::Exposed { .. }) => F::Owner { user: 1000 },
        Some(F::Owner { .. }) => F::AccessList,
        Some(F::AccessList) => F::Linked { names: 2 },
        Some(F::Linked { .. }) => F::Symlink { target: "FILE".into() },
        Some(F::Symlink { .. }) => F::Writable { mode: 0o664 },
        Some(F::Writable { .. }) => F::FileOwner { user: 1000 },
        Some(F::FileOwner { .. }) => F::DirectoryWritable { mode: 0o777 },
        Some(F::DirectoryWritable { .. }) => F::DirectoryOwner { user: 1000 },
        Some(F::DirectoryOwner { .. }) => F::SharedMount { kind: "NFS" },
        Some(F::SharedMount { .. }) => F::TooDeep { limit: 8 },
        Some(F::TooDeep { .. }) => F::Backup,
        Some(F::Backup) => F::SharedKey { with: "FILE".into(), domain: domain("example.org") },
        Some(F::SharedKey { .. }) => F::CopiedKey { from: "FILE".into() },
        Some(F::CopiedKey { .. }) => F::Old { days: 400 },
        Some(F::Old { .. }) => F::TooShort { bits: 1024 },
        Some(F::TooShort { .. }) => F::Encrypted { line: 1 },
        Some(F::Encrypted { .. }) => F::Unusable { why: "no private key found".to_owned() },
        Some(F::Unusable { .. }) => F::Unreadable { why: "Permission denied".to_owned() },
        Some(F::Unreadable { .. }) => return None,
    })
}

fn config_fault(after: Option<&ConfigFault>) -> Option<ConfigFault> {
    use ConfigFault as F;
    Some(match after {
        None => F::NoRules,
        Some(F::NoRules) => {
            F::NoKey { why: KeyFileError::Unreadable(io::ErrorKind::NotFound.into()).to_string() }
        }
        // What is wrong with a file stands with those.
        Some(F::NoKey { .. } | F::KeyFile(_)) => F::NoKeyFiles,
        Some(F::NoKeyFiles) => F::Unclear(Unclear::SeveralFiles),
        Some(F::Unclear(Unclear::SeveralFiles)) => F::Unclear(Unclear::AnyDomain("*".to_owned())),
        Some(F::Unclear(
            Unclear::AnyDomain(_) | Unclear::SeveralPlaces | Unclear::Unreadable { .. },
        )) => F::Unclear(Unclear::Name(
            DomainName::parse("-.example").expect_err("no domain").to_string(),
        )),
        Some(F::Unclear(Unclear::Name(_))) => {
            F::SameName { name: "S._domainkey.D".to_owned(), other: "main".to_owned() }
        }
        Some(F::SameName { .. }) => {
            F::NameRetires { name: "S._domainkey.D".to_owned(), other: "main".to_owned() }
        }
        Some(F::NameRetires { .. }) => F::NoneSigns,
        Some(F::NoneSigns) => {
            F::DomainChanged { from: domain("example.org"), to: domain("example.com") }
        }
        Some(F::DomainChanged { .. }) => F::RevealDirectory { directory: "DIR".into() },
        Some(F::RevealDirectory { .. }) => F::UnusedKey,
        Some(F::UnusedKey) => F::NeverReached { by: 1 },
        Some(F::NeverReached { .. }) => F::NoEffect { by: 1 },
        Some(F::NoEffect { .. }) => F::Unsigned { by: 2 },
        Some(F::Unsigned { .. }) => F::AnyClient { rule: 1, others: 0 },
        Some(F::AnyClient { .. }) => F::OtherDomain { domain: domain("example.org") },
        Some(F::OtherDomain { .. }) => F::BodyLength,
        Some(F::BodyLength) => F::FromNotOversigned,
        Some(F::FromNotOversigned) => F::TsigKey { error: io::ErrorKind::NotFound.into() },
        Some(F::TsigKey { .. }) => {
            F::Hook { program: "/usr/bin/tell".to_owned(), why: "it is not there" }
        }
        Some(F::Hook { .. }) => return None,
    })
}

fn compliance_fault(after: Option<&ComplianceFault>) -> Option<ComplianceFault> {
    use ComplianceFault as F;
    Some(match after {
        None => F::Adsp { practices: "discardable" },
        Some(F::Adsp { .. }) => F::Dmarc { strict: true },
        Some(F::Dmarc { strict: true }) => F::Dmarc { strict: false },
        Some(F::Dmarc { strict: false }) => return None,
    })
}

fn rotation_fault(after: Option<&RotationFault>) -> Option<RotationFault> {
    use RotationFault as F;
    Some(match after {
        None => F::TooOld { days: 120, planned: 90 },
        Some(F::TooOld { .. }) => F::Stuck { phase: Phase::New, days: 3 },
        Some(F::Stuck { .. }) => F::NotTold,
        Some(F::NotTold) => F::Forgotten { phase: Phase::Retiring },
        Some(F::Forgotten { .. }) => return None,
    })
}

/// All faults of a kind.
fn all<F>(next: impl Fn(Option<&F>) -> Option<F>) -> Vec<F> {
    let mut all: Vec<F> = Vec::new();
    while let Some(fault) = next(all.last()) {
        all.push(fault);
    }
    all
}

/// The table of a kind, with what another program says where that is known.
fn table<F: Display>(faults: &[F], row: impl Fn(&F) -> Row, peer: &BTreeMap<&str, &str>) -> String {
    let others = if peer.is_empty() { ["", ""] } else { [" `opendkim-testkey` says |", "---|"] };
    let mut text = format!(
        "| finding | severity | what is wrong, for example | what to do | said in |{}\n\
         |---|---|---|---|---|{}\n",
        others[0], others[1]
    );
    for fault in faults {
        let Row { code, severity, remedy, reference } = row(fault);
        let cells = format!("| `{code}` | {severity} | {fault} | {remedy} | {reference} |");
        let said = match (peer.is_empty(), peer.get(code)) {
            (true, _) => String::new(),
            (false, Some(said)) => format!(" {said} |"),
            (false, None) => " |".to_owned(),
        };
        writeln!(text, "{cells}{said}").expect("a string takes all");
    }
    text
}

#[test]
fn the_document_has_the_tables() {
    let line = |line: &'static str| line.split_once('\t');
    let opendkim: BTreeMap<&str, &str> = OPENDKIM.lines().filter_map(line).collect();
    let nobody = BTreeMap::new();
    let tables = [
        table(&all(record_fault), RecordFault::row, &opendkim),
        table(&all(file_fault), FileFault::row, &nobody),
        table(&all(config_fault), ConfigFault::row, &nobody),
        table(&all(compliance_fault), ComplianceFault::row, &nobody),
        table(&all(rotation_fault), RotationFault::row, &nobody),
    ];
    println!("{}", tables.join("\n"));
    for table in tables {
        assert!(DOCUMENT.contains(&table), "FINDINGS.md is to have the tables printed above");
    }
}

#[test]
fn what_was_measured_is_about_findings_that_there_are() {
    let codes: Vec<&str> = all(record_fault).iter().map(RecordFault::code).collect();
    for line in OPENDKIM.lines().filter(|line| !line.starts_with('#')) {
        let (code, said) = line.split_once('\t').expect("a code and a verdict");
        let code = code.split(',').next().unwrap_or_default();
        assert!(code == "right" || codes.contains(&code), "{line}");
        assert!(!said.is_empty(), "{line}");
    }
}

//! Zones signed with DNSSEC below a root zone of our own, and what `dkim key test` says of the keys
//! in them: asked itself, and behind a resolver that validates, too.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail, ensure};

use super::server::Server;
use super::{Dkim, Tally, text};

const RECORD: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// The record, changed after it was signed.
const DAMAGED: &str = "v=DKIM1; k=ed25519; p=11qYAYKyCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// A zone below `test.`: how it is signed, and whether the server shows that.
struct Zone {
    name: &'static str,
    /// For `dnssec-signzone`; `None` if it is not signed.
    signed: Option<&'static [&'static str]>,
    entries: &'static str,
}

const ZONES: [Zone; 6] = [
    Zone {
        name: "secure",
        signed: Some(&[]),
        entries: "alias._domainkey CNAME s._domainkey\n\
                  out._domainkey CNAME s._domainkey.insecure.test.\n\
                  nowhere._domainkey CNAME nothing-here\n",
    },
    Zone { name: "nsec3", signed: Some(&["-3", "aabb", "-H", "0"]), entries: "" },
    Zone {
        name: "expired",
        signed: Some(&["-P", "-s", "20200101000000", "-e", "20200201000000"]),
        entries: "",
    },
    Zone { name: "damaged", signed: Some(&[]), entries: "" },
    // Its parent has a DS record for it; it is served without signatures.
    Zone { name: "stripped", signed: Some(&[]), entries: "" },
    Zone { name: "insecure", signed: None, entries: "" },
];

/// What is said: the selector and the zone, the exit code, and what is there to be read, or not.
const SAID: [(&str, &str, i32, &str); 18] = [
    ("s", "secure", 0, "\"dnssec\":\"secure\""),
    ("s", "nsec3", 0, "\"dnssec\":\"secure\""),
    ("s", "insecure", 0, "\"dnssec\":\"insecure\""),
    ("s", "expired", 1, "\"dnssec\":\"bogus\""),
    ("s", "damaged", 1, "\"dnssec\":\"bogus\""),
    ("s", "stripped", 1, "\"dnssec\":\"bogus\""),
    ("s", "damaged", 1, "\"dnssec-bogus\""),
    ("alias", "secure", 0, "\"dnssec\":\"secure\""),
    ("out", "secure", 0, "\"dnssec\":\"insecure\""),
    ("nowhere", "secure", 1, "\"dangling-alias\""),
    ("none", "secure", 1, "\"no-record\""),
    ("none", "nsec3", 1, "\"no-record\""),
    ("none", "insecure", 1, "\"no-record\""),
    ("none", "expired", 1, "\"dnssec-bogus\""),
    // Right below the wildcard, and further.
    ("s", "wild.secure", 1, "\"dnssec\":\"secure\""),
    ("a.b", "wild.secure", 1, "\"dnssec\":\"secure\""),
    ("s", "wild.nsec3", 1, "\"dnssec\":\"secure\""),
    ("s", "wild.insecure", 1, "\"dnssec\":\"insecure\""),
];

pub(super) fn run(dkim: &Dkim) -> Result<usize> {
    if Command::new("dnssec-signzone").arg("-V").output().is_err() {
        println!("  dnssec            SKIPPED, not installed: apt-get install bind9-utils");
        return Ok(0);
    }
    let mut tally = Tally::default();
    let server = Server::configured(".", |here, port| {
        make(here)?;
        Ok(authoritative(&here.display().to_string(), port))
    })?;
    let root = server.path("dsset-.");
    let ds = fs::read_to_string(&root)?;
    let forward = server.address.port();
    let validating = Server::configured("", |here, port| resolver(here, port, forward, &ds))?;
    for (server, who) in [(&server, "the servers"), (&validating, "a validating resolver")] {
        let address = server.address.to_string();
        let test = |selector: &str, zone: &str, anchor: &Path| {
            let domain = format!("{zone}.test");
            let place = ["key", "test", "--json", "--domain", &domain, "--selector", selector];
            let from = ["--dns", &address, "--trust-anchor", text(anchor)?];
            dkim.run(&[&place[..], &from].concat())
        };
        for (selector, zone, code, says) in SAID {
            let ended = test(selector, zone, &root)?;
            let is_so = ended.code == Some(code) && ended.out.contains(says);
            tally.expect(&format!("{selector} in {zone}, of {who}"), is_so, &ended);
        }
    }
    // Other anchors: the key itself, one further down, and one that fits nothing.
    let changed = server.path("changed");
    let digit = if ds.trim_end().ends_with('0') { '1' } else { '0' };
    let mut other = ds.trim_end().to_owned();
    other.pop();
    other.push(digit);
    fs::write(&changed, other)?;
    for (anchor, zone, says) in [
        (server.path("ksk"), "secure", "\"dnssec\":\"secure\""),
        (server.path("dsset-secure.test."), "secure", "\"dnssec\":\"secure\""),
        (server.path("dsset-secure.test."), "nsec3", "\"dnssec\":\"unknown\""),
        (changed, "secure", "\"dnssec-bogus\""),
    ] {
        let domain = format!("{zone}.test");
        let address = server.address.to_string();
        let place = ["key", "test", "--json", "--domain", &domain, "--selector", "s"];
        let from = ["--dns", &address, "--trust-anchor", text(&anchor)?];
        let ended = dkim.run(&[&place[..], &from].concat())?;
        let what = format!("{zone} from {}", anchor.display());
        tally.expect(&what, ended.out.contains(says), &ended);
    }
    println!("  dnssec            {} right, {} wrong", tally.right, tally.wrong);
    Ok(tally.wrong)
}

/// The zones, signed from the leaves up, so that each has the DS records of those below it.
fn make(here: &Path) -> Result<()> {
    const TOP: &str = "$TTL 60\n@ SOA ns.test. h.test. 1 3600 600 86400 60\n@ NS ns.test.\n";

    let mut delegations = String::from("ns.test. A 127.0.0.1\n");
    for zone in &ZONES {
        let keys = format!("s._domainkey TXT \"{RECORD}\"\n*._domainkey.wild TXT \"{RECORD}\"\n");
        let file = format!("{}.test", zone.name);
        fs::write(here.join(&file), [TOP, &keys, zone.entries].concat())?;
        if let Some(options) = zone.signed {
            sign(here, &format!("{file}."), &file, options)?;
        }
        writeln!(delegations, "{file}. NS ns.test.")?;
    }
    let signed = here.join("damaged.test.signed");
    fs::write(&signed, fs::read_to_string(&signed)?.replace(RECORD, DAMAGED))?;
    fs::write(here.join("test"), [TOP, &delegations].concat())?;
    sign(here, "test.", "test", &[])?;
    fs::write(here.join("root"), [TOP, "test. NS ns.test.\nns.test. A 127.0.0.1\n"].concat())?;
    let ksk = sign(here, ".", "root", &[])?;
    fs::copy(here.join(format!("{ksk}.key")), here.join("ksk"))?;
    Ok(())
}

/// Signs a zone with new keys, and returns the name of the one that signs the keys.
fn sign(here: &Path, zone: &str, file: &str, options: &[&str]) -> Result<String> {
    const KEY: [&str; 3] = ["-q", "-a", "ECDSAP256SHA256"];

    let run = |program: &str, arguments: &[&str]| -> Result<String> {
        let output = Command::new(program).args(arguments).current_dir(here).output()?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{program} {}: {error}", arguments.join(" "));
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    run("dnssec-keygen", &[&KEY[..], &[zone]].concat())?;
    let ksk = run("dnssec-keygen", &[&KEY[..], &["-f", "KSK", zone]].concat())?;
    run("dnssec-signzone", &[&["-q", "-S", "-g", "-o", zone], options, &[file]].concat())?;
    Ok(ksk)
}

fn authoritative(here: &str, port: u16) -> String {
    let zone =
        |name: &str, file: &str| format!("zone \"{name}\" {{ type primary; file \"{file}\"; }};\n");
    let below = ZONES.iter().map(|one| {
        let name = format!("{}.test", one.name);
        let is_shown = one.signed.is_some() && one.name != "stripped";
        zone(&name, &if is_shown { format!("{name}.signed") } else { name.clone() })
    });
    [options(here, port, "recursion no; dnssec-validation no;")]
        .into_iter()
        .chain([zone(".", "root.signed"), zone("test", "test.signed")])
        .chain(below)
        .collect()
}

/// One that asks the server on that port.
fn resolver(here: &Path, port: u16, forward: u16, ds: &str) -> Result<String> {
    let words: Vec<&str> = ds.split_whitespace().skip_while(|word| *word != "DS").collect();
    let [_, tag, algorithm, kind, digest @ ..] = &words[..] else {
        bail!("not a DS record: {ds}");
    };
    let forward = format!(
        "recursion yes; dnssec-validation yes; forward only; \
         forwarders {{ 127.0.0.1 port {forward}; }};"
    );
    let anchor = format!("{tag} {algorithm} {kind} \"{}\"", digest.concat());
    let options = options(&here.display().to_string(), port, &forward);
    Ok(format!("{options}trust-anchors {{ \".\" static-ds {anchor}; }};\n"))
}

fn options(here: &str, port: u16, more: &str) -> String {
    format!(
        "options {{ directory \"{here}\"; pid-file \"{here}/pid\"; session-keyfile none; \
         listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; notify no; {more} }};\n\
         controls {{ }};\n"
    )
}

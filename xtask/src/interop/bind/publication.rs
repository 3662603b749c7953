//! A key published and withdrawn; what must not succeed; and `nsupdate` doing as we do.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::server::{Server, ZONE};
use super::{Dkim, Ended, Tally, text};
use crate::interop::peer::Algorithm;

pub(super) fn run(dkim: &Dkim, server: &Server) -> Result<usize> {
    let mut tally = Tally::default();
    let address = server.address.to_string();
    let rsa = Algorithm::Rsa.key_file();
    let ed25519 = Algorithm::Ed25519.key_file();
    let (rsa, ed25519) = (text(&rsa)?, text(&ed25519)?);
    let key = |name: &str| -> Result<String> { Ok(text(&server.path(name))?.to_owned()) };
    let (update, forged) = (key("update.key")?, key("forged.key")?);
    let (guest, stranger) = (key("guest.key")?, key("stranger.key")?);
    let place = ["--domain", ZONE, "--selector", "published", "--server", &address];
    let run = |verb: &str, more: &[&str]| dkim.run(&[&["key", verb], &place[..], more].concat());

    // Nothing changes what is there.
    for (what, tsig, says) in [
        ("another secret is refused", Some(&forged), "BADSIG"),
        ("an unknown key is refused", Some(&stranger), "BADKEY"),
        ("a key without a grant is refused", Some(&guest), "REFUSED"),
        ("an update without a key is refused", None, "REFUSED"),
    ] {
        let tsig: Vec<&str> = tsig.iter().flat_map(|file| ["--tsig", file]).collect();
        let ended = run("publish", &[&["--key", rsa], &tsig[..]].concat())?;
        let is_refused = ended.code == Some(1) && ended.err.contains(says);
        tally.expect(what, is_refused && ended.err.contains("remedy: "), &ended);
    }
    let elsewhere = ["--domain", ZONE, "--selector", "s", "--server", "192.0.2.53", "--key", rsa];
    let ended = dkim.run(&[&["key", "publish"], &elsewhere[..]].concat())?;
    tally.expect("without a key nothing goes to another machine", ended.code == Some(2), &ended);

    // Of any length, once; the second in the place of the first.
    for (key, kind, more) in [(rsa, "rsa", &[][..]), (ed25519, "ed25519", &["--replace"])] {
        for sent in ["true", "false"] {
            let publish = [&["--key", key, "--tsig", &update, "--json"], more].concat();
            let ended = run("publish", &publish)?;
            let is_so = ended.out.contains(&format!("\"sent\":{sent},\"done\":true"));
            tally.expect("published once", ended.code == Some(0) && is_so, &ended);
        }
        let test = ["key", "test", "--domain", ZONE, "--selector", "published", "--dns", &address];
        let ended = dkim.run(&[&test[..], &["--key", key]].concat())?;
        let is_right = ended.out.contains("nothing is wrong");
        tally.expect(&format!("{kind} is right"), is_right, &ended);
    }
    let ended = run("withdraw", &["--key", rsa, "--tsig", &update])?;
    tally.expect("another key's record stays", ended.code == Some(73), &ended);
    let ended = run("publish", &["--key", rsa, "--tsig", &update])?;
    let is_refused = ended.code == Some(73) && ended.err.contains("--replace");
    tally.expect("another key's record is not replaced unasked", is_refused, &ended);
    let tags = ["--testing", "--note", "in \"spring\" \\ so"];
    let tagged = [&["--key", ed25519, "--tsig", &update], &tags[..]].concat();
    let ended = run("publish", &tagged)?;
    tally.expect("the same key gets other tags", ended.code == Some(0), &ended);

    // What is printed does the same, on the same conditions.
    if nsupdate("", &update).is_ok() {
        let publish = ["--key", ed25519, "--tsig", &update];
        let dry = run("publish", &[&publish[..], &["--dry-run"]].concat())?;
        for (what, is_done) in [("nsupdate takes what is printed", true), ("and once only", false)]
        {
            let ended = nsupdate(&dry.out, &update)?;
            let is_so = match is_done {
                true => ended.code == Some(0),
                // What was there when it was printed is there no more.
                false => ended.err.contains("NXRRSET"),
            };
            tally.expect(what, is_so, &ended);
        }
        let ended = run("publish", &[&publish[..], &["--json"]].concat())?;
        tally.expect("and does the same", ended.out.contains("\"sent\":false"), &ended);
        let elsewhere = ["--domain", ZONE, "--selector", "raced", "--server", &address];
        let dry =
            dkim.run(&[&["key", "publish", "--dry-run"], &elsewhere[..], &publish[..]].concat())?;
        let other = [&["key", "publish", "--key", rsa, "--tsig", &update], &elsewhere[..]].concat();
        let ended = dkim.run(&other)?;
        tally.expect("somebody else publishes first", ended.code == Some(0), &ended);
        let ended = nsupdate(&dry.out, &update)?;
        tally.expect("and stays", ended.err.contains("YXRRSET"), &ended);
    } else {
        println!("  nsupdate: SKIPPED, not installed: apt-get install bind9-dnsutils");
    }
    for sent in ["true", "false"] {
        let ended = run("withdraw", &["--tsig", &update, "--json"])?;
        let is_so = ended.out.contains(&format!("\"sent\":{sent},\"done\":true"));
        tally.expect("withdrawn once", ended.code == Some(0) && is_so, &ended);
    }

    // Revoked selectors are not used again.
    let gone = ["--domain", ZONE, "--selector", "gone"];
    let revoked = ["key", "dns", "--format", "nsupdate", "--revoked", rsa];
    let revoked = dkim.run(&[&revoked[..], &gone].concat())?;
    let commands =
        format!("server {} {}\n{}", server.address.ip(), server.address.port(), revoked.out);
    if nsupdate(&commands, &update).is_ok() {
        let publish = ["key", "publish", "--key", rsa, "--tsig", &update, "--server", &address];
        let ended = dkim.run(&[&publish[..], &gone].concat())?;
        let is_refused = ended.code == Some(73) && ended.err.contains("revoked");
        tally.expect("a record that says revoked stays", is_refused, &ended);
        let ended = dkim.run(&[&publish[..], &gone, &["--replace"]].concat())?;
        tally.expect("unless it may go", ended.code == Some(0), &ended);
    }

    // The zone form, with everything in its notes that a zone file could stumble on.
    for key in [rsa, ed25519] {
        let place = ["--domain", ZONE, "--selector", "noted"];
        let note = ["--note", "it is \"so\" \\ ; ( ) ok", key];
        let printed = dkim.run(&[&["key", "dns"], &place[..], &note].concat())?;
        let file = server.path("noted.zone");
        fs::write(
            &file,
            format!(
                "{ZONE}. 60 SOA ns.{ZONE}. h.{ZONE}. 1 60 60 60 60\n{ZONE}. 60 NS ns.{ZONE}.\nns.{ZONE}. 60 A 127.0.0.1\n{}",
                printed.out
            ),
        )?;
        match Command::new("named-checkzone").args([ZONE, text(&file)?]).output() {
            Ok(output) => {
                let ended = Ended::from(output);
                tally.expect("BIND reads the zone form", ended.code == Some(0), &ended);
            }
            Err(_) => {
                println!("  named-checkzone: SKIPPED, not installed: apt-get install bind9-utils")
            }
        }
        let test = ["key", "test", "--zone", text(&file)?, "--key", key];
        let ended = dkim.run(&[&test[..], &place].concat())?;
        tally.expect("and so do we", ended.out.contains("nothing is wrong"), &ended);
    }

    // An alias is let be: the server itself says no.
    let ended = dkim.run(&[
        "key",
        "publish",
        "--domain",
        ZONE,
        "--selector",
        "dangling",
        "--server",
        &address,
        "--key",
        rsa,
        "--tsig",
        &update,
    ])?;
    let is_alias = ended.code == Some(1) && ended.err.contains("is an alias");
    tally.expect("an alias is let be", is_alias, &ended);
    println!("  publication       {} right, {} wrong", tally.right, tally.wrong);
    Ok(tally.wrong)
}

fn nsupdate(commands: &str, key: &str) -> Result<Ended> {
    let mut command = Command::new("nsupdate");
    command.args(["-k", key]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    child.stdin.take().context("no pipe")?.write_all(commands.as_bytes())?;
    Ok(Ended::from(child.wait_with_output()?))
}

//! Whatever stands in mail, zones, configurations, key files, file names and arguments: nothing
//! that reaches a terminal can steer it or show something else than it says.
#![allow(clippy::unwrap_used)]

mod command;
mod name_server;

use std::fs;
use std::path::PathBuf;

use command::{DATA, dkim, text};
use name_server::NameServer;

/// A title, a screen wiped (in C0 and in C1), text turned around, letters that cannot be seen.
const HARM: &str = "\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}cod\u{2066}\u{200b}\u{7f}\u{8}";

/// The same without controls: what lets a header through that is judged in earnest.
const HARM_IN_TEXT: &str = "\u{202e}moc.live\u{2066}\u{200b}\u{2028}\u{3164}\u{e0041}\u{e0141}";

/// Files in a directory whose name is harmful, too.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.directory()).unwrap();
        place
    }

    fn directory(&self) -> PathBuf {
        self.0.path().join(format!("a{HARM}b"))
    }

    fn path(&self, name: &str) -> String {
        self.directory().join(name).to_str().unwrap().to_owned()
    }

    fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), contents).unwrap();
        self.path(name)
    }
}

fn data(name: &str) -> String {
    fs::read_to_string(format!("{DATA}/{name}")).unwrap()
}

/// What `printable` in the sources lets through, said another way: lines of UTF-8 in which every
/// character is one that is seen, and stands where it is seen.
fn harm(said: &[u8]) -> Option<String> {
    let Ok(said) = std::str::from_utf8(said) else { return Some("no UTF-8".to_owned()) };
    let steers = |c: char| match c {
        '\n' => false,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        _ => {
            [0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180e, 0x3164, 0xfeff, 0xffa0]
                .contains(&u32::from(c))
                || (0x200b..=0x200f).contains(&u32::from(c))
                || (0x2028..=0x202e).contains(&u32::from(c))
                || (0x2060..=0x206f).contains(&u32::from(c))
                || (0xfff9..=0xfffb).contains(&u32::from(c))
                || (0x1bca0..=0x1bca3).contains(&u32::from(c))
                || (0x1d173..=0x1d17a).contains(&u32::from(c))
                || (0xe0000..=0xe0fff).contains(&u32::from(c))
        }
    };
    // A field to be put on top of a message has the line ends of that.
    let said = said.replace("\r\n\t", "\n").replace("\r\n", "\n");
    said.chars().find(|c| steers(*c)).map(|c| c.escape_unicode().to_string())
}

/// Runs a command; what it says must be harmless. Where it hands a message on, that is on standard
/// output as it is, and is not looked at.
fn check(args: &[&str], hands_on: bool) {
    let output = dkim(args).output().unwrap();
    let said = [(output.stderr, false), (output.stdout, hands_on)];
    for (said, hands_on) in said {
        let found = harm(&said).filter(|_| !hands_on);
        assert_eq!(found, None, "{args:?}: {}", text(&said).escape_debug());
    }
    let code = output.status.code();
    assert!(code.is_some_and(|code| code != 101), "{args:?}: {code:?}");
}

/// [`check`] as text and as JSON.
fn check_both(args: &[&str]) {
    check(args, false);
    check(&[args, &["--json"]].concat(), false);
}

/// Messages that are harmful in one place or another.
fn messages(place: &Place) -> Vec<String> {
    let signature = |tag: &str, harm: &str| {
        let plain = data("signed.eml");
        let at = plain.find(&format!("{tag}=")).unwrap() + tag.len() + 1;
        format!("{}{harm}{}", &plain[..at], &plain[at..])
    };
    let mut texts = vec![data("hostile.eml")];
    for harm in [HARM, HARM_IN_TEXT] {
        for tag in ["v", "a", "c", "d", "s", "t", "h", "bh", "b"] {
            texts.push(signature(tag, harm));
        }
        for more in [
            format!("i={harm}@example.com"),
            "i==1B=5D0=3Bowned=07=E2=80=AE@example.com".to_owned(),
            format!("q={harm}"),
            format!("l={harm}"),
            format!("x={harm}"),
            format!("r=y; z=Subject:=1B=5D0=3Bowned=07|From:{harm}"),
            format!("{harm}=a"),
            format!("a={harm}"),
            format!("n={harm}"),
            format!("atps={harm}; atpsh={harm}"),
        ] {
            texts.push(data("signed.eml").replacen("v=1;", &format!("v=1; {more};"), 1));
        }
        texts.push(data("signed.eml").replace("Subject: ", &format!("Subject: {harm}")));
        texts.push(data("signed.eml").replace("From: Joe", &format!("From: {harm}")));
        texts.push(data("signed.eml").replace("joe@", &format!("\"{harm}\"@")));
        texts.push(data("signed.eml").replace("joe@example", &format!("joe@{harm}")));
        texts.push(data("signed.eml") + harm + "\r\n");
        texts.push(data("signed.eml").replace("Hi.", &format!("Hi. {harm}")));
        texts.push(data("signed.eml").replace("X-Mailer", &format!("X-{harm}")));
        texts.push(format!("{harm}: x\r\n{}", data("signed.eml")));
        texts.push(data("asks-for-reports.eml").replace("Subject: ", &format!("Subject: {harm}")));
        texts.push(data("third-party.eml").replace("From: ", &format!("From: {harm} ")));
        texts.push(data("domainkeys.eml").replace("q=dns", &format!("q={harm}")));
        texts.push(data("domainkeys.eml").replace("s=brisbane", &format!("s={harm}")));
        texts.push(data("forged.eml").replace(';', &format!("; {harm}")));
        texts.push(format!("{harm} is no message\n"));
        texts.push(data("three.mbox").replace("From ", &format!("From {harm}")));
    }
    let octets = b"Subject: \x9b2J\xff\x1b[2J\r\n".iter();
    let mut files: Vec<String> = texts
        .iter()
        .enumerate()
        .map(|(number, text)| place.file(&format!("{number}.eml"), text))
        .collect();
    let raw: Vec<u8> = octets.copied().chain(data("signed.eml").into_bytes()).collect();
    files.push(place.file("raw.eml", &raw));
    files.push(place.path("nowhere.eml"));
    files
}

/// Zones that say harmful things, or are none.
fn zones(place: &Place) -> Vec<String> {
    let escaped: String = HARM.bytes().map(|octet| format!("\\{octet:03}")).collect();
    let key = "v=DKIM1; k=ed25519; p=8vZGyah9eIa0iPkErh33Ez5MOGlWXWs5C4cet/sYT3A=";
    let zone = |records: &[&str]| {
        let mut zone = format!("$TTL {escaped}\n$TTL 1h\n").split_off(escaped.len() + 6);
        for (name, record) in ["sel._domainkey", "_report._domainkey", "_adsp._domainkey"]
            .iter()
            .zip(records.iter().cycle())
        {
            zone.push_str(&format!("{name}.example.com. IN TXT \"{record}\"\n"));
        }
        zone
    };
    let good = zone(&[
        &format!("{key}; n={escaped}; {escaped}=a"),
        &format!("ra=dkim-errors; rs={escaped}; rr={escaped}; n={escaped}"),
        &format!("dkim={escaped}; ra={escaped}"),
    ]);
    let texts = [
        good.clone(),
        good.replace("ra=dkim-errors", "ra=dkim=1B=5D0=07=E2=80=AE").replace("; rs", ";rs"),
        zone(&[&format!("v={escaped}")]),
        zone(&[&format!("v=DKIM1; k={escaped}; p={escaped}")]),
        zone(&[&format!("v=DKIM1; h={escaped}; s={escaped}; t={escaped}; p=")]),
        zone(&[&format!("{key}; {escaped}")]),
        zone(&[&format!("dkim=all; {escaped}={escaped}; rs={escaped}")]),
        zone(&[&escaped]),
        format!("sel._domainkey.example.com. IN CNAME {escaped}.example.net.\n"),
        format!("sel._domainkey.example.com. IN CNAME {}\n", "x".repeat(70)),
        format!("{HARM} IN TXT a\n"),
        format!("a.example. IN {HARM} a\n"),
        format!("$TTL {HARM}\n"),
        format!("$INCLUDE {HARM}\n"),
        format!(";! {HARM} a.example.\n"),
        format!("a.example. IN TXT \"{HARM}\n"),
    ];
    let files = texts.iter().enumerate();
    let mut files: Vec<String> =
        files.map(|(number, text)| place.file(&format!("{number}.zone"), text)).collect();
    files.push(place.path("nowhere.zone"));
    files
}

#[test]
fn of_messages() {
    let place = Place::new();
    let keys = [data("example.zone"), data("practices.zone")].join("\n");
    let zone = place.file("keys.zone", keys);
    let at = ["--zone", &zone, "--at", "1700000100"];
    let received = format!("{DATA}/signed.eml");
    for message in &messages(&place) {
        for command in ["verify", "explain"] {
            check_both(&[&[command][..], &at, &[message]].concat());
        }
        check_both(
            &[&["verify", "--adsp", "--atps", "--allow-sha1"][..], &at, &[message]].concat(),
        );
        check_both(&["diff", message, &received]);
        check_both(&["diff", &received, message]);
        check_both(&["relay-check", message, &received]);
        check_both(&["relay-check", &received, message]);
        check_both(&["report", "show", message]);
        let sign = ["--domain", "example.com", "--selector", "sel", "--key", "keys/ed25519.pem"];
        check(&[&["sign", "--copies", "--field"][..], &sign, &[message]].concat(), false);
        check(&[&["sign", "--check", "--zone", &zone][..], &sign, &[message]].concat(), true);
        check(&["strip", "--authserv-id", "mx.example.org", message], true);
        check(&["mediate", "--domain", "example.org", "--zone", &zone, message], true);
        check(&["border", "--authserv-id", "mx.example.org", "--zone", &zone, message], true);
        check(&[&["report", "make"][..], &at, &[message]].concat(), true);
    }
}

#[test]
fn of_zones() {
    let place = Place::new();
    for zone in &zones(&place) {
        let at = ["--zone", zone, "--at", "1700000100"];
        for message in ["signed.eml", "body-changed.eml", "asks-for-reports.eml", "domainkeys.eml"]
        {
            check_both(&[&["verify", "--adsp", "--atps"][..], &at, &[message]].concat());
            check_both(&[&["explain"][..], &at, &[message]].concat());
            check(&[&["report", "make"][..], &at, &[message]].concat(), false);
        }
        let names = ["--domain", "example.com", "--selector", "sel", "--zone", zone];
        check_both(&[&["key", "test"][..], &names].concat());
        check_both(&[&["key", "test", "--key", "keys/ed25519.pem"][..], &names].concat());
        check_both(&[&["key", "check-domainkeys"][..], &names].concat());
        check_both(&["key", "test", "--keys", "keys", "--zone", zone]);
        check_both(&["audit", "--keys", "keys", "--zone", zone]);
        check_both(&["adsp", "lookup", "--zone", zone, "example.com"]);
        check_both(&["adsp", "check", "--zone", zone, "--from", "joe@example.com"]);
    }
}

#[test]
fn of_name_servers() {
    for record in [HARM.to_owned(), format!("v=DKIM1; n={HARM}; p="), format!("dkim={HARM}")] {
        let server = NameServer::start(&record, |_, _| true);
        let server = server.address.to_string();
        check_both(&["verify", "--adsp", "--dns", &server, "signed.eml"]);
        check_both(&["adsp", "lookup", "--dns", &server, "example.com"]);
        let alias = ["delegate", "--domain", "example.com", "--to", "b.example", "--selector", "s"];
        check_both(&[&alias[..], &["--check", "--dns", &server]].concat());
        for verb in ["publish", "withdraw"] {
            let at = ["--domain", "example.com", "--selector", "sel", "--server", &server];
            let key = ["--key", "keys/ed25519.pem", "--wait", "0"];
            check_both(&[&["key", verb][..], &at, &key].concat());
        }
        let key = ["--domain", "example.com", "--selector", "sel", "--dns", &server];
        check_both(&[&["key", "test"][..], &key].concat());
        check_both(&[&["key", "check-domainkeys"][..], &key].concat());
    }
}

#[test]
fn of_key_files() {
    let place = Place::new();
    let key = data("keys/ed25519.pem");
    let files = [
        key.clone(),
        format!("{HARM}\n{key}"),
        key.replace("PRIVATE KEY", &format!("{HARM} KEY")),
        key.replacen("\nM", &format!("\n{HARM}M"), 1),
        HARM.to_owned(),
    ];
    let mut files: Vec<String> = files
        .iter()
        .enumerate()
        .map(|(number, text)| place.file(&format!("{number}{HARM}.pem"), text))
        .collect();
    files.push(place.path("nowhere.pem"));
    let names = ["--domain", "example.com", "--selector", "sel"];
    for file in &files {
        check_both(&[&["key", "dns"][..], &names, &[file]].concat());
        for form in ["bind", "plain", "nsupdate", "route53", "cloudflare", "octodns", "terraform"] {
            check(&[&["key", "dns", "--format", form][..], &names, &[file]].concat(), false);
        }
        check_both(
            &[&["key", "test", "--zone", "example.zone", "--key", file][..], &names].concat(),
        );
        check(&[&["sign"][..], &names, &["--key", file, "plain.eml"]].concat(), false);
        check_both(&[&["key", "new", "--type", "ed25519"][..], &names, &["--out", file]].concat());
    }
    let directory = place.path("");
    check_both(&["audit", "--keys", &directory]);
    check_both(&["audit", "--keys", &directory, "--records", "--zone", "example.zone"]);
    check_both(&["key", "test", "--keys", &directory, "--zone", "example.zone"]);
    check_both(
        &[&["key", "new", "--type", "ed25519"][..], &names, &["--dir", &directory]].concat(),
    );
}

#[test]
fn of_configurations() {
    let place = Place::new();
    let quoted = HARM.replace('\u{1b}', "\\u001b").replace('\u{7}', "\\u0007");
    let quoted = quoted.replace('\u{8}', "\\b").replace('\u{7f}', "\\u007f");
    let good = data("config/config.toml");
    let files = [
        HARM.to_owned(),
        format!("match = \"{HARM}\"\n{good}"),
        format!("match = \"{quoted}\"\n[keys.a]\n"),
        format!("\"{quoted}\" = 1\n"),
        format!("[keys.\"{quoted}\"]\ndomain = \"example.com\"\nselector = \"s\"\nfile = \"x\"\n"),
        format!("[keys.a]\ndomain = \"{quoted}\"\nselector = \"s\"\nfile = \"x\"\n"),
        format!("[keys.a]\ndomain = \"example.com\"\nselector = \"{quoted}\"\nfile = \"x\"\n"),
        format!(
            "[keys.a]\ndomain = \"example.com\"\nselector = \"s\"\nfile = \"{quoted}\"\n\
             [[rules]]\nfrom = [\"{quoted}@example.com\"]\nkeys = [\"a\"]\n\
             [[rules]]\nfrom = [\"*\"]\nkeys = [\"a\"]\nidentity = \"{quoted}@example.com\"\n"
        ),
        format!(
            "[keys.a]\ndomain = \"example.com\"\nselector = \"s\"\nfile = \"x\"\n\
             [[rules]]\nfrom = [\"*\"]\nkeys = [\"{quoted}\"]\n"
        ),
        format!("[[rules]]\nclients = [\"{quoted}\"]\n"),
        format!("[signing]\noversign = [\"{quoted}\"]\ncanonicalization = \"{quoted}\"\n"),
    ];
    for (number, text) in files.iter().enumerate() {
        let file = place.file(&format!("{number}.toml"), text);
        for from in ["joe@example.com", &format!("{HARM} <\"{HARM}\"@{HARM_IN_TEXT}.example>")] {
            check_both(&["config", "which", "--config", &file, "--from", from]);
        }
        check_both(&["config", "check", "--config", &file]);
        check_both(&["audit", "--keys", "keys", "--config", &file]);
        check(&["sign", "--config", &file, "plain.eml"], false);
        // It ends at once: there is no such place.
        let socket = place.path(&format!("{HARM}/socket"));
        check(&["agent", "--config", &file, "--socket", &socket], false);
        for verb in ["status", "plan", "step", "run"] {
            check_both(&["rotate", verb, "--config", &file]);
        }
        check_both(&["rotate", "abort", "--config", &file, "--key", HARM]);
        check_both(&["key", "revoke", "--now", "--config", &file, "--key", HARM]);
    }
    // A plan that is good, with a state, a hook, and a key file that are not.
    let rotating = place.file(
        "rotating.toml",
        format!(
            "[rotation]\nhook = [\"{quoted}\"]\n[keys.a]\ndomain = \"example.com\"\nrotate = {{ \
             selector = \"k{{counter}}\" }}\n[[rules]]\nfrom = [\"*\"]\nkeys = [\"a\"]\n"
        ),
    );
    for state in
        [HARM.to_owned(), format!("\"{quoted}\" = 1\n"), format!("version = \"{quoted}\"\n")]
    {
        place.file("rotating.rotation.toml", state);
        for verb in ["status", "plan", "run"] {
            check_both(&["rotate", verb, "--config", &rotating]);
        }
        check(&["sign", "--config", &rotating, "plain.eml"], false);
    }
    let table = place.file("KeyTable", format!("{HARM} example.com:{HARM}:/{HARM}\n{HARM}\n"));
    let signing = place.file("SigningTable", format!("*@{HARM} {HARM}\n{HARM}\n* none{HARM}\n"));
    for text in [
        format!("KeyTable {table}\nSigningTable refile:{signing}\n"),
        format!("Domain {HARM}\nSelector {HARM}\nKeyFile /{HARM}\n"),
        format!("{HARM} {HARM}\nCanonicalization {HARM}\nMode {HARM}\n"),
        format!("KeyTable {HARM}:{HARM}\nSigningTable mysql:{HARM}\nInternalHosts {HARM}\n"),
    ] {
        let file = place.file("opendkim.conf", text);
        check(&["config", "import-opendkim", &file], false);
    }
}

#[test]
fn of_reports() {
    let place = Place::new();
    let report = data("report.eml");
    let places = report.match_indices(": ").map(|(at, _)| at + 2);
    let harmful = places.map(|at| format!("{}{HARM}{}", &report[..at], &report[at..]));
    let body = "G10wO293bmVkB5sySuKArg0K";
    let more = [
        report.replace("SGVsbG8uDQoNCkZyb20gaGVyZSBvbiB3ZSBhcmUgaHVuZ3J5Lg0KD", body),
        report.replace("=_dkim", &format!("{HARM}=_dkim")),
        report.replace("This is", HARM),
        report.replace("Feedback-Type", HARM),
    ];
    for (number, text) in harmful.chain(more).enumerate() {
        check_both(&["report", "show", &place.file(&format!("{number}.eml"), text)]);
    }
}

/// Who passes arguments on from elsewhere does not look at them.
#[test]
fn of_arguments() {
    let sign = ["sign", "--domain", "example.com", "--selector", "s", "--key", "keys/ed25519.pem"];
    for harm in [HARM, HARM_IN_TEXT] {
        for args in [
            &[harm][..],
            &["verify", "--policy", harm, "signed.eml"],
            &["verify", harm],
            &["verify", &format!("--{harm}")],
            &["verify", "--dns", harm],
            &["verify", "--at", harm],
            &["verify", "--zone", "example.zone", "--authserv-id", harm, "signed.eml"],
            &[&sign[..], &["--canon", harm, "plain.eml"]].concat(),
            &[&sign[..], &["--headers", harm, "plain.eml"]].concat(),
            &[&sign[..], &["--identity", harm, "plain.eml"]].concat(),
            &[&sign[..], &["--domain", harm, "plain.eml"]].concat(),
            &[&sign[..], &["--atps", harm, "plain.eml"]].concat(),
            &["sign", "--domain", harm, "--selector", harm, "--key", harm, harm],
            &["key", "dns", "--domain", harm, "--selector", "s", "keys/ed25519.pem"],
            &["key", "dns", "--domain", "a.example", "--selector", harm, "keys/ed25519.pem"],
            &[
                "key",
                "dns",
                "--domain",
                "a.example",
                "--selector",
                "s",
                "--note",
                harm,
                "--hash",
                harm,
                "keys/ed25519.pem",
            ],
            &[
                "key",
                "dns",
                "--domain",
                "a.example",
                "--selector",
                "s",
                "--note",
                harm,
                "keys/ed25519.pem",
            ],
            &["key", "new", "--owner", harm, "--domain", "a.example", "--selector", "s"],
            &["key", "test", "--domain", harm, "--selector", harm, "--zone", "example.zone"],
            &["key", "check-domainkeys", harm],
            &["key", "check-domainkeys", &format!("g={harm}; k={harm}; p={harm}")],
            &["adsp", "lookup", harm],
            &["adsp", "check", "--zone", "example.zone", "--from", harm],
            &["adsp", "check", "--from", "a@b.example", "--valid-signature", harm],
            &["adsp", "publish", "--practices", harm, harm],
            &["adsp", "publish", "--practices", "all", harm],
            &["atps", "zone", "--author-domain", harm, harm],
            &["atps", "zone", "--author-domain", "a.example", "--hash", harm, "b.example"],
            &["config", "which", "--config", harm, "--from", harm],
            &["config", "import-opendkim", harm],
            &["audit", "--keys", harm, "--owner", harm],
            &["report", "make", "--from", harm, "--redact", harm, "signed.eml"],
            &["report", "show", harm],
            &["report", "publish", "--domain", harm, "--address", harm],
            &[
                "report",
                "publish",
                "--domain",
                "a.example",
                "--address",
                harm,
                "--smtp-reply",
                harm,
            ],
            &["report", "publish", "--domain", "a.example", "--address", "a", "--smtp-reply", harm],
            &["agent", "--list", "--socket", harm],
            &["agent", "--config", harm, "--socket", harm, "--allow-user", harm],
            &["sign", "--agent", harm, "--config", "config/agent.toml", "plain.eml"],
            &["rotate", "status", "--config", harm],
            &["rotate", "abort", "--config", "config/rotating/config.toml", "--key", harm],
            &["key", "revoke", "--now", "--config", "config/rotating/config.toml", "--key", harm],
            &["delegate", "--domain", harm, "--to", harm, "--selector", harm],
            &["delegate", "--domain", "a.example", "--to", "b.example", "--selector", harm],
            &[
                "key",
                "publish",
                "--domain",
                "a.example",
                "--selector",
                "s",
                "--key",
                harm,
                "--server",
                harm,
            ],
            &[
                "key",
                "publish",
                "--domain",
                harm,
                "--selector",
                harm,
                "--server",
                "127.0.0.1:1",
                "--key",
                "keys/ed25519.pem",
                "--tsig",
                harm,
                "--zone-name",
                harm,
                "--note",
                harm,
            ],
            &[
                "key",
                "withdraw",
                "--domain",
                harm,
                "--selector",
                harm,
                "--server",
                harm,
                "--tsig",
                harm,
            ],
            &["relay-check", harm, harm],
            &["diff", harm, harm],
            &["explain", harm],
            &["mediate", "--domain", harm, harm],
            &["border", "--authserv-id", "mx.example.org", harm],
            &["completions", harm],
            &["man", harm],
        ] {
            check(args, false);
        }
        check(&["strip", "--authserv-id", harm, "signed.eml"], true);
    }
}

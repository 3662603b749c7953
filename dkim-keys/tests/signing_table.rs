//! Which key signs for whom.
#![allow(clippy::unwrap_used)]

mod mail;

use std::collections::BTreeSet;

use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{PrivateKey, SigningAlgorithm};
use dkim_dns::{BlockingResolver, Inquirer, Zone, drive_blocking};
use dkim_keys::{Compliance, Config, Finding, Mail, check_config, save_new};
use dkim_message::Address;
use dkim_sign::{BodyLength, Expiration, Fields};
use mail::mail;

const CONFIG: &str = r#"
[signing]
canonicalization = "relaxed/simple"
oversign = ["From", "Subject"]

[keys.main]
domain = "example.com"
selector = "s1"
file = "s1.pem"

[keys.ed]
domain = "example.com"
selector = "e1"
file = "/etc/dkim/e1.pem"

[keys.any]
domain = "%"
selector = "hosted"
file = "keys/%.pem"

[[rules]]
from = ["boss@example.com"]
keys = ["main", "ed"]
identity = "boss@%"

[[rules]]
from = ["*@example.com", "*@*.example.com"]
keys = ["main"]
clients = ["192.0.2.0/24", "2001:db8::/32"]
authenticated = true

[[rules]]
from = ["*@*.example.org"]
keys = ["any"]
identity = "@elsewhere.example"

[[rules]]
from = ["noreply@*"]
keys = []
"#;

fn config() -> Config {
    Config::parse(CONFIG).unwrap()
}

/// Findings as `code subject`, but for those about rules that name no clients, as most do here.
fn told_of(findings: &[Finding]) -> Vec<String> {
    let others = findings.iter().filter(|finding| finding.code != "any-client");
    others.map(|finding| format!("{} {}", finding.code, finding.subject)).collect()
}

/// Each signature as `rule key selector domain file identity`, each rule passed over with why.
fn selection(config: &Config, mail: &Mail) -> (Vec<String>, Vec<String>) {
    let selection = config.select(mail);
    let chosen = selection.chosen.iter().map(|chosen| {
        let identity = chosen.identity.as_ref().map_or("-".to_owned(), ToString::to_string);
        let (rule, key, file) = (chosen.rule, &chosen.key, chosen.file.display());
        format!("{rule} {key} {} {} {file} {identity}", chosen.selector.as_str(), chosen.domain)
    });
    let passed = selection.passed_over.iter().map(|over| format!("{} {}", over.rule, over.why));
    (chosen.collect(), passed.collect())
}

#[test]
fn several_rules_sign_several_times_and_each_key_once() {
    let (chosen, passed) = selection(&config(), &mail("Boss@Example.COM", "192.0.2.7"));
    assert_eq!(
        chosen,
        [
            "1 main s1 example.com s1.pem boss@example.com",
            "1 ed e1 example.com /etc/dkim/e1.pem boss@example.com"
        ]
    );
    assert_eq!(
        passed,
        [
            "2 it fits, and a rule before it names the key main already",
            "3 the author is none of its authors",
            "4 the author is none of its authors"
        ]
    );
}

#[test]
fn clients_are_networks_or_people_who_have_shown_who_they_are() {
    let config = config();
    let why = |mail: &Mail| selection(&config, mail).1.first().cloned().unwrap_or_default();
    let signs = |mail: &Mail| !config.select(mail).chosen.is_empty();
    for good in ["192.0.2.255", "2001:db8::1", "::ffff:192.0.2.1"] {
        assert!(signs(&mail("joe@a.example.com", good)), "{good}");
    }
    let stranger = mail("joe@example.com", "198.51.100.1");
    assert!(!signs(&stranger));
    let unknown = mail("joe@example.com", "");
    assert!(!signs(&unknown));
    let passed = |mail: &Mail| selection(&config, mail).1[1].clone();
    assert_eq!(passed(&stranger), "2 the client is in none of its networks");
    assert_eq!(passed(&unknown), "2 it is for some clients, and the client is not known");
    let mut known = stranger;
    known.authenticated = true;
    assert!(signs(&known), "{}", why(&known));
}

/// In IPv6 the networks of IPv4 stand as they do for clients.
#[test]
fn a_network_of_ipv4_within_ipv6_is_one_of_ipv4() {
    let with = |clients: &str| CONFIG.replace("\"192.0.2.0/24\", \"2001:db8::/32\"", clients);
    let config = Config::parse(&with("'::ffff:192.0.2.0/120', '::ffff:0:0/95'")).unwrap();
    for (client, is_named) in [
        ("192.0.2.255", true),
        ("::ffff:192.0.2.7", true),
        ("192.0.3.1", false),
        ("::fffe:0:1", true),
        ("::fffd:0:1", false),
    ] {
        let chosen = config.select(&mail("joe@example.com", client)).chosen;
        assert_eq!(!chosen.is_empty(), is_named, "{client}");
    }
    let all = Config::parse(&with("'::ffff:0:0/96'")).unwrap();
    assert!(!all.select(&mail("joe@example.com", "203.0.113.9")).chosen.is_empty());
}

/// An address is a network of itself alone.
#[test]
fn a_client_may_be_a_single_address() {
    let with = |clients: &str| CONFIG.replace("\"192.0.2.0/24\", \"2001:db8::/32\"", clients);
    let config = Config::parse(&with("'192.0.2.1', '2001:db8::1', '::ffff:192.0.2.9'")).unwrap();
    let signs = |client| !config.select(&mail("joe@example.com", client)).chosen.is_empty();
    for (client, is_named) in [
        ("192.0.2.1", true),
        ("192.0.2.2", false),
        ("2001:db8::1", true),
        ("2001:db8::2", false),
        ("192.0.2.9", true),
    ] {
        assert_eq!(signs(client), is_named, "{client}");
    }
    assert_eq!(Config::parse(&config.to_toml().unwrap()), Ok(config));
    for wrong in ["192.0.2.1/33", "192.0.2", "mail.example.com", "", "192.0.2.1 "] {
        let error = Config::parse(&with(&format!("'{wrong}'"))).unwrap_err().to_string();
        let told = format!("\"{wrong}\" is neither a network nor an address");
        assert!(error.starts_with("line ") && error.contains(&told), "{error}");
    }
}

#[test]
fn a_domain_may_stand_for_the_authors() {
    let (chosen, _) = selection(&config(), &mail("joe@shop.example.org", ""));
    // An identity of another domain is left out.
    assert_eq!(chosen, ["3 any hosted shop.example.org keys/shop.example.org.pem -"]);
    let (chosen, passed) = selection(&config(), &mail("joe@bad..example.org", ""));
    assert_eq!(chosen, [""; 0]);
    assert!(passed[2].starts_with("3 it fits, and the key any cannot sign for this author:"));
    let (chosen, passed) = selection(&config(), &mail("noreply@example.net", ""));
    assert_eq!((chosen.len(), &*passed[3]), (0, "4 it fits, and says not to sign"));
}

/// A quoted local part looks like a domain, and is none.
#[test]
fn an_at_in_a_local_part_is_no_part_of_the_domain() {
    for (from, author, signs) in [
        ("*@mail*.example.com", "\"joe@mail\"@a.example.com", false),
        ("*@mail*.example.com", "\"joe@mail\"@mail.example.com", true),
        ("*@example.*", "\"a@example.\"@evil.example", false),
        ("boss@*", "\"boss@x\"@example.com", false),
        ("boss@*", "boss@example.com", true),
        ("\"*@x\"@example.com", "\"\\\"a@x\\\"\"@example.com", true),
        ("*", "\"joe@mail\"@a.example.com", true),
    ] {
        let text = format!("{A}[[rules]]\nfrom = ['{from}']\nkeys = ['a']\n");
        let author = Address::parse(author).unwrap();
        let chosen = Config::parse(&text).unwrap().select(&Mail::from(&author)).chosen;
        assert_eq!(!chosen.is_empty(), signs, "{from} {author}");
    }
}

#[test]
fn a_rule_without_keys_leaves_mail_unsigned() {
    let text = format!(
        "{A}[[rules]]\nfrom = ['*@example.com']\nkeys = ['a']\n\
         [[rules]]\nfrom = ['ceo@example.com']\nkeys = []\n"
    );
    let signs = |text: &str, author| {
        let (chosen, passed) = selection(&Config::parse(text).unwrap(), &mail(author, ""));
        (!chosen.is_empty(), passed)
    };
    assert!(signs(&text, "joe@example.com").0);
    let (is_signed, passed) = signs(&text, "ceo@example.com");
    assert_eq!(
        (is_signed, &*passed[0], &*passed[1]),
        (false, "1 it fits, and rule 2 says not to sign", "2 it fits, and says not to sign")
    );
    // Unless the one before it decides.
    assert!(signs(&format!("match = 'first'\n{text}"), "ceo@example.com").0);
}

/// A domain vouches for all of its authors that a reader may be shown.
#[test]
fn nothing_signs_in_the_name_of_an_author_for_whom_nothing_signs() {
    let config = Config::parse(
        "[keys.a]\ndomain = 'example.com'\nselector = 's'\nfile = 'a.pem'\n\
         [keys.sub]\ndomain = 'sub.example.com'\nselector = 's'\nfile = 'a.pem'\n\
         [keys.esp]\ndomain = 'esp.example'\nselector = 's'\nfile = 'a.pem'\n\
         [[rules]]\nfrom = ['joe@example.com', 'ann@example.com']\nkeys = ['a', 'esp']\n\
         [[rules]]\nfrom = ['ceo@example.com']\nkeys = ['a']\nclients = ['10.0.0.1']\n\
         [[rules]]\nfrom = ['boss@example.com']\nkeys = ['esp']\n\
         [keys.b]\ndomain = 'b\u{fc}cher.example'\nselector = 's'\nfile = 'a.pem'\n\
         [[rules]]\nfrom = ['joe@xn--bcher-kva.example']\nkeys = ['b']\n\
         [[rules]]\nfrom = ['*@sub.example.com']\nkeys = ['sub']\n",
    )
    .unwrap();
    let signed = |from: &[&str], client| {
        let mails: Vec<_> = from.iter().map(|author| mail(author, client)).collect();
        let decision = config.select_all(&mails).unwrap();
        assert_eq!(decision.authors.len(), mails.len());
        let names = decision.signatures.iter().map(|chosen| chosen.domain.to_string());
        (names.collect::<Vec<_>>().join(" "), decision.authors)
    };
    let any = "192.0.2.9";
    assert_eq!(signed(&["joe@example.com"], any).0, "example.com esp.example");
    assert_eq!(signed(&["joe@example.com", "ann@example.com"], any).0, "example.com esp.example");
    assert_eq!(
        signed(&["ceo@example.com", "joe@example.com"], "10.0.0.1").0,
        "example.com esp.example"
    );
    let (names, authors) = signed(&["ceo@example.com", "joe@example.com"], any);
    assert_eq!(names, "esp.example");
    assert_eq!(
        authors[1].passed_over[0].why.to_string(),
        "it fits, and the key a would sign in the name of the author in example.com, too, for whom nothing does"
    );
    // What is below is vouched for as well, unless it has its own; others elsewhere are not.
    assert_eq!(signed(&["joe@example.com", "ann@b.example.com"], any).0, "esp.example");
    assert_eq!(
        signed(&["joe@example.com", "ann@sub.example.com"], any).0,
        "example.com esp.example sub.example.com"
    );
    assert_eq!(signed(&["joe@example.com", "ann@example.org"], any).0, "example.com esp.example");
    assert_eq!(signed(&["joe@example.com", "ann@esp.example"], any).0, "example.com");
    assert_eq!(signed(&["joe@example.com", "root@web_01.example.com"], any).0, "esp.example");
    assert_eq!(signed(&["joe@example.com", "root@web!01.Example.com"], any).0, "esp.example");
    assert_eq!(
        signed(&["joe@example.com", "ann@notexample.com"], any).0,
        "example.com esp.example"
    );
    let bucher = ["joe@b\u{fc}cher.example", "root@web_01.b\u{fc}cher.example"];
    assert_eq!(signed(&bucher[..1], any).0, "xn--bcher-kva.example");
    assert_eq!(signed(&bucher, any).0, "");
    // A key of somebody else is none in their name.
    assert_eq!(signed(&["boss@example.com"], any).0, "esp.example");
    assert_eq!(signed(&["boss@example.com", "joe@example.com"], any).0, "esp.example");
    assert_eq!(signed(&[], any).0, "");
    let many = vec![mail("joe@example.com", any); Config::MAX_AUTHORS + 1];
    assert_eq!(config.select_all(&many[1..]).unwrap().signatures.len(), 2);
    assert_eq!(config.select_all(&many).unwrap_err().to_string(), "more than 20 authors");
}

/// One key that cannot sign leaves the others theirs.
#[test]
fn a_name_that_cannot_sign_takes_no_other_with_it() {
    let long = ["a".repeat(60), "b".repeat(60), "c".repeat(60), "d".repeat(60)].join(".");
    let text = "[keys.own]\ndomain = '%'\nselector = 'sel'\nfile = 'a.pem'\n\
                [keys.esp]\ndomain = 'esp.example'\nselector = 's'\nfile = 'a.pem'\n\
                [[rules]]\nfrom = ['*']\nkeys = ['own', 'esp']\n";
    let config = Config::parse(text).unwrap();
    for (author, why) in [
        (
            "root@web_01.example.com",
            "a label is not made of letters, digits and inner hyphens".to_owned(),
        ),
        ("root@localhost", "localhost is a top-level domain".to_owned()),
        (
            &*format!("joe@{long}"),
            format!("sel._domainkey.{long}: longer than the 253 octets of a name in the DNS"),
        ),
    ] {
        let (chosen, passed) = selection(&config, &mail(author, ""));
        assert_eq!(chosen, ["1 esp s esp.example a.pem -"]);
        let expected = format!("1 it fits, and the key own cannot sign for this author: {why}");
        assert_eq!(passed, [expected]);
    }
}

#[test]
fn the_first_rule_decides_if_that_is_said() {
    let config = Config::parse(&format!("match = \"first\"\n{CONFIG}")).unwrap();
    let (chosen, passed) = selection(&config, &mail("boss@example.com", "192.0.2.1"));
    assert_eq!((chosen.len(), &*passed[0]), (2, "2 a rule before it fits, and the first decides"));
}

#[test]
fn what_is_written_reads_back() {
    let config = config();
    assert_eq!(Config::parse(&config.to_toml().unwrap()), Ok(config));
    assert_eq!(Config::parse(""), Ok(Config::default()));
}

/// What the configuration says of signing is in the request for a signature that it chooses.
#[test]
fn a_request_is_as_the_configuration_says() {
    let signing = "[signing]\nexpires = 60\nbody-length = true\n";
    let config = Config::parse(&CONFIG.replacen("[signing]\n", signing, 1)).unwrap();
    let chosen = &config.select(&Mail::new("boss", "example.com")).chosen[0];
    let request = config.request(chosen, SigningAlgorithm::RSA_SHA256);
    assert_eq!(request.sdid, chosen.domain);
    assert_eq!(request.selector, chosen.selector);
    assert_eq!(request.auid, chosen.identity);
    assert!(chosen.identity.is_some());
    assert_eq!(request.canonicalization.to_string(), "relaxed/simple");
    assert_eq!(request.expiration, Expiration::After(60));
    assert_eq!(request.body_length, BodyLength::AsSigned);
    let Fields::Chosen { signed, oversigned } = request.fields else { panic!("no choice") };
    assert_eq!(oversigned, config.signing.oversign.unwrap());
    assert!(signed.iter().any(|name| name.is("To")) && signed.iter().any(|name| name.is("Sender")));
}

/// Rules are written in A-labels, and authors as they like.
#[test]
fn authors_with_u_labels_are_authors() {
    let text = CONFIG.replace("boss@example.com", "*@xn--bcher-kva.example");
    let config = Config::parse(&text).unwrap();
    let author = Address::parse("joe@B\u{fc}cher.example").unwrap();
    assert_eq!(config.select(&Mail::from(&author)).chosen[0].rule, 1);
}

#[test]
fn mistakes_are_told_with_their_place() {
    let told = |from: &str, to: &str| {
        let text = CONFIG.replacen(from, to, 1);
        assert_ne!(text, CONFIG, "{from}");
        Config::parse(&text).unwrap_err().to_string()
    };
    assert!(told("[signing]", "[singing]").starts_with("line 2: unknown field `singing`"));
    assert!(told("keys = [\"main\"]", "kees = [\"main\"]").contains("line"));
    assert_eq!(told("keys = [\"main\"]", "keys = [\"man\"]"), "rule 2: there is no key \"man\"");
    assert_eq!(told("from = [\"noreply@*\"]", "from = []"), "rule 4: from= names nobody");
    assert!(told("\"s1\"", "\"s 1\"").starts_with("line 8: \"s 1\": a label "));
    assert!(told("domain = \"example.com\"", "domain = \"example..com\"").starts_with("line 7: "));
    assert!(told("\"boss@%\"", "\"boss\"").starts_with("rule 1: identity: "));
    assert!(told("relaxed/simple", "relaxed/none").starts_with("line 3: \"relaxed/none\": not "));
    assert!(told("\"Subject\"", "\"Sub ject\"").starts_with("line 4: \"Sub ject\": not "));
    assert!(told("[signing]", "[signing]\nexpires = 0").starts_with("signing: expires is at"));
    assert!(told("192.0.2.0/24", "192.0.2.0/42").contains("line"));
    // What could sign nothing.
    assert_eq!(
        told("*@*.example.org", "*@*.b\u{fc}cher.example"),
        "rule 3: from: \"*@*.b\u{fc}cher.example\": write its domain in A-labels (xn--...), as mail is compared"
    );
    assert!(
        told("\"Subject\"", "\"dkim-signature\"").starts_with("signing: oversign: a signature")
    );
    let many = told("[signing]", "[signing]\nexpires = 100000000000");
    assert_eq!(many, "signing: expires has at most eleven digits");
    let most = CONFIG.replacen("[signing]", "[signing]\nexpires = 99999999999", 1);
    assert!(Config::parse(&most).is_ok());
    assert_eq!(
        told("domain = \"example.com\"", "domain = \"example\""),
        "keys.main: domain: a top-level domain, whose signatures are refused"
    );
}

#[test]
fn what_cannot_be_done_or_should_not_be_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let key = PrivateKey::from_ed25519_seed(&[7; 32]);
    save_new(&at("good.pem"), &key, None).unwrap();
    std::fs::write(at("bad.pem"), "no key\n").unwrap();
    let found = |text: &str| -> Vec<String> {
        let config = Config::parse(text).unwrap();
        let findings = check_config(&config, directory.path(), &PROVIDER);
        told_of(&findings)
    };
    let key = |name: &str, file: &str| {
        format!(
            "[keys.{name}]\ndomain = \"example.com\"\nselector = \"{name}\"\nfile = \"{file}\"\n"
        )
    };
    let rule =
        |from: &str, key: &str| format!("[[rules]]\nfrom = [\"{from}\"]\nkeys = [\"{key}\"]\n");
    let good = [key("a", "good.pem"), rule("*@example.com", "a")].concat();
    assert_eq!(found(&good), [""; 0]);
    assert_eq!(found(""), ["no-rules rules"]);
    let dangling = [
        good.clone(),
        key("b", "none.pem"),
        key("c", "bad.pem"),
        rule("x@example.com", "b"),
        rule("y@example.com", "c"),
    ];
    assert_eq!(
        found(&dangling.concat()),
        ["dangling-key keys.b (none.pem)", "dangling-key keys.c (bad.pem)"]
    );
    assert_eq!(found(&[good.clone(), key("d", "good.pem")].concat()), ["unused-key keys.d"]);
    assert_eq!(
        found(&[key("a", "good.pem"), rule("*@example.org", "a")].concat()),
        ["not-aligned rule 1"]
    );
    assert_eq!(found(&[key("a", "good.pem"), rule("*@*.example.com", "a")].concat()), [""; 0]);
    let signing = "[signing]\nbody-length = true\noversign = [\"To\"]\n";
    assert_eq!(
        found(&[signing, &good].concat()),
        ["body-length signing", "from-not-oversigned signing"]
    );
}

/// A directory with keys, and the codes and subjects of what is found in a configuration there.
struct Desk {
    directory: tempfile::TempDir,
}

impl Desk {
    /// With these files, each with a key of its own number.
    fn new(files: &[(&str, u8)]) -> Self {
        let desk = Self { directory: tempfile::tempdir().unwrap() };
        for (file, seed) in files {
            let path = desk.directory.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            save_new(&path, &PrivateKey::from_ed25519_seed(&[*seed; 32]), None).unwrap();
        }
        desk
    }

    fn found(&self, text: &str) -> Vec<String> {
        let findings =
            check_config(&Config::parse(text).unwrap(), self.directory.path(), &PROVIDER);
        told_of(&findings)
    }
}

const A: &str = "[keys.a]\ndomain = 'example.com'\nselector = 's'\nfile = 'a.pem'\n";

/// Two rules of this author and key each, and what else they say.
fn two_rules(first: &str, second: &str) -> String {
    let rule = |more: &str| match more.contains("from") {
        true => format!("[[rules]]\nkeys = ['a']\n{more}\n"),
        false => format!("[[rules]]\nkeys = ['a']\nfrom = ['*@example.com']\n{more}\n"),
    };
    [rule(first), rule(second)].concat()
}

#[test]
fn a_rule_that_decides_nothing_is_found() {
    let desk = Desk::new(&[("a.pem", 1)]);
    let net = "clients = ['192.0.2.0/24', '2001:db8::/32']";
    for (first, second, is_idle) in [
        ("", "", true),
        ("", net, true),
        (net, net, true),
        (net, "clients = ['192.0.2.7']", true),
        (net, "clients = ['192.0.2.7', '198.51.100.1']", false),
        (net, "", false),
        (net, "clients = ['192.0.2.7']\nauthenticated = true", false),
        ("authenticated = true", "", false),
        ("authenticated = true", "authenticated = true", true),
        ("authenticated = true", "clients = ['192.0.2.7']", false),
        ("from = ['*@*example.com']", "from = ['*@A.EXAMPLE.com', 'joe@*.example.com']", true),
        ("from = ['*@*.example.com']", "from = ['joe@a.example.com', '*@example.com']", false),
        ("from = ['joe@*.example.com']", "from = ['*@a.example.com']", false),
    ] {
        let rules = two_rules(first, second);
        let every = desk.found(&[A, &rules].concat());
        let first_decides = desk.found(&["match = 'first'\n", A, &rules].concat());
        let expected = |code: &str| is_idle.then(|| format!("{code} rule 2"));
        assert_eq!(every, Vec::from_iter(expected("rule-without-effect")), "{rules}");
        assert_eq!(first_decides, Vec::from_iter(expected("rule-never-reached")), "{rules}");
    }
    // With another key it signs, too, unless the first decides.
    let b = A.replace("keys.a", "keys.b").replace("'s'", "'s2'");
    let rules = two_rules("", "").replacen("['a']", "['a', 'b']", 1);
    assert_eq!(desk.found(&[A, &b, &rules].concat()), ["rule-without-effect rule 2"]);
    let (first, second) = rules.rsplit_once("[[rules]]").unwrap();
    assert_eq!(desk.found(&[A, &b, "[[rules]]", second, first].concat()), [""; 0]);
}

/// Whatever other rules say, it leaves mail unsigned.
#[test]
fn a_rule_whose_mail_another_leaves_unsigned_is_found() {
    let desk = Desk::new(&[("a.pem", 1)]);
    let found = |first: &str, second: &str| {
        let rules = [first, second].map(|rule| format!("[[rules]]\nfrom = {rule}\n")).concat();
        desk.found(&[A, &rules].concat())
    };
    let signed = "['*@example.com']\nkeys = ['a']";
    for unsigned in ["['*@*']\nkeys = []", "['*@example.com']\nkeys = []"] {
        assert_eq!(found(signed, unsigned), ["rule-unsigned rule 1"]);
        assert_eq!(found(unsigned, signed), ["rule-unsigned rule 2"]);
    }
    assert_eq!(found(signed, "['joe@example.com']\nkeys = []"), [""; 0]);
    assert_eq!(found(signed, "['*@*']\nkeys = []\nauthenticated = true"), [""; 0]);
}

#[test]
fn rules_for_any_client_are_found() {
    let desk = Desk::new(&[("a.pem", 1)]);
    let causes = |more: [&str; 3]| -> Vec<String> {
        let rule = |more: &str| format!("[[rules]]\nfrom = ['*@example.com']\n{more}\n");
        let text = [A, &more.map(rule).concat()].concat();
        let config = Config::parse(&text).unwrap();
        let findings = check_config(&config, desk.directory.path(), &PROVIDER);
        let any_client = findings.into_iter().filter(|finding| finding.code == "any-client");
        any_client.map(|finding| finding.cause).collect()
    };
    let (open, nobody) = ("keys = ['a']", "keys = []");
    let (net, known) =
        ("keys = ['a']\nclients = ['10.0.0.1']", "keys = ['a']\nauthenticated = true");
    assert_eq!(causes([net, known, nobody]), [""; 0]);
    let said = "for whoever writes such an author, from any client";
    assert_eq!(causes([net, open, nobody]), [format!("rule 2 signs {said}")]);
    assert_eq!(causes([open, net, open]), [format!("rule 1 and one more sign {said}")]);
    assert_eq!(causes([open, open, open]), [format!("rule 1 and 2 more sign {said}")]);
}

#[test]
fn two_keys_of_one_name_are_found() {
    let desk = Desk::new(&[("a.pem", 1), ("b.pem", 2), ("same.pem", 1), ("example.com", 3)]);
    let rule = "[[rules]]\nfrom = ['*@example.com']\nkeys = ['a', 'b']\n";
    let found = |domain: &str, file: &str| {
        let b = format!("[keys.b]\ndomain = '{domain}'\nselector = 's'\nfile = '{file}'\n");
        desk.found(&[A, &b, rule].concat())
    };
    assert_eq!(found("Example.COM", "b.pem"), ["name-shared keys.b"]);
    assert_eq!(found("example.com", "same.pem"), [""; 0]);
    assert_eq!(found("example.org", "b.pem"), [""; 0]);
    // By the domain of the author, which is the same.
    assert_eq!(found("%", "%"), ["name-shared keys.b"]);
    assert_eq!(found("%", "b.pem"), ["name-shared keys.b"]);
    // One name, and a key for each author.
    assert_eq!(found("example.com", "%"), ["several-keys keys.b"]);
}

/// The plan of one key ends the name that another one signs by.
#[test]
fn a_name_that_a_plan_ends_under_another_key_is_found() {
    let desk = Desk::new(&[("a.pem", 1), ("same.pem", 1)]);
    let rule = "[[rules]]\nfrom = ['*@example.com']\nkeys = ['a', 'b']\n";
    let found = |domain: &str, rule: &str| {
        let b = format!("[keys.b]\ndomain = '{domain}'\nselector = 'S'\nfile = 'same.pem'\n");
        desk.found(&[A, "rotate = {}\n", &b, rule].concat())
    };
    assert_eq!(found("Example.COM", rule), ["name-retires keys.a"]);
    assert_eq!(found("example.org", rule), [""; 0]);
    // By the domain of the author, which is the same, or is not.
    assert_eq!(found("%", rule), ["name-retires keys.a"]);
    let others = rule.replace(", 'b'", "") + &rule.replace("'a', ", "").replace(".com", ".org");
    assert_eq!(found("%", &others), [""; 0]);
    // Nothing signs with it.
    assert_eq!(found("example.com", &rule.replace(", 'b'", "")), ["unused-key keys.b"]);
}

#[test]
fn keys_of_each_author_are_looked_for() {
    let desk = Desk::new(&[("keys/a.example/k.pem", 1), ("keys/b.example/k.pem", 2)]);
    std::fs::write(desk.directory.path().join("keys/b.example/k.pem"), "no key\n").unwrap();
    let found = |file: &str, from: &str| {
        let key = format!("[keys.k]\ndomain = '%'\nselector = 's'\nfile = '{file}'\n");
        desk.found(&format!("{key}[[rules]]\nfrom = [{from}]\nkeys = ['k']\n"))
    };
    let b = "dangling-key keys.k (keys/b.example/k.pem)";
    assert_eq!(found("keys/%/k.pem", "'*@a.example'"), [""; 0]);
    assert_eq!(found("keys/%/k.pem", "'*@a.example', '*@b.example'"), [b]);
    assert_eq!(found("keys/%/k.pem", "'*'"), [b]);
    let c = "dangling-key keys.k (keys/c.example/k.pem)";
    assert_eq!(found("keys/%/k.pem", "'*@c.example'"), [c]);
    assert_eq!(found("keys/%/k.pem", "'*@*.example.org'"), ["no-key-files keys.k"]);
    assert_eq!(found("none/%/k.pem", "'*'"), ["dangling-key keys.k (none)"]);
    assert_eq!(found("keys/a.example/k.pem", "'*'"), ["any-domain keys.k"]);
    assert_eq!(found("keys/%/%.pem", "'joe@-.example'"), ["no-such-domain keys.k"]);
}

#[test]
fn what_a_rotation_needs_is_looked_for() {
    use std::os::unix::fs::PermissionsExt;

    let desk = Desk::new(&[("a.pem", 1)]);
    let at = |name: &str| desk.directory.path().join(name).to_str().unwrap().to_owned();
    let found = |rotation: &str| {
        let rule = "[[rules]]\nfrom = ['*@example.com']\nkeys = ['a']\n";
        desk.found(&["[rotation]\n", rotation, "\n", A, rule].concat())
    };
    assert_eq!(found("tsig = 'none.key'"), ["dangling-tsig rotation.tsig (none.key)"]);
    std::fs::write(at("update.key"), "key \"k\" {};\n").unwrap();
    assert_eq!(found("tsig = 'update.key'"), [""; 0]);
    let hook = |program: &str| found(&format!("hook = ['{program}', 'reload']"));
    std::fs::write(at("hook"), "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(at("hook"), PermissionsExt::from_mode(0o644)).unwrap();
    for wrong in ["no-such-program-here", &at("none"), &at("hook"), &at(""), "./hook", "bin/hook"] {
        assert_eq!(hook(wrong), ["dangling-hook rotation.hook"], "{wrong}");
    }
    std::fs::set_permissions(at("hook"), PermissionsExt::from_mode(0o755)).unwrap();
    for right in ["sh", &at("hook")] {
        assert_eq!(hook(right), [""; 0], "{right}");
    }
}

/// What a domain publishes about its mail, and whether it is so.
#[test]
fn mail_keeps_to_what_its_domains_publish() {
    let key =
        |domain: &str| format!("[keys.k]\ndomain = \"{domain}\"\nselector = \"s\"\nfile = \"k\"\n");
    let rule = |from: &str| format!("[[rules]]\nfrom = [\"{from}\"]\nkeys = [\"k\"]\n");
    let codes = |domain: &str, from: &str, zone: &Zone| -> Vec<String> {
        let config = Config::parse(&[key(domain), rule(from)].concat()).unwrap();
        let mut compliance = Compliance::new(&config);
        drive_blocking(&mut compliance, zone);
        let findings = compliance.finish();
        told_of(&findings)
    };
    let at = |name: &str, text: &str| Zone::new().txt(name, text);
    let adsp = at("_adsp._domainkey.a.example.com", "dkim=all");
    assert_eq!(codes("a.example.com", "*@a.example.com", &adsp), [""; 0]);
    assert_eq!(codes("%", "*@a.example.com", &adsp), [""; 0]);
    // ADSP wants the very name.
    assert_eq!(codes("example.com", "*@a.example.com", &adsp), ["adsp-not-kept a.example.com"]);
    let unknown = at("_adsp._domainkey.a.example.com", "dkim=unknown");
    assert_eq!(codes("example.com", "*@a.example.com", &unknown), [""; 0]);
    // DMARC wants it only if it says so.
    let relaxed = at("_dmarc.a.example.com", "v=DMARC1; p=reject");
    assert_eq!(codes("example.com", "joe@a.example.com", &relaxed), [""; 0]);
    assert_eq!(
        codes("esp.example", "*@a.example.com", &relaxed),
        ["dmarc-not-aligned a.example.com"]
    );
    let strict = at("_dmarc.a.example.com", "v=DMARC1; p=none; adkim=s");
    assert_eq!(
        codes("example.com", "*@a.example.com", &strict),
        ["dmarc-not-aligned a.example.com"]
    );
    assert_eq!(codes("a.example.com", "*@a.example.com", &strict), [""; 0]);
    // Of what is no record, or not answered, nothing follows.
    let other =
        at("_dmarc.a.example.com", "adkim=s; v=DMARC1").fails("_adsp._domainkey.a.example.com");
    assert_eq!(codes("esp.example", "*@a.example.com", &other), [""; 0]);
    // Whose mail is not signed is not asked for; nor are patterns.
    assert_eq!(codes("esp.example", "*@*.example.com", &adsp), [""; 0]);
}

/// People's mail that goes through lists has another SDID than what the shop's machines send.
#[test]
fn mail_for_lists_may_be_signed_by_another_domain() {
    let toml = |pattern: &str, domain: &str| {
        format!(
            "[[rules]]\nfrom = [\"{pattern}\"]\nkeys = [\"{domain}\"]\n\n[keys.\"{domain}\"]\n\
             domain = \"{domain}\"\nselector = \"s\"\nfile = \"{domain}.pem\"\n\n"
        )
    };
    let text = toml("orders@example.com", "example.com")
        + &toml("*@people.example.com", "people.example.com");
    let config = Config::parse(&text).unwrap();
    for (author, expected) in [
        ("orders@example.com", "1 example.com s example.com example.com.pem -"),
        (
            "joe@people.example.com",
            "2 people.example.com s people.example.com people.example.com.pem -",
        ),
    ] {
        assert_eq!(selection(&config, &mail(author, "")).0, [expected]);
    }
}

/// For each, ADSP and DMARC. Answers may come in any order, and twice.
#[test]
fn few_author_domains_are_asked_at_once_and_all_in_the_end() {
    let from: Vec<_> = (0..150).map(|number| format!("'*@a{number}.example'")).collect();
    let config = Config::parse(&format!(
        "[keys.k]\ndomain = 'b.example'\nselector = 's'\nfile = 'k'\n\
         [[rules]]\nfrom = [{}]\nkeys = ['k']\n",
        from.join(", ")
    ));
    let config = config.unwrap();
    let zone = Zone::new()
        .txt("_adsp._domainkey.a149.example", "dkim=all")
        .txt("_dmarc.a101.example", "v=DMARC1; p=none");
    for answered_at_once in [1, 7, 128] {
        let mut compliance = Compliance::new(&config);
        let (mut open, mut asked) = (Vec::new(), BTreeSet::new());
        loop {
            for question in compliance.queries() {
                assert!(asked.insert(question.name.clone()), "{question:?}");
                open.push(question);
            }
            assert!(open.len() <= 128, "{answered_at_once}");
            if open.is_empty() {
                break;
            }
            let answered = open.split_off(open.len().saturating_sub(answered_at_once));
            for question in answered.iter().rev() {
                for _ in 0..2 {
                    compliance.answer(question.id, zone.lookup(question));
                }
            }
        }
        assert_eq!(asked.len(), 2 * 150);
        let findings = compliance.finish();
        let subjects: Vec<_> = findings.iter().map(|finding| &*finding.subject).collect();
        assert_eq!(subjects, ["a101.example", "a149.example"]);
    }
}

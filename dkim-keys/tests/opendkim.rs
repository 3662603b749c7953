//! OpenDKIM's configuration, taken over: nothing signs for more people than it did.
#![allow(clippy::unwrap_used)]

mod mail;

use std::io;
use std::path::Path;

use dkim_crypto::PrivateKey;
use dkim_keys::{Config, ImportError, Mail, import_opendkim};
use mail::mail;

const KEY_TABLE: &str = "\
# name  domain:selector:file
one\texample.com:s1:/etc/one.private   # the first
two   example.org:s2:/etc/two.private
own   %:own:/etc/keys/%/own.private
";

/// Files of an OpenDKIM installation; `tables` is the SigningTable.
fn import(conf: &str, table: &str) -> Result<dkim_keys::Import, ImportError> {
    let files = |path: &Path| match path.to_str().unwrap() {
        "/etc/KeyTable" => Ok(KEY_TABLE.to_owned().into()),
        "/etc/SigningTable" => Ok(table.to_owned().into()),
        "/etc/hosts" => Ok("192.0.2.0/24\n[::1]\nmail.example.com\n".to_owned().into()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    import_opendkim(conf, &files)
}

fn keys_for(config: &Config, address: &str) -> Vec<String> {
    let mail = mail(address, "127.0.0.1");
    config.select(&mail).chosen.into_iter().map(|chosen| chosen.key).collect()
}

#[test]
fn a_refile_is_searched_from_its_first_line() {
    let conf = "KeyTable file:/etc/KeyTable\nSigningTable refile:/etc/SigningTable\n";
    let table = "*@example.com one\n*@*.example.com two:news@%\n* own\n";
    let config = import(conf, table).unwrap().config;
    assert_eq!(keys_for(&config, "joe@example.com"), ["one"]);
    assert_eq!(keys_for(&config, "joe@a.example.com"), ["two"]);
    assert_eq!(keys_for(&config, "joe@example.net"), ["own"]);
    let every = import(&format!("{conf}MultipleSignatures yes\n"), table).unwrap().config;
    assert_eq!(keys_for(&every, "joe@example.com"), ["one", "own"]);
    let chosen = &config.select(&mail("joe@shop.example", "127.0.0.1")).chosen[0];
    assert_eq!(chosen.file, Path::new("/etc/keys/shop.example/own.private"));
    assert_eq!(chosen.domain.as_str(), "shop.example");
}

/// The order of OpenDKIM 2.11, which has each `.domain` right behind `user@.domain`; that of its
/// manual has another.
fn looked_up<'t>(table: &[(&'t str, &'t str)], address: &str) -> Option<&'t str> {
    let get = |key: &str| {
        table.iter().find(|(other, _)| other.eq_ignore_ascii_case(key)).map(|(_, value)| *value)
    };
    let (user, host) = address.split_once('@').unwrap();
    let above = || host.match_indices('.').map(|(at, _)| &host[at..]);
    get(address)
        .or_else(|| get(host))
        .or_else(|| {
            above().find_map(|domain| get(&format!("{user}@{domain}")).or_else(|| get(domain)))
        })
        .or_else(|| get(&format!("{user}@*")))
        .or_else(|| get("*"))
}

#[test]
fn other_tables_are_looked_up_in_their_order() {
    let users = ["joe", "ann"];
    let hosts = ["example.com", "a.example.com", "b.a.example.com", "example.org", "com"];
    let mut keys: Vec<String> = vec!["*".to_owned()];
    for host in hosts {
        keys.extend([host.to_owned(), format!(".{host}")]);
        keys.extend(users.map(|user| format!("{user}@{host}")));
        keys.extend(users.map(|user| format!("{user}@.{host}")));
    }
    keys.extend(users.map(|user| format!("{user}@*")));
    let mut random = 7_u32;
    let mut next = |bound: usize| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        usize::try_from(random >> 16).unwrap() % bound
    };
    for _ in 0..300 {
        let mut chosen: Vec<&str> = Vec::new();
        for _ in 0..next(9) {
            let key = &*keys[next(keys.len())];
            if !chosen.contains(&key) {
                chosen.push(key);
            }
        }
        let names = ["one", "two", "own"];
        let table: Vec<(&str, &str)> = chosen.iter().map(|key| (*key, names[next(3)])).collect();
        let text: String = table.iter().map(|(key, value)| format!("{key} {value}\n")).collect();
        let csl: Vec<String> = table.iter().map(|(key, value)| format!("{key}={value}")).collect();
        for signing in
            ["/etc/SigningTable", "file:/etc/SigningTable", &format!("csl:{}", csl.join(","))]
        {
            let conf = format!("KeyTable /etc/KeyTable\nSigningTable {signing}\n");
            let config = import(&conf, &text).unwrap().config;
            for address in users.iter().flat_map(|user| hosts.map(|host| format!("{user}@{host}")))
            {
                let mut expected: Vec<&str> = looked_up(&table, &address).into_iter().collect();
                // A top-level domain, which its own key would sign for, has no signatures.
                expected.retain(|key| !(address.ends_with("@com") && *key == "own"));
                assert_eq!(keys_for(&config, &address), expected, "{address} in {table:?}");
            }
        }
    }
}

#[test]
fn one_key_for_a_list_of_domains() {
    let conf = "domain example.com, example.org\nSelector s\nKeyFile /etc/s.private\n\
                SubDomains yes\nCanonicalization relaxed\nOversignHeaders From, To\nSignatureTTL 3600\n\
                InternalHosts /etc/hosts\nUMask 002\nMode sv\n";
    let import = import(conf, "").unwrap();
    let chosen = |address: &str| {
        let mail = mail(address, "192.0.2.1");
        let chosen = import.config.select(&mail).chosen;
        chosen.iter().map(|chosen| chosen.domain.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(chosen("joe@a.example.org"), ["example.org"]);
    assert_eq!(chosen("joe@example.com"), ["example.com"]);
    assert_eq!(chosen("joe@example.net"), [""; 0]);
    let signing = &import.config.signing;
    assert_eq!(signing.canonicalization, "relaxed/simple".parse().ok());
    assert_eq!(signing.oversign, Some(["From", "To"].map(|name| name.parse().unwrap()).to_vec()));
    assert_eq!(signing.expires, Some(3600));
    // What is not taken over is said.
    assert_eq!(import.notes.len(), 2, "{:?}", import.notes);
    assert_eq!(import.notes[1], "UMask: not taken over");
    assert_eq!(Config::parse(&import.config.to_toml().unwrap()).unwrap(), import.config);
}

#[test]
fn tables_that_cannot_be_taken_over_are_told() {
    let told = |conf: &str, table: &str| import(conf, table).unwrap_err().to_string();
    let tables = "KeyTable /etc/KeyTable\nSigningTable /etc/SigningTable\n";
    assert_eq!(
        told(tables, "joe@example.com three\n"),
        "SigningTable: \"joe@example.com\": its key is not in the KeyTable"
    );
    assert!(told("Domain example.com\n", "").starts_with("it names no keys"));
    assert!(told("KeyTable /none\nSigningTable /etc/SigningTable\n", "").starts_with("/none: "));
    assert!(told("KeyTable ldap://x\nSigningTable /etc/SigningTable\n", "").contains("`ldap`"));
    let inline = "KeyTable csl:a=example.com:s:MIIEow\nSigningTable /etc/SigningTable\n";
    assert!(told(inline, "").contains("put it into a file"));
    let short = "KeyTable csl:a=example.com\nSigningTable /etc/SigningTable\n";
    assert!(told(short, "").contains("DOMAIN:SELECTOR:FILE"));
    let nobody = "KeyTable csl:k=example.com:s:/a\nSigningTable csl:joe@*=k, =k\n";
    assert_eq!(told(nobody, ""), "SigningTable: \"\": nothing stands before its `=`");
    let nameless = "KeyTable csl:=example.com:s:MIIEow\nSigningTable csl:joe@*=k\n";
    assert_eq!(told(nameless, ""), "KeyTable: \"\": nothing stands before its `=`");
    let commas = "KeyTable csl:,k=example.com:s:/a,\nSigningTable csl:joe@*=k,,ann@*=k,\n";
    assert_eq!(import(commas, "").unwrap().config.rules.len(), 2);
}

/// Nothing signs for more people than it did.
#[test]
fn what_cannot_be_taken_over_lets_nobody_in() {
    let tables = "KeyTable /etc/KeyTable\nSigningTable /etc/SigningTable\n";
    let told = |conf: &str| import(&format!("{tables}{conf}"), "example.com one\n");
    let told = |conf: &str| told(conf).map(|import| import.config);
    assert!(told("InternalHosts !10.0.0.5,10.0.0.0/8\n").is_err());
    // Hosts by name alone: only who has shown who they are is signed for.
    let config = told("InternalHosts mail.example.com\n").unwrap();
    let mut mail = mail("joe@example.com", "203.0.113.66");
    assert!(config.select(&mail).chosen.is_empty());
    mail.authenticated = true;
    assert_eq!(config.select(&mail).chosen.len(), 1);
    assert!(told("OversignHeaders csl:From,To\n").is_ok());
    assert!(told("SubDomains tru\n").is_ok());
}

/// The most usual mistake in such a table: there it signed for nobody, and so it does here.
#[test]
fn a_pattern_in_a_table_without_patterns_signs_for_nobody() {
    let keys = ["*@example.com", "j*e@example.com", "j*@*", "*.com", "joe@*ple.com", "**"];
    let conf = "KeyTable /etc/KeyTable\nSigningTable /etc/SigningTable\n";
    for key in keys {
        let import = import(conf, &format!("{key} one\nann@* two\n")).unwrap();
        assert_eq!(keys_for(&import.config, "joe@example.com"), [""; 0], "{key}");
        assert_eq!(keys_for(&import.config, "ann@example.com"), ["two"], "{key}");
        let note = format!("SigningTable: {key:?} fits nobody: ");
        assert!(import.notes.iter().any(|said| said.starts_with(&note)), "{:?}", import.notes);
    }
    let only = import(conf, "*@example.com one\n").unwrap();
    assert_eq!(only.config.rules, []);
}

#[test]
fn a_lifetime_that_is_no_number_is_told() {
    let conf = "Domain example.com\nSelector s\nKeyFile /k\nSignatureTTL 3d\n";
    let import = import(conf, "").unwrap();
    assert_eq!(import.config.signing.expires, None);
    assert_eq!(import.notes, ["SignatureTTL: \"3d\" is no number of seconds"]);
    let import = self::import(&conf.replace("3d", "0"), "").unwrap();
    assert_eq!((import.config.signing.expires, import.notes), (None, Vec::new()));
}

/// A value that is only `%` names the key that is called like the author's domain.
#[test]
fn a_key_may_be_named_by_the_author() {
    let conf = "KeyTable csl:example.com=example.com:s:/a,example.org=example.org:s:/b\n\
                SigningTable refile:/etc/SigningTable\n";
    let config = import(conf, "*@* %\n").unwrap().config;
    assert_eq!(keys_for(&config, "joe@example.com"), ["example.com"]);
    assert_eq!(keys_for(&config, "joe@example.org"), ["example.org"]);
    assert_eq!(keys_for(&config, "joe@example.net"), [""; 0]);
    // As a key it is nothing but itself.
    let config =
        import("KeyTable csl:k=example.com:s:/a\nSigningTable csl:%=k\n", "").unwrap().config;
    assert_eq!(keys_for(&config, "joe@example.com"), [""; 0]);
}

/// Imports what stands in these files.
fn import_files(conf: &str, files: &[(&str, &str)]) -> Result<dkim_keys::Import, ImportError> {
    let read = |path: &Path| {
        let file = files.iter().find(|(name, _)| Path::new(name) == path);
        file.map(|(_, text)| (*text).to_owned().into())
            .ok_or(io::Error::from(io::ErrorKind::NotFound))
    };
    import_opendkim(conf, &read)
}

const ONE_KEY: &str = "Domain example.com\nSelector s\nKeyFile /k\n";
const PATTERNS: &str = "KeyTable /etc/KeyTable\nSigningTable refile:/etc/SigningTable\n";
const NO_PATTERNS: &str = "KeyTable /etc/KeyTable\nSigningTable /etc/SigningTable\n";

/// OpenDKIM zeroes ever more bits of an address, writes what is left, and looks for that text.
#[test]
fn clients_are_found_by_the_texts_of_their_networks() {
    for (host, client, signs) in [
        ("192.0.2.7", "192.0.2.7", true),
        ("[192.0.2.7]", "192.0.2.7", true),
        ("192.0.2.7/32", "192.0.2.7", true),
        ("192.0.2.0/24", "192.0.2.7", true),
        ("[192.0.2.0]/24", "192.0.2.7", true),
        ("0.0.0.0/0", "192.0.2.7", true),
        ("2001:db8::/32", "2001:db8::7", true),
        ("2001:DB8::/32", "2001:db8::7", true),
        ("[2001:db8::]/32", "2001:db8::7", true),
        ("[2001:db8::7]", "2001:db8::7", true),
        ("::/0", "2001:db8::7", true),
        // Bits of a host, and other ways to write the same network.
        ("192.0.2.1/24", "192.0.2.7", false),
        ("192.0.2.7/24", "192.0.2.7", false),
        ("192.0.2.0/024", "192.0.2.7", false),
        ("[192.0.2.0/24]", "192.0.2.7", false),
        ("192.0.2.7]", "192.0.2.7", false),
        ("2001:db8::1/32", "2001:db8::7", false),
        ("2001:0db8::/32", "2001:db8::7", false),
        ("2001:db8:0:0::/32", "2001:db8::7", false),
        // IPv4 within IPv6.
        ("::ffff:192.0.2.7", "192.0.2.7", false),
        ("::ffff:192.0.2.0/120", "192.0.2.7", false),
        ("::102:304", "::102:304", false),
    ] {
        let hosts = format!("{ONE_KEY}InternalHosts csl:203.0.113.1,{host}\n");
        let import = import(&hosts, "").unwrap();
        let mail = mail("joe@example.com", client);
        assert_eq!(!import.config.select(&mail).chosen.is_empty(), signs, "{host}");
        let is_noted = import.notes.iter().any(|note| note.contains(host));
        assert_eq!(is_noted, !signs, "{host}: {:?}", import.notes);
    }
    let hosts = format!("{ONE_KEY}InternalHosts 192.168.0.1/24\n");
    let told = &import(&hosts, "").unwrap().notes[0];
    assert!(told.contains("192.168.0.1/24") && told.contains("192.168.0.0/24"), "{told}");
}

#[test]
fn hosts_may_be_patterns_that_are_no_expressions() {
    let conf = format!("{ONE_KEY}InternalHosts refile:/hosts\n");
    let hosts = "192.0.2.0/24\n[192.0.2.7]\n 198.51.100.1\n198.51.100.*\n";
    let import = import_files(&conf, &[("/hosts", hosts)]).unwrap();
    let signs = |client| !import.config.select(&mail("joe@example.com", client)).chosen.is_empty();
    assert!(signs("192.0.2.7") && !signs("198.51.100.1"));
    assert_eq!(import.notes.len(), 3, "{:?}", import.notes);
    assert!(import.notes[0].starts_with("InternalHosts: line 3 begins with white space"));
    assert!(import.notes[1].contains("\"[192.0.2.7]\" is a regular expression"));
}

/// What a client is looked for by first is its address with `!` before it, and a pattern may fit
/// that.
#[test]
fn patterns_that_make_exceptions_of_clients_are_told() {
    let conf = format!("{ONE_KEY}InternalHosts refile:/hosts\n");
    let import = |host: &str| import_files(&conf, &[("/hosts", &format!("192.0.2.7\n{host}\n"))]);
    for host in [
        "*",
        "*.7",
        "*2001:db8::*",
        "*/24",
        "!*",
        "(*)",
        "[!]*",
        "[a](b*)",
        "!?192.0.2.7",
        "^*",
        "[!]192.0.2.7",
        "[^x]192.0.2.7/32",
        "[!]2001:db8::/32",
    ] {
        let told = import(host).unwrap_err().to_string();
        let expected = format!("InternalHosts: {host:?}: exceptions are not taken over");
        assert!(told.starts_with(&expected), "{told}");
    }
    for host in ["*.example.com", "[::1]", "[192.0.2.0]/24", "192.0.2.*"] {
        assert_eq!(import(host).unwrap().notes.len(), 1, "{host}");
    }
}

#[test]
fn the_machine_itself_is_internal() {
    let import = import(ONE_KEY, "").unwrap();
    for (client, signs) in [("127.0.0.1", true), ("::1", true), ("127.0.0.2", false)] {
        let mail = mail("joe@example.com", client);
        assert_eq!(!import.config.select(&mail).chosen.is_empty(), signs, "{client}");
    }
    assert_eq!(import.notes, [""; 0]);
}

/// The first white space ends a pattern, and one of no octets is none.
#[test]
fn a_pattern_does_not_begin_with_white_space() {
    let table = "  * one\n\t*@example.org two\n  # nothing\n \n*@example.net own\n";
    let patterns = import(PATTERNS, table).unwrap();
    for (address, expected) in
        [("a@example.com", &[][..]), ("a@example.org", &[]), ("a@example.net", &["own"])]
    {
        assert_eq!(keys_for(&patterns.config, address), expected, "{address}");
    }
    let lines = |line: usize| {
        format!(
            "SigningTable: line {line} begins with white space: OpenDKIM sees nothing in it, and it is left out"
        )
    };
    assert_eq!(patterns.notes, [lines(1), lines(2)]);
    let others = import(NO_PATTERNS, "  * one\n").unwrap();
    assert_eq!(keys_for(&others.config, "a@example.com"), ["one"]);
    let conf = "KeyTable refile:/keys\nSigningTable csl:*=one\n";
    let error = import_files(conf, &[("/keys", " one example.com:s:/k\n")]).unwrap_err();
    assert_eq!(error.to_string(), "SigningTable: \"*\": its key is not in the KeyTable");
    // No more than ASCII has.
    let told = import(PATTERNS, "*@example.com\u{a0}x one\n").unwrap_err().to_string();
    assert_eq!(
        told,
        "SigningTable: \"*@example.com\\u{a0}x\": write its domain in A-labels (xn--...), as mail is compared"
    );
    let told = import(PATTERNS, "(a|b)@b\u{fc}cher.example one\n").unwrap_err().to_string();
    assert!(told.starts_with("SigningTable: \"(a|b)@b\u{fc}cher.example\": write its"), "{told}");
}

/// OpenDKIM refuses such mail for the time being, and looks for nothing else.
#[test]
fn nothing_else_signs_where_the_author_has_no_key() {
    let keys =
        "one example.com:s1:/k\nexample.com example.com:s4:/k\nExample.org example.org:s:/k\n";
    let import = |signing: &str, table: &str| {
        let conf = format!("KeyTable /keys\nSigningTable {signing}/table\n");
        import_files(&conf, &[("/keys", keys), ("/table", table)]).unwrap()
    };
    let patterns = import("refile:", "boss@* one\n*@* %\n*@* one\n");
    for (address, expected) in [
        ("joe@example.com", &["example.com"][..]),
        ("boss@example.net", &["one"]),
        ("joe@example.net", &[]),
        // The domain of an author is in lower case there, and the name of a key as it is.
        ("joe@example.org", &[]),
    ] {
        assert_eq!(keys_for(&patterns.config, address), expected, "{address}");
    }
    assert_eq!(patterns.notes, [""; 0]);
    let others = import("", "* one\n.example.net %\n");
    assert_eq!(keys_for(&others.config, "joe@a.example.net"), [""; 0]);
    assert_eq!(keys_for(&others.config, "joe@a.example"), ["one"]);
    assert_eq!(
        others.notes,
        [
            "SigningTable: \".example.net\" fits the name of no key, which is what `%` asks for; nothing signs what it fits"
        ]
    );
    let no_at = import("refile:", "joe*.com %\n* one\n");
    assert_eq!(keys_for(&no_at.config, "joe@example.com"), [""; 0]);
    assert_eq!(keys_for(&no_at.config, "ann@joe.com"), ["one"]);
    assert!(no_at.notes[0].starts_with("SigningTable: \"joe*.com\" has no `@`"));
    let all = import("refile:", "* %:@%\n");
    assert_eq!(keys_for(&all.config, "joe@example.com"), ["example.com"]);
    let identity = all.config.select(&mail("joe@example.com", "::1")).chosen[0].identity.clone();
    assert_eq!(identity.unwrap().to_string(), "@example.com");
}

#[test]
fn with_several_signatures_other_keys_are_not_mixed_with_the_authors() {
    let conf = "KeyTable csl:one=a.example:s:/a,b.example=b.example:s:/b\nMultipleSignatures yes\n";
    let import = |table: &str| import(&format!("{conf}SigningTable csl:{table}\n"), "");
    let config = import(".example=%,b.example=%:joe@%").unwrap().config;
    assert_eq!(keys_for(&config, "joe@b.example"), ["b.example"]);
    let error = import("b.example=%,*=one").unwrap_err().to_string();
    assert!(error.starts_with("SigningTable: \"b.example\": mail for which `%`"), "{error}");
}

#[test]
fn of_several_entries_of_one_key_the_first_is_found() {
    let table = "joe@example.com one\nJOE@example.com two\nexample.org two\nexample.org own\n";
    for more in ["", "MultipleSignatures yes\n"] {
        let config = import(&format!("{NO_PATTERNS}{more}"), table).unwrap().config;
        assert_eq!(keys_for(&config, "joe@example.com"), ["one"], "{more}");
        assert_eq!(keys_for(&config, "joe@example.org"), ["two"], "{more}");
    }
    let every = import(&format!("{PATTERNS}MultipleSignatures yes\n"), table).unwrap().config;
    assert_eq!(keys_for(&every, "joe@example.com"), ["one", "two"]);
    let keys = "KeyTable csl:k=example.com:s1:/a,k=example.com:s2:/b,K=example.com:s3:/c\n";
    let config = import(&format!("{keys}SigningTable csl:*=k\n"), "").unwrap().config;
    let chosen = config.select(&mail("joe@example.com", "::1")).chosen;
    assert_eq!((chosen.len(), chosen[0].selector.as_str()), (1, "s1"));
}

#[test]
fn one_table_without_the_other_is_none() {
    let told =
        |setting: &str| import(&format!("{ONE_KEY}{setting}\n"), "").unwrap_err().to_string();
    assert!(told("KeyTable /etc/KeyTable").starts_with("SigningTable is missing: "));
    assert!(told("SigningTable csl:example.org=x").starts_with("KeyTable is missing: "));
}

#[test]
fn the_longest_domain_signs_once() {
    let conf =
        ONE_KEY.replace("example.com", "example.com,EXAMPLE.com,sub.example.com,example.org");
    for more in ["", "MultipleSignatures yes\n"] {
        let import = import(&format!("{conf}SubDomains yes\n{more}"), "").unwrap();
        for (address, expected) in [
            ("joe@example.com", "example.com"),
            ("joe@sub.example.com", "sub.example.com"),
            ("joe@a.sub.example.com", "sub.example.com"),
            ("joe@a.example.com", "example.com"),
            ("joe@example.org", "example.org"),
        ] {
            assert_eq!(keys_for(&import.config, address), [expected], "{address}");
        }
        assert_eq!((import.config.rules.len(), import.notes), (3, Vec::new()));
    }
}

#[test]
fn patterns_of_domains_are_told() {
    let told = |domains: &str| {
        let conf = ONE_KEY.replace("example.com", domains);
        import_files(&conf, &[("/d", "example.com\n")]).unwrap_err().to_string()
    };
    let why = "patterns in Domain are not taken over: name the domains";
    assert_eq!(told("*"), format!("Domain: \"*\": {why}"));
    assert_eq!(told("*.example.com"), format!("Domain: \"*.example.com\": {why}"));
    assert_eq!(told("refile:/d"), format!("Domain: \"example.com\": {why}"));
}

/// An address in whose local part something stands that looks like a domain.
#[test]
fn the_last_at_is_before_the_domain() {
    let config = import(NO_PATTERNS, "\"a@.b\"@example.com one\n").unwrap().config;
    let mail =
        |local_part: &str| Mail::new(local_part, "example.com").from_client([127, 0, 0, 1].into());
    assert_eq!(config.select(&mail("\"a@.b\"")).chosen.len(), 1);
    assert_eq!(config.select(&mail("\"a@x.b\"")).chosen.len(), 0);
}

#[test]
fn what_is_not_ascii_is_found_by_patterns_alone() {
    let table = "jö@example.com one\nexample.com two\n";
    let others = import(NO_PATTERNS, table).unwrap();
    assert_eq!(keys_for(&others.config, "jö@example.com"), ["two"]);
    assert!(others.notes[0].starts_with("SigningTable: \"jö@example.com\" fits nobody: "));
    let patterns = import(PATTERNS, table).unwrap();
    assert_eq!(keys_for(&patterns.config, "jö@example.com"), ["one"]);
}

/// There a name of a key is a pattern, too, and may fit what we do not know.
#[test]
fn names_of_keys_are_no_patterns() {
    let import = |keys: &str| {
        let conf = "KeyTable refile:/keys\nSigningTable csl:*=%\n";
        import_files(conf, &[("/keys", keys)])
    };
    let config = import("example.com example.com:s:/k\n").unwrap().config;
    assert_eq!(keys_for(&config, "joe@example.com"), ["example.com"]);
    for name in
        ["*", "*.example.com", "(a|b).example.com", "example.co[m]", "a?", "^a", "a$", "a\\"]
    {
        let told = import(&format!("{name} %:s:/k\n")).unwrap_err().to_string();
        assert!(told.starts_with(&format!("KeyTable: {name:?}: it is a pattern")), "{told}");
    }
    // In a table of another kind it is a name like others.
    assert!(import_files("KeyTable csl:*=a.example:s:/k\nSigningTable csl:x=*\n", &[]).is_ok());
    for name in ["*", "*.example.com", "Example.com", "my_host.example"] {
        let conf = "KeyTable file:/keys\nSigningTable refile:/signers\n";
        let keys = format!("{name} a.example:s:/k\n");
        let config = import_files(conf, &[("/keys", &keys), ("/signers", "* %\n")]).unwrap().config;
        for author in ["joe@example.com", "joe@a.example.com", "joe@my_host.example"] {
            assert_eq!(keys_for(&config, author), [""; 0], "{name}");
        }
    }
}

/// Whose domain stands for `%`: there that of the signature, and here that of the author.
#[test]
fn a_domain_in_a_path_is_that_of_the_signature() {
    let file = |entry: &str| {
        let conf = format!("KeyTable csl:k={entry}\nSigningTable csl:*=k\n");
        let config = import(&conf, "")?.config;
        Ok(config.select(&mail("joe@a.example.com", "::1")).chosen[0].file.clone())
    };
    let told = |entry: &str| file(entry).map_err(|error: ImportError| error.to_string());
    assert_eq!(told("example.com:s:/k/%/%.pem"), Ok("/k/example.com/example.com.pem".into()));
    assert_eq!(told("%:s:/k/%.pem"), Ok("/k/a.example.com.pem".into()));
    let why = "`%` in this path is itself, and the author's domain in ours: rename the file";
    for entry in ["example.com:s:./%.pem", "%:s:../%.pem"] {
        assert_eq!(told(entry), Err(format!("KeyTable: \"k\": {why}")), "{entry}");
    }
    let single = import("Domain example.com\nSelector s\nKeyFile /k/%.pem\n", "");
    assert_eq!(single.unwrap_err().to_string(), format!("KeyFile: \"\": {why}"));
}

#[test]
fn relative_paths_are_told() {
    let notes = |conf: &str| import(conf, "").unwrap().notes;
    let what = "a relative path: it is seen from the directory of the new configuration";
    assert_eq!(notes(&ONE_KEY.replace("/k", "k.pem")), [format!("KeyFile: {what}")]);
    let tables = "KeyTable csl:k=example.com:s:./k,l=example.com:s:/k\nSigningTable csl:*=k\n";
    assert_eq!(notes(tables), [format!("KeyTable: \"k\": {what}")]);
}

/// Nor does anything after them sign what they may have fitted.
#[test]
fn regular_expressions_are_left_out() {
    for (expression, others, signed) in [
        ("(joe|ann)@example.com", "joe@example.com", "joe@example.org"),
        ("[a-m]*@example.org", "joe@example.org", "joe@example.com"),
        ("jo{2}@*.example.com", "joo@a.example.com", "joo@example.com"),
        ("joe?@example.net", "jo@example.net", "jo@example.com"),
        ("^joe@example.net", "joe@example.net", "joe@example.com"),
        ("joe\\@example.net", "joe@example.net", "joe@example.com"),
    ] {
        let import = import(PATTERNS, &format!("{expression} one\n* two\n")).unwrap();
        assert_eq!(keys_for(&import.config, others), [""; 0], "{expression}");
        assert_eq!(keys_for(&import.config, signed), ["two"], "{expression}");
        let note = format!("SigningTable: {expression:?} is a regular expression");
        assert!(import.notes.iter().any(|said| said.starts_with(&note)), "{:?}", import.notes);
    }
    // Whose domain is not known.
    for expression in
        ["x|*@example.com", "(a)|b@(c)|(d)@example.com", "joe@example.co[m]", "j?", "joe@x$"]
    {
        let import = import(PATTERNS, &format!("{expression} one\n* two\n")).unwrap();
        assert_eq!(keys_for(&import.config, "joe@example.net"), [""; 0], "{expression}");
    }
    let every = format!("{PATTERNS}MultipleSignatures yes\n");
    let every = import(&every, "(joe|ann)@example.com one\n* two\n").unwrap();
    assert_eq!(keys_for(&every.config, "joe@example.com"), ["two"]);
    assert_eq!(every.notes.len(), 1);
    // These are no special characters there.
    let config = import(PATTERNS, "a+b.c@example.com one\n").unwrap().config;
    assert_eq!(keys_for(&config, "a+b.c@example.com"), ["one"]);
    assert_eq!(keys_for(&config, "aab.c@example.com"), [""; 0]);
}

#[test]
fn what_keeps_mail_unsigned_otherwise_is_told() {
    let more = "peerlist 192.0.2.7\nSenderHeaders Sender\nUMask 002\n";
    let notes = import(&format!("{ONE_KEY}{more}"), "").unwrap().notes;
    assert_eq!(
        notes,
        [
            "peerlist: not taken over; this configuration may sign what it keeps unsigned",
            "SenderHeaders: not taken over; this configuration may sign what it keeps unsigned",
            "UMask: not taken over"
        ]
    );
}

#[test]
fn lifetimes_are_written_as_in_c() {
    for (text, expires) in [
        ("3600", Some(3600)),
        ("0x100", Some(256)),
        ("0X1F", Some(31)),
        ("0600", Some(384)),
        ("+5", Some(5)),
        ("2147483647", Some(2_147_483_647)),
        ("0", None),
        ("00", None),
    ] {
        let import = import(&format!("{ONE_KEY}SignatureTTL {text}\n"), "").unwrap();
        assert_eq!((import.config.signing.expires, import.notes), (expires, Vec::new()), "{text}");
    }
    for text in ["-5", "08", "0x", "10s", "2147483648", "4294967297", "++5", "0x-5", "+"] {
        let import = import(&format!("{ONE_KEY}SignatureTTL {text}\n"), "").unwrap();
        assert_eq!(import.config.signing.expires, None, "{text}");
        assert_eq!(import.notes, [format!("SignatureTTL: {text:?} is no number of seconds")]);
    }
}

#[test]
fn included_files_stand_where_they_are_named() {
    let conf = format!("{ONE_KEY}Selector a\ninclude /a # the first\nSignatureTTL 3\n");
    let files = [("/a", "Selector b\nInclude /b\nSignatureTTL 1\nTTL\n"), ("/b", "Selector c\n")];
    let import = import_files(&conf, &files).unwrap();
    let chosen = &import.config.select(&mail("joe@example.com", "::1")).chosen[0];
    assert_eq!(chosen.selector.as_str(), "c");
    assert_eq!(import.config.signing.expires, Some(3));
    assert_eq!(import.notes, ["line 4 of /a: a name without a value: not taken over"]);
    let error = import_files(&conf, &files[..1]).unwrap_err().to_string();
    assert!(error.starts_with("/b: "), "{error}");
}

#[test]
fn files_are_included_five_deep_and_a_hundred_times() {
    let name = |number: usize| format!("/{number}");
    let chain = |depth: usize| {
        let last = (name(depth), "Selector t\n".to_owned());
        let files =
            (1..depth).map(|number| (name(number), format!("Include {}\n", name(number + 1))));
        let files: Vec<(String, String)> = files.chain([last]).collect();
        let files: Vec<(&str, &str)> =
            files.iter().map(|(name, text)| (&**name, &**text)).collect();
        import_files(&format!("{ONE_KEY}Include /1\n"), &files)
    };
    let config = chain(5).unwrap().config;
    assert_eq!(config.select(&mail("joe@example.com", "::1")).chosen[0].selector.as_str(), "t");
    let told = "/6: files are included 5 deep at most, and 100 of them";
    assert_eq!(chain(6).unwrap_err().to_string(), told);
    let many = |count: usize| {
        import_files(&format!("{ONE_KEY}{}", "Include /a\n".repeat(count)), &[("/a", "")])
    };
    assert!(many(100).is_ok());
    assert!(matches!(many(101), Err(ImportError::Included { path }) if path == Path::new("/a")));
}

#[test]
fn kinds_of_tables_are_words_without_case() {
    let signs = |hosts: &str| {
        let conf = format!("{ONE_KEY}InternalHosts {hosts}\n");
        let import = import_files(&conf, &[("/h", "192.0.2.7\n")])?;
        Ok(!import.config.select(&mail("joe@example.com", "192.0.2.7")).chosen.is_empty())
    };
    let kind = |hosts: &str| match signs(hosts) {
        Ok(signs) => Ok(signs),
        Err(ImportError::Kind { kind, .. }) => Err(kind),
        Err(error) => panic!("{error}"),
    };
    for hosts in ["File:/h", "FILE:/h", "Refile:/h", "CSL:192.0.2.7", "csl:::1,192.0.2.7"] {
        assert_eq!(kind(hosts), Ok(true), "{hosts}");
    }
    // A comma before the first colon makes it a list.
    assert_eq!(kind("192.0.2.7,::1"), Ok(true));
    for (hosts, name) in [
        ("ldap://host/x", "ldap"),
        ("odbc://host/x", "odbc"),
        ("MDB:/h", "MDB"),
        ("db:/h", "db"),
        ("/etc/hosts.db", "db"),
        ("::1,192.0.2.7", ""),
    ] {
        assert_eq!(kind(hosts), Err(name.to_owned()), "{hosts}");
    }
}

/// What stands in a wrong place may be a key.
#[test]
fn little_is_told_of_what_is_read() {
    const SECRET: &str = "MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBALcZf2pVkG6W";
    let long = &SECRET[24..];
    let told = |conf: &str| match import_files(conf, &[("/t", &format!("{SECRET} {SECRET}\n"))]) {
        Ok(import) => {
            assert!(!import.notes.is_empty(), "{conf}");
            import.notes.join("\n")
        }
        Err(error) => format!("{error} {error:?}"),
    };
    let tables = "KeyTable csl:k=example.com:s:/k\n";
    for conf in [
        format!("{ONE_KEY}LDAPBindPassword {SECRET}\n"),
        format!("{ONE_KEY}{SECRET} {SECRET}\n"),
        format!("{ONE_KEY}{SECRET}\n"),
        format!("{ONE_KEY}InternalHosts {SECRET}\n"),
        format!("{ONE_KEY}InternalHosts {SECRET}:\n"),
        format!("{ONE_KEY}Canonicalization {SECRET}\n"),
        format!("{ONE_KEY}SignatureTTL {SECRET}\n"),
        format!("{ONE_KEY}OversignHeaders a {SECRET}\n"),
        format!("{ONE_KEY}Domain {SECRET}_\n"),
        format!("{ONE_KEY}Selector {SECRET}{SECRET}\n"),
        format!("{ONE_KEY}KeyFile {SECRET}\n"),
        format!("{ONE_KEY}KeyFile -----BEGIN PRIVATE KEY-----{SECRET}\n"),
        format!("KeyTable {SECRET}\nSigningTable csl:*=k\n"),
        "KeyTable refile:/t\nSigningTable csl:*=k\n".to_owned(),
        format!("KeyTable csl:{SECRET}=example.com:s:{SECRET}\nSigningTable csl:*=k\n"),
        format!("KeyTable csl:k={SECRET}{SECRET}:s:/k\nSigningTable csl:*=k\n"),
        format!("KeyTable csl:k=a.example:{SECRET}{SECRET}:/k\nSigningTable csl:*=k\n"),
        format!("{tables}SigningTable csl:{SECRET}={SECRET}\n"),
        format!("{tables}SigningTable csl:*=k:{SECRET}\n"),
        format!("{tables}SigningTable csl:*{SECRET}=k\n"),
        format!("{tables}SigningTable refile:/t\n"),
    ] {
        let told = told(&conf);
        assert!(!told.contains(long) && !told.contains(&SECRET[..25]), "{conf}: {told}");
    }
    assert_eq!(
        told(&format!("{ONE_KEY}LDAPBindPassword {SECRET}\n")),
        "LDAPBindPassword: not taken over"
    );
    let line = told(&format!("{ONE_KEY}{SECRET}\n"));
    assert_eq!(line, "line 4: a name without a value: not taken over");
    let host = told(&format!("{ONE_KEY}InternalHosts {SECRET}\n"));
    assert!(
        host.starts_with("InternalHosts: \"MIICdgIBADANBgkqhkiG9w0B...\" is neither"),
        "{host}"
    );
    let escape = told(&format!("{ONE_KEY}\u{1b}[2J x\n"));
    assert_eq!(escape, "\\u{1b}[2J: not taken over");
}

#[test]
fn a_key_in_the_place_of_its_file_is_told() {
    let key = PrivateKey::from_ed25519_seed(&[7; 32]);
    let pem = key.to_pkcs8_pem();
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let seed = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    for key in ["-----BEGIN PRIVATE KEY-----", &base64, seed] {
        let told = import(&ONE_KEY.replace("/k", key), "").unwrap_err().to_string();
        assert_eq!(told, "KeyFile: \"\": the key itself stands there: put it into a file");
    }
}

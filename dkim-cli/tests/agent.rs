//! `dkim agent` and those who sign with it, over a real socket.
#![allow(clippy::unwrap_used)]

mod command;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Stdio};

use command::{DATA, dkim, run, text};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const ED25519: &str = "keys/ed25519.pem";
const RSA: &str = "keys/rsa2048-pkcs1.pem";

/// Where agents have their configuration and their socket.
struct Place(TempDir);

impl Place {
    fn new(keys: &[(&str, &str)]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.configure(keys);
        place
    }

    /// Keys with their selectors, for all authors.
    fn configure(&self, keys: &[(&str, &str)]) {
        let mut config = String::new();
        for (selector, file) in keys {
            config += &format!(
                "[keys.{selector}]\ndomain = \"example.com\"\nselector = \"{selector}\"\n\
                 file = \"{DATA}/{file}\"\n"
            );
        }
        let names: Vec<String> = keys.iter().map(|(name, _)| format!("{name:?}")).collect();
        config += &format!("[[rules]]\nfrom = [\"*\"]\nkeys = [{}]\n", names.join(", "));
        fs::write(self.config(), config).unwrap();
    }

    fn config(&self) -> String {
        self.0.path().join("config.toml").to_str().unwrap().to_owned()
    }

    fn socket(&self) -> String {
        self.path("agent.sock").to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn agent(&self) -> Agent {
        let mut agent = self.start(&self.config());
        agent.wait_for("listening, with ");
        agent
    }

    /// An agent that may not listen yet.
    fn start(&self, config: &str) -> Agent {
        let mut child = dkim(&["agent", "--config", config, "--socket", &self.socket()])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Agent { child, said }
    }

    fn list(&self) -> (Option<i32>, String) {
        let output = run(&["agent", "--list", "--socket", &self.socket()], b"");
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    }
}

/// An agent that runs, and ends with the test.
struct Agent {
    child: Child,
    said: BufReader<ChildStderr>,
}

impl Agent {
    /// What it says, up to a line with these words.
    fn wait_for(&mut self, words: &str) -> String {
        let mut said = String::new();
        while !said.contains(words) {
            let mut line = String::new();
            assert_ne!(self.said.read_line(&mut line).unwrap(), 0, "it said: {said}");
            said += &line;
        }
        said
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// How it ended, and what it said until then.
    fn end(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.said.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const AT: [&str; 2] = ["--timestamp", "1700000000"];

fn sign(args: &[&str]) -> (Option<i32>, Vec<u8>, String) {
    let output = run(&[&["sign"], &AT[..], args].concat(), b"");
    (output.status.code(), output.stdout, text(&output.stderr))
}

#[test]
fn what_the_agent_signs_is_what_its_keys_sign() {
    let place = Place::new(&[("sel", ED25519), ("rsa", RSA)]);
    let _agent = place.agent();
    let socket = place.socket();
    let both = ["--domain", "example.com", "--selector", "sel", "--selector", "rsa", "plain.eml"];
    let (code, theirs, said) = sign(&[&["--agent", &socket], &both[..]].concat());
    assert_eq!((code, &*said), (Some(0), ""));
    let (_, ours, _) = sign(&[&["--key", ED25519, "--key", RSA], &both[..]].concat());
    assert!(theirs == ours);
    let config = place.config();
    let (code, configured, said) = sign(&["--agent", &socket, "--config", &config, "plain.eml"]);
    assert_eq!((code, &*said), (Some(0), ""));
    assert!(configured == ours);
    let verified = run(&["verify", "--zone", "example.zone"], &theirs);
    assert_eq!(verified.status.code(), Some(0), "{}", text(&verified.stdout));
}

#[test]
fn the_socket_is_for_its_user_alone() {
    let place = Place::new(&[("sel", ED25519)]);
    let _agent = place.agent();
    assert_eq!(fs::metadata(place.socket()).unwrap().mode() & 0o7777, 0o600);
}

#[test]
fn its_keys_are_listed() {
    let place = Place::new(&[("sel", ED25519), ("rsa", RSA)]);
    let _agent = place.agent();
    let all = "rsa._domainkey.example.com rsa-sha256, 2048 bits\n\
               sel._domainkey.example.com ed25519-sha256, 256 bits\n";
    assert_eq!(place.list(), (Some(0), all.to_owned()));
    let json = run(&["agent", "--list", "--json", "--socket", &place.socket()], b"");
    let json = text(&json.stdout);
    let first = json.lines().next().unwrap();
    assert!(first.starts_with(
        r#"{"schema":1,"domain":"example.com","selector":"rsa","algorithm":"rsa-sha256","key_bits":2048,"#
    ));
    // What is published of it.
    let zone = fs::read_to_string(format!("{DATA}/example.zone")).unwrap();
    let p = zone.lines().find(|line| line.starts_with("sel._domainkey")).unwrap();
    let p = p.rsplit_once("p=").unwrap().1.trim_end_matches('"');
    assert!(json.lines().nth(1).unwrap().contains(p), "{json}");
}

#[test]
fn it_ends_in_an_orderly_way_and_tells_no_secret() {
    for signal in [Signal::TERM, Signal::INT] {
        let place = Place::new(&[("sel", ED25519), ("rsa", RSA)]);
        let agent = place.agent();
        // Everything that it may have something to say about.
        let socket = place.socket();
        UnixStream::connect(&socket).unwrap().write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        UnixStream::connect(&socket).unwrap().write_all(&[0, 0, 0, 9, 1]).unwrap();
        assert_eq!(place.list().0, Some(0));
        agent.signal(signal);
        let (code, said) = agent.end();
        assert_eq!(code, Some(0), "{said}");
        assert!(!fs::exists(&socket).unwrap());
        for key in [ED25519, RSA] {
            let secret = fs::read_to_string(format!("{DATA}/{key}")).unwrap();
            assert!(secret.lines().all(|line| !said.contains(line)), "{said}");
        }
    }
}

/// Whoever changes keys may tell an agent that is only about to read them.
#[test]
fn told_while_it_starts_it_reads_them_again() {
    let place = Place::new(&[("sel", ED25519)]);
    let config = fs::read(place.config()).unwrap();
    let pipe = place.path("pipe");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let mut agent = place.start(pipe.to_str().unwrap());
    // It is open as soon as it is read.
    let mut writer = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    agent.signal(Signal::HUP);
    writer.write_all(&config).unwrap();
    drop(writer);
    agent.wait_for("listening, with 1 key");
    fs::OpenOptions::new().write(true).open(&pipe).unwrap().write_all(&config).unwrap();
    agent.wait_for("read again, 1 key");
}

#[test]
fn it_reads_its_keys_again_when_told() {
    let place = Place::new(&[("sel", ED25519)]);
    let mut agent = place.agent();
    place.configure(&[("sel", ED25519), ("rsa", RSA)]);
    agent.signal(Signal::HUP);
    agent.wait_for("read again, 2 keys");
    assert_eq!(place.list().1.lines().count(), 2);
    // What cannot be read does not take away what is there.
    place.configure(&[("sel", "keys/gone.pem")]);
    agent.signal(Signal::HUP);
    let said = agent.wait_for("the keys from before stay");
    assert!(said.contains("gone.pem: cannot be read"), "{said}");
    assert_eq!(place.list().1.lines().count(), 2);
}

#[test]
fn without_an_agent_mail_is_to_be_tried_again() {
    let place = Place::new(&[("sel", ED25519)]);
    let socket = place.socket();
    let name = ["--domain", "example.com", "--selector", "sel", "plain.eml"];
    let signed = || sign(&[&["--agent", &socket], &name[..]].concat());
    let (code, out, said) = signed();
    assert_eq!((code, &*out), (Some(75), &b""[..]));
    assert!(said.contains("the agent cannot be reached: No such file"), "{said}");
    assert!(said.contains("remedy: see that it runs: dkim agent"), "{said}");
    let agent = place.agent();
    assert_eq!(signed().0, Some(0));
    // As when it dies.
    agent.signal(Signal::KILL);
    agent.end();
    let (code, _, said) = signed();
    assert!(code == Some(75) && said.contains("Connection refused"), "{said}");
    // Its socket is in nobody's way.
    let _agent = place.agent();
    assert_eq!(signed().0, Some(0));
}

#[test]
fn a_second_agent_leaves_the_first_alone() {
    let place = Place::new(&[("sel", ED25519)]);
    let _agent = place.agent();
    let second = run(&["agent", "--config", &place.config(), "--socket", &place.socket()], b"");
    assert_eq!(second.status.code(), Some(73));
    assert!(text(&second.stderr).contains("somebody listens there already"));
    assert_eq!(place.list().0, Some(0));
}

#[test]
fn a_key_that_the_agent_does_not_have_is_told() {
    let place = Place::new(&[("sel", ED25519)]);
    let _agent = place.agent();
    for (domain, selector) in [("example.com", "other"), ("example.org", "sel")] {
        let name = ["--domain", domain, "--selector", selector, "plain.eml"];
        let (code, out, said) = sign(&[&["--agent", &place.socket()], &name[..]].concat());
        assert_eq!((code, &*out), (Some(65), &b""[..]));
        assert!(said.contains("the agent has no such key"), "{said}");
        assert!(said.contains("remedy: see which it has: dkim agent --list"), "{said}");
    }
}

/// A state of keys that change, each with its phase and file.
fn state(keys: &[(&str, &str, &str)], hook_pending: bool) -> String {
    let mut state = format!("hook_pending = {hook_pending}\n");
    for (selector, phase, file) in keys {
        state += &format!(
            "[[keys]]\nname = 'main'\ndomain = 'example.com'\nselector = '{selector}'\n\
             kind = 'ed25519'\nfile = '{DATA}/{file}'\n\
             public_sha256 = 'x'\nphase = '{phase}'\nhistory = []\n"
        );
    }
    state
}

/// With nobody to tell the agent.
#[test]
fn a_key_that_takes_over_is_there_when_it_is_asked_for() {
    let place = Place::new(&[]);
    let rules = "[[rules]]\nfrom = ['*']\nkeys = ['main']\n";
    let config = format!("[keys.main]\ndomain = 'example.com'\nrotate = {{}}\n{rules}");
    fs::write(place.config(), config).unwrap();
    let stands = |keys: &[(&str, &str, &str)], hook_pending| {
        fs::write(place.path("config.rotation.toml"), state(keys, hook_pending)).unwrap();
    };
    let selectors = || {
        let (_, list) = place.list();
        list.lines().map(|line| line.split('.').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (socket, config) = (place.socket(), place.config());
    let signed = |selector: &str| {
        let (code, out, said) = sign(&["--agent", &socket, "--config", &config, "plain.eml"]);
        assert_eq!((code, &*said), (Some(0), ""), "{selector}");
        assert!(text(&out).contains(&format!("s={selector};")), "{}", text(&out));
    };
    // One that is not proven is none of its business yet.
    stands(&[("s1", "active", ED25519), ("s2", "proven", RSA), ("s3", "new", RSA)], false);
    let mut agent = place.agent();
    assert_eq!(selectors(), ["s1", "s2"]);
    signed("s1");
    // The switch, and nobody has been told: some sign with one, some with the other.
    stands(&[("s1", "retiring", ED25519), ("s2", "active", RSA)], true);
    signed("s2");
    assert_eq!(selectors(), ["s1", "s2"]);
    // One that came all its way unseen.
    stands(&[("s1", "revoked", ED25519), ("s2", "retiring", RSA), ("s3", "active", ED25519)], true);
    signed("s3");
    assert_eq!(selectors(), ["s2", "s3"]);
    // One that it cannot read: mail waits, and what was there stays.
    stands(&[("s3", "retiring", ED25519), ("s4", "active", "keys/gone.pem")], true);
    let (code, _, said) = sign(&["--agent", &socket, "--config", &config, "plain.eml"]);
    assert!(code == Some(75) && said.contains("the agent has no such key"), "{said}");
    assert!(said.contains("remedy: let it read the configuration again (SIGHUP)"), "{said}");
    assert_eq!(selectors(), ["s2", "s3"]);
    let said = agent.wait_for("the keys from before stay");
    assert!(said.contains("gone.pem: cannot be read"), "{said}");
    // It is no worse when it is told.
    stands(&[("s3", "active", ED25519)], false);
    agent.signal(Signal::HUP);
    agent.wait_for("read again, 1 key\n");
    signed("s3");
}

/// The agent told its key, was given half of what it is to sign, and is killed.
#[test]
fn an_agent_killed_in_the_middle_is_told() {
    let place = Place::new(&[("sel", ED25519)]);
    let agent = place.agent();
    let between = place.path("between.sock");
    let listener = UnixListener::bind(&between).unwrap();
    let real = place.socket();
    let go_between = std::thread::spawn(move || {
        // What is said from here to there, as far as it goes, and all that is said back.
        let carry = |at_most: usize| {
            let (mut signer, _) = listener.accept().unwrap();
            let mut there = UnixStream::connect(&real).unwrap();
            let mut said = vec![0; at_most];
            let count = signer.read(&mut said).unwrap();
            there.write_all(&said[..count]).unwrap();
            (signer, there)
        };
        let (mut signer, mut there) = carry(1000);
        let mut answer = vec![0; 1000];
        let count = there.read(&mut answer).unwrap();
        signer.write_all(&answer[..count]).unwrap();
        let (signer, mut there) = carry(100);
        agent.signal(Signal::KILL);
        agent.end();
        let mut answer = Vec::new();
        // It may say that the connection was reset.
        let _ = there.read_to_end(&mut answer);
        assert_eq!(answer, b"");
        drop(signer);
    });
    let name = ["--domain", "example.com", "--selector", "sel", "plain.eml"];
    let (code, out, said) = sign(&[&["--agent", between.to_str().unwrap()], &name[..]].concat());
    assert_eq!((code, &*out), (Some(75), &b""[..]), "{said}");
    assert!(said.contains("the key is out of reach: the agent broke off"), "{said}");
    go_between.join().unwrap();
}

#[test]
fn what_it_cannot_hold_it_does_not_start_with() {
    for (keys, code, what) in [
        (&[("sel", "keys/gone.pem")][..], 66, "keys/gone.pem: cannot be read"),
        (&[("sel", "keys/rsa1024.pem")], 65, "1024"),
        (&[], 65, "no rule names a key"),
    ] {
        let place = Place::new(keys);
        let output = run(&["agent", "--config", &place.config(), "--socket", &place.socket()], b"");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(what), "{said}");
        assert!(!fs::exists(place.socket()).unwrap());
    }
}

//! Whatever breaks off or runs out while the command is at work: no key is lost, none is half there,
//! and what could not be done is told.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod command;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use command::{DATA, dkim, run, text};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal as caught};

const NAMES: [&str; 4] = ["--domain", "example.com", "--selector", "s"];
const DKIM: &str = env!("CARGO_BIN_EXE_dkim");

fn key_new(key: &Path) -> Command {
    let mut command = dkim(&["key", "new", "--type", "ed25519"]);
    command.args(NAMES).arg("--out").arg(key);
    command
}

/// A key file is whole, and nobody else's business.
fn is_whole(key: &Path) -> bool {
    let told = dkim(&["key", "dns"]).args(NAMES).arg(key).output().unwrap();
    told.status.success() && fs::metadata(key).unwrap().permissions().mode() & 0o777 == 0o600
}

/// The command under a limit of the shell's.
fn under(limit: &str, args: &[&str], stdin: &[u8]) -> Output {
    let script = format!("trap '' XFSZ; {limit}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, DKIM]).args(args).current_dir(DATA);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let stdin = stdin.to_vec();
    // The command may end without reading it all.
    let feeder = thread::spawn(move || drop(pipe.write_all(&stdin)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output
}

fn long_message(body: usize) -> Vec<u8> {
    let line = b"We lost  the game.\t Are you hungry yet? We will be there at seven.\r\n";
    [&b"From: joe@example.com\r\n\r\n"[..], &line.repeat(body / line.len())].concat()
}

fn sign_args<'a>(key: &'a str, message: &'a str) -> [&'a str; 8] {
    let [domain, d, selector, s] = NAMES;
    ["sign", domain, d, selector, s, "--key", key, message]
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
}

/// Killed at once, a little later, later still, until it is done before; or interrupted.
#[test]
fn a_key_is_whole_or_not_there_whenever_its_making_is_killed() {
    catch_interrupts();
    for name in ["-KILL", "-INT", "-TERM"] {
        the_making_of_a_key_ends_by(name);
    }
}

fn the_making_of_a_key_ends_by(name: &str) {
    let directory = tempfile::tempdir().unwrap();
    for delay in 0.. {
        let key = directory.path().join(format!("{delay}.pem"));
        let mut child = key_new(&key).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_micros(200 * delay));
        let done = child.try_wait().unwrap().is_some_and(|status| status.success());
        if !done {
            signal(&child, name);
        }
        let mut published = String::new();
        child.stdout.take().unwrap().read_to_string(&mut published).unwrap();
        child.wait().unwrap();
        assert!(!key.exists() || is_whole(&key), "{delay}");
        // What might be published has its key.
        assert!(published.is_empty() || key.exists(), "{delay}: {published}");
        if done {
            break;
        }
    }
    // Whatever was not finished has no name that anybody would take for a key.
    for entry in fs::read_dir(directory.path()).unwrap() {
        let (name, path) = (entry.as_ref().unwrap().file_name(), entry.unwrap().path());
        let name = name.to_str().unwrap();
        assert!(name.starts_with('.') || is_whole(&path), "{name}");
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_disk_too_full_for_a_key_is_told_and_nothing_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let key = directory.path().join("s.pem");
    let args = ["key", "new", "--type", "ed25519", "--out", key.to_str().unwrap()];
    let output = under("ulimit -f 0", &[&args[..], &NAMES].concat(), b"");
    assert_eq!(output.status.code(), Some(73), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("s.pem: cannot be made: "), "{}", text(&output.stderr));
    assert!(output.stdout.is_empty());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

/// A descriptor that is free is not given to the key file: nothing else is written into it.
#[test]
fn closed_descriptors_are_not_mistaken_for_files() {
    let directory = tempfile::tempdir().unwrap();
    for (number, closed) in ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"].iter().enumerate() {
        let key = directory.path().join(format!("{number}.pem"));
        let args = ["key", "new", "--type", "ed25519", "--out", key.to_str().unwrap()];
        let output = under(&format!("exec {closed}"), &[&args[..], &NAMES].concat(), b"");
        // The record can be had again, from the key.
        assert_eq!(output.status.code(), Some(0), "{closed}");
        assert!(is_whole(&key), "{closed}");
        let written = fs::read_to_string(&key).unwrap();
        assert!(written.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{closed}");
        assert!(written.ends_with("-----END PRIVATE KEY-----\n"), "{closed}");
    }
}

/// What is nowhere else is not thrown away, unless somebody says so.
#[test]
fn nothing_is_lost_in_a_closed_standard_output() {
    let key = [&["key", "new", "--type", "ed25519", "--out", "-"][..], &NAMES].concat();
    let sign = sign_args("keys/ed25519.pem", "plain.eml");
    let strip = ["strip", "--authserv-id", "mx.example.org", "plain.eml"];
    let mediate = ["mediate", "--domain", "l.example", "--zone", "example.zone", "plain.eml"];
    let border = ["border", "--authserv-id", "m.example", "--zone", "example.zone", "plain.eml"];
    let report = "report make --zone reports.zone --at 1700000000 --drawn 0 asks-for-reports.eml";
    let record = [&["key", "dns", "keys/ed25519.pem"][..], &NAMES].concat();
    let alias = "delegate --domain a.example --to b.example --selector s";
    let import = "config import-opendkim config/opendkim.conf";
    let [report, alias, import] =
        [report, alias, import].map(|line| line.split(' ').collect::<Vec<_>>());
    for args in [&key[..], &sign, &strip, &mediate, &border, &report, &record, &alias, &import] {
        let closed = under("exec >&-", args, b"");
        assert_eq!(closed.status.code(), Some(74), "{args:?}");
        let said = text(&closed.stderr);
        assert!(said.starts_with("dkim: standard output: closed, or "), "{args:?}: {said}");
        let thrown_away = under("exec >/dev/null", args, b"");
        assert_eq!(thrown_away.status.code(), Some(0), "{args:?}");
    }
}

/// Replaced by renaming, as `mv` and every deployment does it: the old key or the new one signs.
#[test]
fn a_key_that_is_replaced_is_the_old_or_the_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let record = |key: &Path| {
        let told =
            dkim(&["key", "dns", "--format", "plain"]).args(NAMES).arg(key).output().unwrap();
        assert!(told.status.success(), "{}", text(&told.stderr));
        text(&told.stdout)
    };
    let both = ["a.pem", "b.pem"].map(|name| {
        assert!(key_new(&path(name)).output().unwrap().status.success());
        (fs::read(path(name)).unwrap(), record(&path(name)))
    });
    let key = path("key.pem");
    fs::write(&key, &both[0].0).unwrap();
    let mut seen = [false; 2];
    thread::scope(|scope| {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let (both, key, next) = (&both, &key, path("next.pem"));
        scope.spawn(move || {
            for (contents, _) in both.iter().cycle() {
                if stopped.try_recv() != Err(std::sync::mpsc::TryRecvError::Empty) {
                    break;
                }
                fs::write(&next, contents).unwrap();
                fs::rename(&next, key).unwrap();
            }
        });
        while seen != [true; 2] {
            let told = record(key);
            let which = both.iter().position(|(_, record)| *record == told);
            seen[which.unwrap()] = true;
        }
        drop(stop);
    });
}

/// Written over in place it is half there for a while: that is an error and no other key.
#[test]
fn a_key_cut_anywhere_is_no_key() {
    let directory = tempfile::tempdir().unwrap();
    let whole = fs::read(format!("{DATA}/keys/ed25519.pem")).unwrap();
    let key = directory.path().join("key.pem");
    for end in (0..whole.trim_ascii_end().len()).step_by(5) {
        fs::write(&key, &whole[..end]).unwrap();
        let output = run(&sign_args(key.to_str().unwrap(), "plain.eml"), b"");
        assert_eq!(output.status.code(), Some(65), "{end}: {}", text(&output.stderr));
        assert!(output.stdout.is_empty(), "{end}");
    }
}

#[test]
fn a_key_that_cannot_be_read_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let (loops, file) = (directory.path().join("loop.pem"), directory.path().join("file"));
    std::os::unix::fs::symlink(&loops, &loops).unwrap();
    fs::write(&file, "").unwrap();
    for key in [&loops, &file.join("below.pem"), &directory.path().join("nowhere.pem")] {
        let output = run(&sign_args(key.to_str().unwrap(), "plain.eml"), b"");
        assert_eq!(output.status.code(), Some(66), "{}", text(&output.stderr));
        assert!(
            text(&output.stderr).contains(".pem: cannot be read: "),
            "{}",
            text(&output.stderr)
        );
        assert!(output.stdout.is_empty());
    }
}

/// A pipe that is read an octet at a time takes a part of each write.
#[test]
fn short_writes_lose_nothing() {
    let message = long_message(300_000);
    let args = sign_args("keys/ed25519.pem", "-");
    let mut child = dkim(&args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let sent = message.clone();
    let feeder = thread::spawn(move || {
        // Short reads, too.
        for piece in sent.chunks(777) {
            stdin.write_all(piece).unwrap();
        }
    });
    let mut signed = Vec::new();
    for size in [1, 2, 3, 5, 4095, 4097].into_iter().cycle() {
        let mut piece = vec![0; size];
        match stdout.read(&mut piece).unwrap() {
            0 => break,
            read => signed.extend_from_slice(&piece[..read]),
        }
    }
    feeder.join().unwrap();
    assert!(child.wait().unwrap().success());
    assert!(signed.starts_with(b"DKIM-Signature: ") && signed.ends_with(&message));
}

/// A file that may not grow: part of the message is written, and that is told.
#[test]
fn a_message_written_in_part_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("signed.eml");
    let limit = format!("ulimit -f 8; exec >{}", out.to_str().unwrap());
    let output = under(&limit, &sign_args("keys/ed25519.pem", "-"), &long_message(100_000));
    assert_eq!(output.status.code(), Some(74), "{}", text(&output.stderr));
    assert!(text(&output.stderr).starts_with("dkim: standard output: "));
    assert!(fs::metadata(out).unwrap().len() <= 8 * 1024);
    // What has to be kept until it is signed goes to a file that has no room.
    let output = under("ulimit -f 0", &sign_args("keys/ed25519.pem", "-"), &long_message(1 << 20));
    assert!(output.status.code().is_some_and(|code| code >= 65), "{:?}", output.status);
    assert!(text(&output.stderr).starts_with("dkim: "), "{}", text(&output.stderr));
    assert!(output.stdout.is_empty());
}

#[test]
fn a_temporary_file_that_cannot_be_made_is_told() {
    let sign = sign_args("keys/ed25519.pem", "-");
    let output = under("export TMPDIR=/nowhere/at/all", &sign, &long_message(1 << 20));
    assert_eq!(output.status.code(), Some(66));
    let told = "cannot be kept until it is read again: no temporary file can be made and written \
                in /nowhere/at/all: ";
    let said = text(&output.stderr);
    assert!(said.contains(told) && said.contains("remedy: let TMPDIR name"), "{said}");
    assert!(output.stdout.is_empty());
}

/// What is ignored stays ignored in a child, what is caught does not (POSIX, `exec`): a shell without
/// job control ignores SIGINT for what it starts in the background, tests included.
fn catch_interrupts() {
    let runtime = Builder::new_current_thread().enable_io().build().unwrap();
    let _entered = runtime.enter();
    // It is caught as long as this process lives, whatever becomes of the stream.
    drop(caught(SignalKind::interrupt()).unwrap());
}

/// Ctrl-C: it ends by the signal, as a shell expects, and leaves no file.
#[test]
fn an_interrupt_ends_it_and_leaves_nothing() {
    catch_interrupts();
    let message = [fs::read(format!("{DATA}/signed.eml")).unwrap(), long_message(1 << 20)].concat();
    let sign = sign_args("keys/ed25519.pem", "-");
    for args in [&["verify", "--zone", "example.zone", "-"][..], &sign] {
        let directory = tempfile::tempdir().unwrap();
        let mut command = dkim(args);
        command.env("TMPDIR", directory.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // More than it keeps in memory, and then it waits.
        child.stdin.as_mut().unwrap().write_all(&message).unwrap();
        signal(&child, "-INT");
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.signal(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "{args:?}");
    }
}

/// With as much memory as a short message takes, a long one is verified; with less, nothing is said
/// to pass, no half of a message is handed on, no half of a key is left, and nothing waits for ever.
#[test]
fn memory_that_is_limited_is_enough_or_nothing_passes() {
    let message = fs::read(format!("{DATA}/signed.eml")).unwrap();
    let blank = b"\r\n".repeat(32 << 20);
    let verify = ["verify", "--zone", "example.zone", "--at", "1700000100", "-"];
    let sign = sign_args("keys/ed25519.pem", "-");
    let directory = tempfile::tempdir().unwrap();
    let key = directory.path().join("s.pem");
    let new = ["key", "new", "--type", "ed25519", "--out", key.to_str().unwrap()];
    let new = [&new[..], &NAMES].concat();
    let output = under("ulimit -v 200000", &verify, &[&message[..], &blank].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    // Somewhere in between some of the threads start and others do not.
    for limit in [1000, 5000, 10_000].into_iter().chain((15_000..45_000).step_by(500)) {
        let limit = format!("ulimit -v {limit}");
        let output = under(&limit, &verify, &message);
        let passes = text(&output.stdout).contains("pass");
        assert_eq!(passes, output.status.success(), "{limit}: {:?}", output.status);
        let output = under(&limit, &sign, &message);
        let is_signed = output.stdout.ends_with(&message);
        assert_eq!(is_signed, output.status.success(), "{limit}: {:?}", output.status);
        let output = under(&limit, &new, b"");
        assert!(output.status.success() || output.stdout.is_empty(), "{limit}");
        assert!(!output.status.success() || key.exists(), "{limit}");
        if key.exists() {
            assert!(is_whole(&key), "{limit}");
            fs::remove_file(&key).unwrap();
        }
    }
}

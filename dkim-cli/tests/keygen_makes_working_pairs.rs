//! `dkim keygen` makes pairs that sign and verify, and spares what is there.
#![allow(clippy::unwrap_used)]

mod command;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use command::{run, text};

fn keygen(kind: &str, more: &[&str]) -> std::process::Output {
    let args = ["keygen", "--type", kind, "--domain", "example.com", "--selector", "new"];
    run(&[&args[..], more].concat(), b"")
}

/// For a secret store: the key to standard output and nothing else, the record to standard error.
#[test]
fn a_key_may_go_to_standard_output() {
    let made = keygen("ed25519", &["--out", "-"]);
    let (key, record) = (text(&made.stdout), text(&made.stderr));
    assert!(made.status.success(), "{record}");
    assert!(key.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{record}");
    assert!(key.ends_with("-----END PRIVATE KEY-----\n") && !record.contains("PRIVATE"));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key.pem");
    fs::write(&file, &key).unwrap();
    let place = ["--domain", "example.com", "--selector", "new", file.to_str().unwrap()];
    let printed = run(&[&["key", "dns"], &place[..]].concat(), b"");
    assert_eq!(text(&printed.stdout), record);

    let json = keygen("ed25519", &["--out", "-", "--json"]);
    assert!(text(&json.stdout).starts_with("-----BEGIN"));
    assert!(text(&json.stderr).starts_with("{\"schema\":1,\"file\":null,\"key_type\":\"ed25519\""));
    for wrong in [["--owner", "root"], ["--type", "both"], ["--dir", "."]] {
        let made = run(
            &[
                &["key", "new", "--domain", "example.com", "--selector", "s", "--out", "-"],
                &wrong[..],
            ]
            .concat(),
            b"",
        );
        assert_eq!((made.status.code(), &*made.stdout), (Some(2), &b""[..]), "{wrong:?}");
    }
}

#[test]
fn a_key_does_not_go_where_others_read_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.pem");
    let args = ["keygen", "--type", "ed25519", "--domain", "example.com", "--selector", "s"];
    let write = |mode| {
        let file = fs::File::create(&path).unwrap();
        file.set_permissions(fs::Permissions::from_mode(mode)).unwrap();
        let mut keygen = command::dkim(&[&args[..], &["--out", "-"]].concat());
        let made = keygen.stdout(file).output().unwrap();
        (made.status.code(), text(&made.stderr), fs::read(&path).unwrap())
    };
    let (code, told, key) = write(0o640);
    assert!(told.contains("others can read (mode 0640)") && told.contains("remedy"), "{told}");
    assert_eq!((code, key.len()), (Some(73), 0));
    let (code, told, key) = write(0o600);
    assert_eq!(code, Some(0), "{told}");
    assert!(key.starts_with(b"-----BEGIN"));
}

fn makes_a_pair(kind: &str) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new._domainkey.example.com.pem");
    let dir = directory.path().to_str().unwrap();
    let made = keygen(kind, &["--dir", dir]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!text(&made.stdout).contains("PRIVATE") && !text(&made.stderr).contains("PRIVATE"));

    let zone = directory.path().join("keys.zone");
    fs::write(&zone, &made.stdout).unwrap();
    let key = path.to_str().unwrap();
    let args = ["sign", "--domain", "example.com", "--selector", "new", "--key", key, "plain.eml"];
    let signed = run(&args, b"");
    let verified = run(&["verify", "--zone", zone.to_str().unwrap()], &signed.stdout);
    assert_eq!(verified.status.code(), Some(0), "{}", text(&verified.stdout));

    let before = fs::read(&path).unwrap();
    for more in [["--dir", dir], ["--out", key]] {
        assert_eq!(keygen(kind, &more).status.code(), Some(73));
    }
    assert_eq!(fs::read(&path).unwrap(), before);
    // Nothing is left behind but the key and what was written here.
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[test]
fn ed25519() {
    makes_a_pair("ed25519");
}

#[test]
#[cfg(feature = "aws-lc-rs")]
fn rsa() {
    makes_a_pair("rsa2048");
}

#[test]
fn a_link_is_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    let (link, target) = (directory.path().join("link.pem"), directory.path().join("target.pem"));
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let made = keygen("ed25519", &["--out", link.to_str().unwrap()]);
    assert_eq!(made.status.code(), Some(73));
    assert!(!target.exists());
}

#[test]
fn json_tells_where_everything_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.pem");
    let made = keygen("ed25519", &["--json", "--out", path.to_str().unwrap()]);
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    assert!(Path::new(made["file"].as_str().unwrap()).exists());
    assert_eq!(made["name"], "new._domainkey.example.com");
    assert_eq!(made["key_bits"], 256);
    assert!(made["record"].as_str().unwrap().starts_with("v=DKIM1; k=ed25519; p="));
    assert!(made["zone"].as_str().unwrap().contains(made["record"].as_str().unwrap()));
}

//! RFC 6376 §5.6: `dkim sign` puts the field above everything, other signatures included.
#![allow(clippy::unwrap_used)]

mod command;

use command::{run, text};

fn sign(selector: &str, key: &str, message: &[u8]) -> Vec<u8> {
    let args = ["sign", "--domain", "example.com", "--selector", selector, "--key", key];
    let output = run(&args, message);
    assert!(output.status.success(), "{}", text(&output.stderr));
    output.stdout
}

#[test]
fn the_field_stands_on_top() {
    let message = b"Received: by mx.example.com\r\nFrom: joe@example.com\r\n\r\nHi.\r\n";
    let once = sign("sel", "keys/ed25519.pem", message);
    let twice = sign("rsa", "keys/rsa2048-pkcs1.pem", &once);
    assert!(once.starts_with(b"DKIM-Signature: v=1; a=ed25519-sha256;"));
    assert!(twice.starts_with(b"DKIM-Signature: v=1; a=rsa-sha256;"));
    assert!(once.ends_with(message) && twice.ends_with(&once));

    let verified = run(&["verify", "--json", "--zone", "example.zone"], &twice);
    let said = text(&verified.stdout);
    assert_eq!(said.matches("\"result\":\"pass\"").count(), 2, "{said}");
}

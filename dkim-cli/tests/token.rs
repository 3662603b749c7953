//! `dkim sign --key pkcs11:…`, as far as no token is needed; with one: `cargo xtask interop`.

mod command;

use command::{run, text};

fn sign(uri: &str) -> (Option<i32>, String) {
    let name = ["sign", "--domain", "example.com", "--selector", "s", "--key", uri, "plain.eml"];
    let output = run(&name, b"");
    assert!(output.stdout.is_empty());
    (output.status.code(), text(&output.stderr))
}

#[test]
#[cfg(not(feature = "pkcs11"))]
fn a_build_without_tokens_says_so() {
    let (code, said) = sign("pkcs11:token=a;object=b?module-path=/none.so&pin-value=123456");
    assert_eq!(code, Some(65));
    assert_eq!(
        said,
        "dkim: pkcs11:token=a;object=b: this build knows no keys in tokens\n\
         remedy: build it with `--features pkcs11`\n"
    );
}

#[test]
#[cfg(feature = "pkcs11")]
fn what_names_no_key_is_told_without_the_pin() {
    for (uri, why) in [
        ("pkcs11:token=a?module-path=/none.so", "the module cannot be loaded"),
        ("pkcs11:token=a", "names no module-path"),
        ("pkcs11:slot-id=1?module-path=/none.so", "\"slot-id\" is not known"),
        ("pkcs11:token=a?module-path=/none.so&pin-value=123456", "a PIN stands in it"),
    ] {
        let (code, said) = sign(uri);
        assert_eq!(code, Some(65), "{said}");
        assert!(said.contains(why) && !said.contains("123456"), "{said}");
    }
}

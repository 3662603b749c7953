//! The key file of a name server.

use dkim_dns::TsigKey;

use crate::said::unless_refused;

/// Errors tell nothing of what stands there: they can be copied, and so hold no text.
const _: fn(dkim_dns::TsigKeyError) = is_copy;

const fn is_copy<T: Copy>(_: T) {}

/// White space and comments between the words make no difference; the name is one; nothing of the
/// secret is told.
pub fn tsig_key(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(key) = unless_refused(TsigKey::parse(text)) else { return };
    let said = format!("{key:?}");
    // What stands where a secret stands, as far as that can be told without a parser.
    for after in text.split("secret \"").skip(1) {
        let secret = after.split('"').next().unwrap_or_default();
        let is_base64 = |octet: u8| octet.is_ascii_alphanumeric() || b"+/=".contains(&octet);
        if secret.len() >= 16 && secret.bytes().all(is_base64) && text.matches(secret).count() == 1
        {
            assert!(!said.contains(secret), "{said}");
        }
    }
    assert!(!key.name().ends_with('.') && !key.name().bytes().any(|o| o.is_ascii_uppercase()));
    // No comment is begun or ended by these.
    if !text.contains(['#', '/', '*', '"']) {
        let spread = text.replace(';', " /* x; \" */ ;\n# y }\n").replace('{', "// {\n{");
        assert_eq!(TsigKey::parse(&spread).as_ref(), Ok(&key));
    }
    let crlf = text.replace('\n', "\r\n");
    assert_eq!(TsigKey::parse(&crlf).ok(), TsigKey::parse(&crlf.replace("\r\n", "\n")).ok());
}

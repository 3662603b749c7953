//! Mail that is to be signed.

use dkim_keys::Mail;

/// From this author, and from this client if one is named.
pub(crate) fn mail(address: &str, client: &str) -> Mail {
    let (local_part, domain) = address.split_once('@').unwrap();
    let mail = Mail::new(local_part, domain);
    if client.is_empty() { mail } else { mail.from_client(client.parse().unwrap()) }
}

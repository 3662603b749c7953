//! Who signs for the authors that a From field names.

use std::net::IpAddr;

use dkim_keys::{Config, Decision, Mail};
use dkim_stack::message::author_addresses;

use crate::diagnostics::Failure;
use crate::exit::Exit;

/// The authors that a From field body names, as rules see them, and who signs a message of theirs
/// from this client.
pub(crate) fn decide(
    config: &Config,
    from: &[u8],
    (client, authenticated): (Option<IpAddr>, bool),
) -> Result<(Vec<Mail>, Decision), Failure> {
    let authors = author_addresses(from).map_err(|error| {
        Failure::of(Exit::Data, &error)
            .on("From")
            .remedy("an address is needed, or what stands after `From:`")
    })?;
    let mail = |author| {
        let mut mail = Mail::from(author);
        mail.authenticated = authenticated;
        client.into_iter().fold(mail, Mail::from_client)
    };
    let mails: Vec<Mail> = authors.iter().map(mail).collect();
    let decision = config.select_all(&mails).map_err(|error| {
        Failure::of(Exit::Data, &error).on("From").remedy("name those alone who answer for it")
    })?;
    Ok((mails, decision))
}

//! InternalHosts: whose mail is signed, by the texts that OpenDKIM looks a client up by.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

use super::table::Table;
use super::{Import, ImportError, ReadFile, is_regular_expression};
use crate::excerpt::quoted;

const SETTING: &str = "InternalHosts";

impl Import {
    /// Mail is signed if it comes from an internal host, or from somebody who has shown who they
    /// are.
    pub(super) fn clients(
        &mut self,
        hosts: Option<&str>,
        files: &impl ReadFile,
    ) -> Result<(), ImportError> {
        let hosts = self.table(SETTING, hosts.unwrap_or("csl:127.0.0.1,::1"), files)?;
        let mut clients = Vec::new();
        for (host, _) in hosts.entries.iter() {
            // Who leaves it out signs for whom nothing was to be signed.
            if host.starts_with('!') || hosts.is_wild && may_fit_exceptions(host) {
                let why = "exceptions are not taken over: name networks without it";
                return Err(ImportError::entry(SETTING, host, why));
            }
            match client(host, &hosts) {
                Ok(network) => clients.push(network),
                Err(why) => self.notes.push(format!("{SETTING}: {:?} {why}", quoted(host))),
            }
        }
        if clients.is_empty() {
            self.notes.push(format!(
                "{SETTING}: no address is left, so that only mail of authenticated senders is signed"
            ));
        }
        for rule in &mut self.config.rules {
            rule.clients.clone_from(&clients);
            rule.authenticated = true;
        }
        Ok(())
    }
}

/// The network that an entry stands for, or why there is none.
///
/// OpenDKIM writes the address of a client in all the ways below, with ever more bits of it set to
/// zero, and looks for these texts: what is written in another way fits nobody.
fn client(host: &str, hosts: &Table) -> Result<IpNet, String> {
    if hosts.is_wild && is_regular_expression(host) {
        let why = "is a regular expression, which is not taken over: name its addresses in clients";
        return Err(why.to_owned());
    }
    let bare: String = host.chars().filter(|c| !matches!(c, '[' | ']')).collect();
    let address = || bare.parse::<IpAddr>().map(IpNet::from);
    let network: IpNet = bare.parse().or_else(|_| address()).map_err(
        |_| "is neither an address nor a network, and is left out: name its addresses in clients",
    )?;
    let network = network.trunc();
    if is_ipv4_within(network.addr()) {
        return Err(
            "is an IPv4 address within IPv6, and is left out: if it is meant, name it in clients as an IPv4 address"
                .to_owned(),
        );
    }
    let (address, bits) = (network.addr(), network.prefix_len());
    let mut texts = vec![format!("{address}/{bits}"), format!("[{address}]/{bits}")];
    if bits == network.max_prefix_len() {
        texts.extend([address.to_string(), format!("[{address}]")]);
    }
    match texts.iter().any(|text| text.eq_ignore_ascii_case(host)) {
        true => Ok(network),
        false => Err(format!(
            "fits nobody as it is written, and is left out: if it is meant, clients have it as {network}"
        )),
    }
}

/// Whether a pattern may fit `!` and the address of a client. OpenDKIM looks for that text first,
/// and a client that has it is not internal, whatever else fits.
fn may_fit_exceptions(pattern: &str) -> bool {
    // Brackets stand for one octet: alone, or before the bits of a network, for no address.
    let after = pattern.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    if let Some((_, after)) = after {
        let is_of_network = |bits: &str| bits.bytes().all(|octet| octet.is_ascii_digit());
        return !after.is_empty() && !after.strip_prefix('/').is_some_and(is_of_network);
    }
    let is_of_address = |c: char| c.is_ascii_hexdigit() || matches!(c, '*' | '.' | ':' | '/' | '!');
    is_regular_expression(pattern) || pattern.starts_with('*') && pattern.chars().all(is_of_address)
}

/// Whether the last octets are written as those of an IPv4 address (RFC 4291 §2.5.5), which depends
/// on who writes it, and on whether a client with such an address is called by it.
fn is_ipv4_within(address: IpAddr) -> bool {
    let within = |address: Ipv6Addr| match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] => true,
        [0, 0, 0, 0, 0, 0, high, _] => high != 0,
        _ => false,
    };
    matches!(address, IpAddr::V6(address) if within(address))
}

//! The networks of clients, single addresses among them.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Deserializer, de::Error};

use crate::excerpt::excerpt;

/// A network such as `192.0.2.0/24`, or an address, which is the network of it alone.
pub(super) fn parse(text: &str) -> Option<IpNet> {
    let address = || text.parse().map(|address: IpAddr| IpNet::from(address)).ok();
    text.parse().ok().or_else(address).map(to_canonical)
}

/// A client with an IPv4 address within IPv6 is the address it is, and so are those of such a network.
fn to_canonical(network: IpNet) -> IpNet {
    let within_ipv4 = |network: &Ipv6Net| {
        let address = network.addr().to_ipv4_mapped()?;
        Ipv4Net::new(address, network.prefix_len().checked_sub(96)?).ok()
    };
    match &network {
        IpNet::V6(ipv6) => within_ipv4(ipv6).map_or(network, IpNet::V4),
        IpNet::V4(_) => network,
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpNet>, D::Error> {
    let wrong = |text: &str| {
        let what = "neither a network nor an address (192.0.2.0/24, 2001:db8::1)";
        D::Error::custom(excerpt(&format!("{text:?} is {what}")))
    };
    let texts = Vec::<String>::deserialize(from)?;
    texts.iter().map(|text| parse(text).ok_or_else(|| wrong(text))).collect()
}

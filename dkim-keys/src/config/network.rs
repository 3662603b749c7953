//! The networks of clients, single addresses among them.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de::Error};

use crate::excerpt::excerpt;

/// A network such as `192.0.2.0/24`, or an address, which is the network of it alone.
pub(super) fn parse(text: &str) -> Option<IpNet> {
    // A client with an IPv4 address within IPv6 is the address it is, and so is this one.
    let address = || text.parse().map(|address: IpAddr| IpNet::from(address.to_canonical())).ok();
    text.parse().ok().or_else(address)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpNet>, D::Error> {
    let wrong = |text: &str| {
        let what = "neither a network nor an address (192.0.2.0/24, 2001:db8::1)";
        D::Error::custom(excerpt(&format!("{text:?} is {what}")))
    };
    let texts = Vec::<String>::deserialize(from)?;
    texts.iter().map(|text| parse(text).ok_or_else(|| wrong(text))).collect()
}

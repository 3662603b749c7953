//! A header of nothing but the shortest fields, with the limit raised to admit it, is judged in
//! memory that is a few times its length. One test in a process of its own, whose memory is counted.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod craft;

use craft::{MESSAGE, NOW, TEMPLATE, outcome, sign, zone};
use dkim_crypto::ring::PROVIDER;
use dkim_dns::drive_blocking;
use dkim_message::split;
use dkim_verify::{Policy, Verifier};

const MIB: usize = 1024 * 1024;

/// Octets of memory that the system tells of this process.
fn memory(what: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
    let kib: usize = line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().unwrap();
    kib * 1024
}

#[test]
fn ten_mib_of_five_octet_fields_take_forty_mib() {
    let signed = sign(TEMPLATE, MESSAGE.as_bytes());
    let message = ["a:b\r\n".repeat(10 * MIB / 5).as_bytes(), &signed].concat();
    let mut policy = Policy::rfc();
    policy.limits.header_octets = 16 * MIB;
    let zone = zone();

    let before = memory("VmRSS");
    let (header, body) = split(&message);
    let mut verifier = Verifier::new(&header, &policy, NOW, &PROVIDER);
    drive_blocking(&mut verifier, &zone);
    verifier.body_chunk(body);
    assert_eq!(outcome(&verifier.finish()), "pass ok");
    let most = memory("VmHWM") - before;
    assert!(most < 40 * MIB, "{most} octets above the message");
}

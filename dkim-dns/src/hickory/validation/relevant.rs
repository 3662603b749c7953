//! What of an answer is validated: nothing that was not asked for, and no word of another zone than
//! the one whose word it is.

use hickory_net::{DnsError, NetError};
use hickory_proto::dnssec::rdata::DNSSECRData;
use hickory_proto::op::{DnsResponse, Query};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::signature;

/// At most this many records of an answer's authority section are looked at. A proof of absence has
/// up to three NSEC3 records and an SOA record, each signed once or twice.
const MAX_AUTHORITIES: usize = 32;

/// Without what was not asked for, which would be validated, too: each record set costs questions and
/// signatures. And without what a zone says of names that are not its own: the library sees that
/// each record is signed, and not that all are of one zone.
pub(super) fn relevant(
    query: &Query,
    answer: Result<DnsResponse, NetError>,
) -> Result<DnsResponse, NetError> {
    let asked = |record: &Record| {
        let kind = record.record_type();
        record.name == query.name
            && (kind == query.query_type || matches!(kind, RecordType::CNAME | RecordType::RRSIG))
    };
    match answer {
        // The library takes the CNAME record that comes with it (RFC 6672 §5.3.1) for an unsigned one.
        Ok(message) if message.answers.iter().any(|r| r.record_type() == RecordType::DNAME) => {
            Err(NetError::Message("a DNAME record on the way"))
        }
        Ok(mut message) => {
            message.answers.retain(asked);
            let zone = match signer(&message.answers)? {
                None => denying(query, &message.authorities),
                signer => signer,
            };
            message.authorities = of_zone(query, zone.as_ref(), &message.authorities)?;
            message.additionals.clear();
            Ok(message)
        }
        Err(NetError::Dns(DnsError::NoRecordsFound(mut none))) => {
            if let Some(authorities) = &none.authorities {
                let zone = denying(query, authorities);
                none.authorities = Some(of_zone(query, zone.as_ref(), authorities)?.into());
            }
            Err(none.into())
        }
        Err(error) => Err(error),
    }
}

/// The zone that signed what is at a name: all of it, and all or nothing as a wildcard's, so that
/// no other signature can be mistaken for the one that holds.
fn signer(answers: &[Record]) -> Result<Option<Name>, NetError> {
    let mut inputs = answers.iter().filter_map(signature).map(|signature| signature.input());
    let Some(first) = inputs.next() else { return Ok(None) };
    let is_other =
        |signer: &Name, labels| *signer != first.signer_name || labels != first.num_labels;
    if inputs.any(|input| is_other(&input.signer_name, input.num_labels)) {
        return Err(NetError::Message("signatures of several zones or wildcards at one name"));
    }
    Ok(Some(first.signer_name.clone()))
}

/// The zone that may say what is not at a name: the nearest of those that signed something. Of DS
/// records it is that above (RFC 4035 §5.2).
fn denying(query: &Query, authorities: &[Record]) -> Option<Name> {
    let is_above = |zone: &&Name| {
        zone.zone_of(&query.name) && (query.query_type != RecordType::DS || **zone != query.name)
    };
    let signers = authorities.iter().filter_map(signature).map(|one| &one.input().signer_name);
    signers.filter(is_above).max_by_key(|zone| zone.num_labels()).cloned()
}

/// Those of the records that take part in a proof of absence, if it is that of this zone.
fn of_zone(
    query: &Query,
    zone: Option<&Name>,
    authorities: &[Record],
) -> Result<Vec<Record>, NetError> {
    let is_of_zone = |record: &&Record| match (&record.data, zone) {
        (RData::SOA(_), _) => record.name.zone_of(&query.name),
        (RData::NS(_), _) => query.query_type == RecordType::NS,
        (RData::DNSSEC(DNSSECRData::NSEC(nsec)), Some(zone)) => {
            zone.zone_of(&record.name) && zone.zone_of(nsec.next_domain_name())
        }
        // RFC 5155 §3: the hash is one label, and below the zone's own name.
        (RData::DNSSEC(DNSSECRData::NSEC3(_)), Some(zone)) => record.name.base_name() == *zone,
        (RData::DNSSEC(DNSSECRData::RRSIG(signature)), Some(zone)) => {
            signature.input().signer_name == *zone
        }
        _ => false,
    };
    let records: Vec<Record> =
        authorities.iter().filter(is_of_zone).take(MAX_AUTHORITIES).cloned().collect();
    // RFC 5155 §8.6: an opt-out record may cover the hash of any name, also of one in a signed zone
    // in between. The library does not look for the closest encloser, which would tell; right below
    // the zone that denies there is nothing in between.
    let has_nsec3 = || records.iter().any(|record| record.record_type() == RecordType::NSEC3);
    let is_next = |zone: &Name| !query.name.is_root() && query.name.base_name() == *zone;
    if query.query_type == RecordType::DS && !zone.is_none_or(is_next) && has_nsec3() {
        return Err(NetError::Message("no DS record, it seems, several labels below the zone"));
    }
    Ok(records)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use hickory_proto::rr::rdata::SOA;

    use super::*;

    #[test]
    fn proofs_are_looked_for_in_so_many_records() {
        let query = Query::query(Name::root(), RecordType::TXT);
        for (count, kept) in [(MAX_AUTHORITIES, 32), (MAX_AUTHORITIES + 1, 32)] {
            let record = |number: usize| {
                let soa = SOA::new(Name::root(), Name::root(), 1, 1, 1, 1, 1);
                Record::from_rdata(Name::root(), u32::try_from(number).unwrap(), RData::SOA(soa))
            };
            let authorities: Vec<Record> = (0..count).map(record).collect();
            let found = of_zone(&query, None, &authorities).unwrap();
            assert_eq!(found, authorities[..kept], "{count}");
        }
    }
}

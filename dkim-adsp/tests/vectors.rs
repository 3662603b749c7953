//! The vectors of dkim-testkit for ADSP.
#![allow(clippy::unwrap_used, missing_docs)]

use dkim_adsp::{AdspCheck, authors, gravest};
use dkim_authres::AdspResult;
use dkim_dns::{Zone, drive_blocking};
use dkim_tags::DomainName;
use dkim_testkit::AdspVector;

fn judge(vector: &AdspVector) -> AdspResult {
    let sdids = vector.valid_signatures.iter().map(|sdid| DomainName::parse(sdid).unwrap());
    let Ok(authors) = authors(vector.from.as_bytes()) else { return AdspResult::PermError };
    let mut check = AdspCheck::new(&authors, &sdids.collect::<Vec<_>>());
    drive_blocking(&mut check, &Zone::parse(&vector.zone).unwrap());
    gravest(&check.finish()).unwrap()
}

#[test]
fn every_vector_has_the_result_wanted_first() {
    let vectors = dkim_testkit::own_adsp_vectors().unwrap();
    for vector in &vectors {
        assert_eq!(judge(vector).name(), vector.result, "{} ({})", vector.id, vector.section);
    }
}

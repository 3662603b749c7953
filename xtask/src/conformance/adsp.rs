//! The vectors for ADSP (RFC 5617), our own and those of a directory.

use std::path::Path;

use anyhow::{Context, Result, bail};
use dkim_adsp::{AdspCheck, authors, gravest};
use dkim_dns::{Zone, drive_blocking};
use dkim_tags::DomainName;
use dkim_testkit::{AdspVector, load_adsp, own_adsp_vectors};

pub(super) fn run(directory: Option<&Path>) -> Result<()> {
    let mut missed = Vec::new();
    // Our own are made to our own reading: nothing in them is left open.
    let only_first = |vector: &AdspVector, result: &str| result == vector.result;
    missed.extend(count("own vectors", &own_adsp_vectors()?, only_first)?);
    if let Some(directory) = directory.filter(|directory| directory.join("adsp.jsonl").is_file()) {
        let accepted =
            |vector: &AdspVector, result: &str| vector.accept.iter().any(|word| word == result);
        let vectors = load_adsp(directory)?;
        missed.extend(count(&directory.display().to_string(), &vectors, accepted)?);
    }
    if !missed.is_empty() {
        bail!("{} missed of the vectors for ADSP: {}", missed.len(), missed.join(" "));
    }
    Ok(())
}

/// Judges all, prints those that did not come out right, and returns their ids.
fn count(
    name: &str,
    vectors: &[AdspVector],
    is_right: impl Fn(&AdspVector, &str) -> bool,
) -> Result<Vec<String>> {
    let mut missed = Vec::new();
    for vector in vectors {
        let result = judge(vector).with_context(|| vector.id.clone())?;
        if !is_right(vector, result) {
            let (id, section, expected) = (&vector.id, &vector.section, &vector.accept);
            println!("  {id} ({section}): expected {}, got {result}", expected.join(" or "));
            missed.push(id.clone());
        }
    }
    println!("{name}, ADSP: {} of {} right", vectors.len() - missed.len(), vectors.len());
    Ok(missed)
}

fn judge(vector: &AdspVector) -> Result<&'static str> {
    let sdids = vector.valid_signatures.iter().map(|sdid| DomainName::parse(sdid));
    let sdids: Vec<DomainName> = sdids.collect::<Result<_, _>>()?;
    let Ok(authors) = authors(vector.from.as_bytes()) else { return Ok("permerror") };
    let mut check = AdspCheck::new(&authors, &sdids);
    drive_blocking(&mut check, &Zone::parse(&vector.zone)?);
    Ok(gravest(&check.finish()).context("no author")?.name())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_miss_is_found() {
        let mut vectors = own_adsp_vectors().unwrap();
        let right = |vector: &AdspVector, result: &str| result == vector.result;
        assert!(count("own", &vectors, right).unwrap().is_empty());
        vectors[0].result = "pass".to_owned();
        assert_eq!(count("own", &vectors, right).unwrap(), [vectors[0].id.as_str()]);
    }
}

//! Which crate may depend on which.

use cargo_metadata::DependencyKind;

use crate::house::{Crate, House};

/// Crates that stand beside the house.
const BESIDE: [&str; 2] = ["dkim-testkit", "xtask"];

/// What nobody but its owner may depend on, in any way.
const OWNED: [(&str, &str); 5] = [
    ("ring", "dkim-crypto"),
    ("aws-lc-rs", "dkim-crypto"),
    ("aws-lc-sys", "dkim-crypto"),
    ("hickory-", "dkim-dns"),
    ("cryptoki", "dkim-keys"),
];

/// Arrows that the floors would allow.
const NEVER: [(&str, &str, &str); 2] = [
    ("dkim-verify", "dkim-sign", "signer and verifier know nothing of each other"),
    ("dkim-keyrec", "dkim-hash", "a key record can be read without a message"),
];

/// The rules that the manifests break, a line each.
pub(super) fn broken(house: &House) -> Vec<String> {
    house.crates.iter().flat_map(|one| broken_by(one, house)).collect()
}

fn broken_by(from: &Crate, house: &House) -> Vec<String> {
    let name = &from.name;
    let mut broken = Vec::new();
    let floor = house.floors.get(name);
    if floor.is_none() && !BESIDE.contains(&name.as_str()) {
        broken.push(format!("{name} has no floor in [workspace.metadata.floors]"));
    }
    for arrow in &from.arrows {
        let to = &arrow.to;
        for (crate_name, owner) in OWNED {
            let named = to == crate_name || crate_name.ends_with('-') && to.starts_with(crate_name);
            if named && name != owner {
                broken.push(format!("{name} -> {to}: only {owner} may depend on it"));
            }
        }
        if !house.crates.iter().any(|one| one.name == *to) {
            continue;
        }
        if name == "dkim-testkit" {
            broken.push(format!("{name} -> {to}: dkim-testkit may know no crate of ours"));
        }
        if arrow.kind == DependencyKind::Development {
            continue;
        }
        for (_, _, why) in NEVER.iter().filter(|never| (never.0, never.1) == (name, to)) {
            broken.push(format!("{name} -> {to}: {why}"));
        }
        match (floor, house.floors.get(to)) {
            (Some(from), Some(below)) if below >= from => broken.push(format!(
                "{name} (floor {from}) -> {to} (floor {below}): an arrow goes to a lower floor"
            )),
            (Some(_), None) => {
                broken.push(format!("{name} -> {to}: what stands beside the house is for tests"));
            }
            _ => {}
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::Arrow;

    /// A name, a floor (0 for none), and what the crate depends on.
    type Row<'r> = (&'r str, u64, &'r [(&'r str, DependencyKind)]);

    fn house(crates: &[Row<'_>]) -> House {
        let mut house = House::default();
        for (name, floor, arrows) in crates {
            let arrow =
                |(to, kind): &(&str, DependencyKind)| Arrow { to: (*to).to_owned(), kind: *kind };
            let arrows = arrows.iter().map(arrow).collect();
            house.crates.push(Crate { name: (*name).to_owned(), arrows });
            if *floor > 0 {
                house.floors.insert((*name).to_owned(), *floor);
            }
        }
        house
    }

    const NORMAL: DependencyKind = DependencyKind::Normal;
    const DEV: DependencyKind = DependencyKind::Development;

    #[test]
    fn a_house_with_arrows_down_stands() {
        let house = house(&[
            ("dkim-crypto", 1, &[("ring", NORMAL), ("aws-lc-rs", NORMAL)]),
            ("dkim-tags", 2, &[("dkim-crypto", NORMAL), ("nom", NORMAL)]),
            ("dkim-verify", 4, &[("dkim-tags", NORMAL), ("dkim-sign", DEV), ("dkim-testkit", DEV)]),
            ("dkim-sign", 3, &[("dkim-tags", NORMAL)]),
            ("dkim-testkit", 0, &[("serde_json", NORMAL)]),
            ("xtask", 0, &[("dkim-verify", NORMAL)]),
        ]);
        assert_eq!(broken(&house), Vec::<String>::new());
    }

    #[test]
    fn every_other_arrow_is_caught() {
        for (from, floor, to, kind, why) in [
            ("dkim-crypto", 1, "dkim-tags", NORMAL, "an arrow goes to a lower floor"),
            ("dkim-hash", 2, "dkim-tags", NORMAL, "an arrow goes to a lower floor"),
            ("dkim-hash", 2, "dkim-tags", DependencyKind::Build, "an arrow goes to a lower floor"),
            ("dkim-verify", 4, "dkim-sign", NORMAL, "know nothing of each other"),
            ("dkim-tags", 2, "dkim-testkit", NORMAL, "is for tests"),
            ("dkim-testkit", 0, "dkim-tags", DEV, "may know no crate of ours"),
            ("dkim-verify", 4, "ring", NORMAL, "only dkim-crypto"),
            ("dkim-verify", 4, "aws-lc-rs", DEV, "only dkim-crypto"),
            ("dkim-stack", 6, "hickory-resolver", NORMAL, "only dkim-dns"),
            ("dkim-stack", 6, "hickory-proto", DEV, "only dkim-dns"),
            ("dkim-cli", 7, "cryptoki", NORMAL, "only dkim-keys"),
            ("dkim-new", 0, "nom", NORMAL, "has no floor"),
        ] {
            let mut crates: Vec<Row<'_>> =
                vec![("dkim-tags", 2, &[]), ("dkim-sign", 3, &[]), ("dkim-testkit", 0, &[])];
            crates.retain(|(name, ..)| *name != from);
            let arrows = [(to, kind)];
            crates.push((from, floor, &arrows));
            let broken = broken(&house(&crates));
            assert_eq!(broken.len(), 1, "{from} -> {to}: {broken:?}");
            assert!(broken[0].contains(why), "{from} -> {to}: {broken:?}");
        }
    }
}

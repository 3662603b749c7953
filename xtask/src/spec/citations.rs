//! Which sections of which RFC the comments of the sources cite.

use std::collections::{BTreeMap, BTreeSet};

use crate::house::{File, lines_of_product};

/// What `§` alone means (ARCHITECTURE.md).
const DEFAULT: u32 = 6376;

/// The files that cite a section, by RFC and section.
#[derive(Default)]
pub(super) struct Citations(BTreeMap<(u32, String), BTreeSet<String>>);

impl Citations {
    /// Reads what the crates' own code cites; tests do not count, nor what is no part of the
    /// product.
    pub(super) fn of<'f>(files: impl IntoIterator<Item = &'f File>) -> Self {
        let mut citations = Self::default();
        for file in files {
            let tool = ["xtask", "dkim-testkit"].contains(&file.owner.as_str());
            if !tool && file.path.contains("/src/") {
                for paragraph in paragraphs(&file.text) {
                    for cited in cited(&paragraph) {
                        citations.0.entry(cited).or_default().insert(file.path.clone());
                    }
                }
            }
        }
        citations
    }

    /// The files that cite this very section. Neither a section above it nor one below it will do:
    /// the one says too little, the other may speak of something else.
    pub(super) fn files(&self, rfc: u32, section: &str) -> Vec<&str> {
        let files = self.0.get(&(rfc, section.to_owned()));
        files.into_iter().flatten().map(String::as_str).collect()
    }
}

/// The paragraphs of the comments in the product's code, each on one line.
fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for line in text.lines().take(lines_of_product(text)) {
        let (code, comment) = line.split_once("//").unwrap_or((line, ""));
        let comment = comment.trim_start_matches(['/', '!']).trim();
        if !code.trim().is_empty() || comment.is_empty() {
            paragraphs.push(String::new());
        }
        if let Some(paragraph) = paragraphs.last_mut() {
            paragraph.push(' ');
            paragraph.push_str(comment);
        }
    }
    paragraphs
}

/// The sections cited in a paragraph: each of the RFC named last before it, if one is.
fn cited(paragraph: &str) -> Vec<(u32, String)> {
    let mut rfc = DEFAULT;
    let mut cited = Vec::new();
    for (at, _) in paragraph.char_indices() {
        let rest = paragraph.get(at..).unwrap_or_default();
        if let Some(number) = rest.strip_prefix("RFC ").and_then(|rest| leading(rest, "")) {
            rfc = number.parse().unwrap_or(DEFAULT);
        } else if let Some(section) = rest.strip_prefix('§').and_then(|rest| leading(rest, ".")) {
            cited.push((rfc, section.trim_end_matches('.').to_owned()));
        }
    }
    cited
}

/// The digits, and other characters given, that a text begins with.
fn leading<'t>(text: &'t str, others: &str) -> Option<&'t str> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !others.contains(c));
    text.get(..end.unwrap_or(text.len())).filter(|found| !found.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_belongs_to_the_rfc_named_before_it() {
        let text = "//! Of §3.5 and RFC 8301 §3.1, §3.2.\n\
                    //!\n\
                    //! Of §3.6.1.\n\
                    fn f() {} // RFC\n\
                    // 5617 §4.1\n\
                    let text = \"§3.7\";\n\
                    #[cfg(test)]\n\
                    mod tests {\n\
                    // §3.8\n\
                    }\n";
        let file = |owner: &str, path: &str| File {
            owner: owner.to_owned(),
            path: path.to_owned(),
            is_root: false,
            text: text.to_owned(),
        };
        let files = [file("dkim-a", "dkim-a/src/a.rs"), file("dkim-a", "dkim-a/tests/a.rs")];
        let citations = Citations::of(&files);
        for (rfc, section) in
            [(6376, "3.5"), (8301, "3.1"), (8301, "3.2"), (6376, "3.6.1"), (5617, "4.1")]
        {
            assert_eq!(citations.files(rfc, section), ["dkim-a/src/a.rs"], "{rfc} {section}");
        }
        assert_eq!(citations.0.len(), 5);
        assert_eq!(Citations::of(&[file("xtask", "xtask/src/a.rs")]).0.len(), 0);
    }

    #[test]
    fn neither_parent_nor_child_is_the_section() {
        let file = File {
            owner: "dkim-a".to_owned(),
            path: "dkim-a/src/a.rs".to_owned(),
            is_root: false,
            text: "// §3.6.1".to_owned(),
        };
        let citations = Citations::of(&[file]);
        assert!(citations.files(6376, "3.6").is_empty());
        assert!(citations.files(6376, "3.6.1.1").is_empty());
    }
}

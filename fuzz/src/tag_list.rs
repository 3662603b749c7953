//! Tag-lists (RFC 6376 §3.2).

use dkim_tags::{Claims, TagList, without_b};

use crate::said::unless_refused;

/// Spans lie inside the octets, in order, and hold the value; tag-specs put together again are the
/// same list; `without_b` takes away the span of `b=` and nothing else.
pub fn tag_list(data: &[u8]) {
    let Some(list) = unless_refused(TagList::parse(data)) else { return };
    // Whatever the tags are, a report may ask what they claim.
    let _ = Claims::from_tags(&list);
    assert!((1..=TagList::MAX_TAGS).contains(&list.tags().len()));

    let mut end = 0;
    for tag in list.tags() {
        let span = tag.span();
        let before = data.get(end..span.start).expect("spans are in order and inside");
        let before = str::from_utf8(before).expect("a name is ASCII");
        let name = before.trim_start_matches(';').strip_suffix('=').expect("`=` before the value");
        assert_eq!(name.trim(), tag.name());
        let value = data.get(span.clone()).expect("spans lie inside");
        assert_eq!(
            str::from_utf8(value).expect("a value is UTF-8").trim_matches(is_fws),
            tag.value()
        );
        assert!(!tag.value().contains(';'));
        assert_eq!(list.get(tag.name()), Some(tag), "names are unique");
        end = span.end;
    }
    let tail = data.get(end..).expect("spans lie inside");
    assert!(tail.iter().all(|octet| *octet == b';' || is_fws(char::from(*octet))));

    let together: Vec<String> =
        list.tags().iter().map(|tag| format!("{}={}", tag.name(), tag.value())).collect();
    let together = together.join(";");
    let again = TagList::parse(together.as_bytes()).expect("the tags were valid before");
    let pairs = |list: &TagList<'_>| -> Vec<(String, String)> {
        list.tags().iter().map(|tag| (tag.name().to_owned(), tag.value().to_owned())).collect()
    };
    assert_eq!(pairs(&again), pairs(&list));

    let emptied = without_b(data, &list).concat();
    let removed = list.get("b").map_or(0, |tag| tag.span().len());
    assert_eq!(emptied.len(), data.len() - removed);
    let emptied = TagList::parse(&emptied).expect("an empty value is valid");
    for tag in list.tags() {
        let expected = if tag.name() == "b" { "" } else { tag.value() };
        assert_eq!(emptied.value(tag.name()), Some(expected));
    }
}

fn is_fws(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

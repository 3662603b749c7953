//! Which Authentication-Results fields a border deletes (RFC 8601 §5).

use dkim_authres::{OwnIds, forged};
use dkim_message::split;

/// One of them has U-labels: `bücher.example`.
const OURS: [&str; 2] = ["mx.example.org", "b\u{fc}cher.example"];

/// What is ours as it stands, whatever a reader knows of IDNA.
const PLAIN: [&str; 3] = ["mx.example.org", "b\u{fc}cher.example", "xn--bcher-kva.example"];

/// After the deletion no field is left that a strict reader, or a careless one, takes for ours;
/// deleting by position and by instance is the same; deleting twice is deleting once.
pub fn border(data: &[u8]) {
    let (header, _) = split(data);
    let fields: Vec<(&[u8], &[u8])> =
        header.fields().iter().map(|field| (field.raw_name(), field.body())).collect();
    let own = OwnIds::new(OURS).expect("two ids");
    let forged = forged(fields.iter().copied(), &own);

    let mut by_position = fields.clone();
    let mut by_instance = fields;
    for field in &forged {
        by_position.remove(field.position);
        let mut instances = by_instance.iter().enumerate().filter(|(_, field)| is_results(field.0));
        let (place, _) = instances.nth(field.instance - 1).expect("an instance that is there");
        by_instance.remove(place);
    }
    assert_eq!(by_position, by_instance);
    for (name, body) in &by_position {
        if is_results(name) {
            let body = String::from_utf8_lossy(body);
            for ours in PLAIN {
                assert!(strict(&body).is_none_or(|id| !id.eq_ignore_ascii_case(ours)), "{body:?}");
                assert!(!careless(&body).eq_ignore_ascii_case(ours), "{body:?}");
                let dropped = body.replace('\u{fffd}', "");
                assert!(!careless(&dropped).eq_ignore_ascii_case(ours), "{body:?}");
                assert!(
                    !careless(&without_parentheses(&body)).eq_ignore_ascii_case(ours),
                    "{body:?}"
                );
            }
        }
    }
    assert_eq!(dkim_authres::forged(by_position, &own), []);
}

fn is_results(name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name);
    name.trim_end_matches([' ', '\t']).eq_ignore_ascii_case("Authentication-Results")
}

/// The authserv-id by the grammar: `[CFWS] ( token / quoted-string ) ( CFWS / ";" )`.
fn strict(body: &str) -> Option<String> {
    let mut rest = body.chars().peekable();
    let mut depth = 0;
    loop {
        match *rest.peek()? {
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            '\\' if depth > 0 => drop(rest.next()),
            ' ' | '\t' | '\r' | '\n' => {}
            _ if depth > 0 => {}
            _ => break,
        }
        rest.next();
    }
    let mut id = String::new();
    if rest.peek() == Some(&'"') {
        rest.next();
        loop {
            match rest.next()? {
                '"' => return Some(id),
                '\\' => id.push(rest.next()?),
                '\r' | '\n' => {}
                c => id.push(c),
            }
        }
    }
    while let Some(c) =
        rest.next_if(|c| !c.is_ascii_whitespace() && !"()<>@,;:\\\"/[]?=".contains(*c))
    {
        id.push(c);
    }
    rest.peek().is_some_and(|c| c.is_ascii_whitespace() || "(;".contains(*c)).then_some(id)
}

/// Without comments, and without a parenthesis that closes none.
fn without_parentheses(body: &str) -> String {
    let mut depth = 0_usize;
    let mut rest = String::new();
    for c in body.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            c if depth == 0 => rest.push(c),
            _ => {}
        }
    }
    rest
}

/// The authserv-id as a filter in a hurry finds it: the first word before the first semicolon.
fn careless(body: &str) -> &str {
    let head = body.split(';').next().unwrap_or_default();
    head.split_ascii_whitespace().next().unwrap_or_default().trim_matches('"')
}

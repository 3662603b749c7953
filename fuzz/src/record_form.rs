//! Records in the forms that providers take.

use arbitrary::Unstructured;
use dkim_dns::{Query, QueryId, QueryKind, Zone};
use dkim_keys::{Form, Publication};

use crate::made_up;

/// Any record, in each form: what reads the form has the same name and the same text.
pub fn record_form_value(data: &[u8]) {
    let Ok(Some(publication)) = made_up::publication(&mut Unstructured::new(data)) else { return };
    let strings: Vec<Vec<u8>> = publication.strings().map(|s| s.as_bytes().to_vec()).collect();
    assert_eq!(strings.concat(), publication.text.as_bytes());

    let zone = Form::Zone.write(&publication);
    let zone = Zone::parse(zone.as_bytes()).expect("it was written");
    let query = Query { id: QueryId(0), name: publication.name.clone(), kind: QueryKind::Txt };
    let found = zone.answer(&query).expect("it is there");
    let read: Vec<Vec<u8>> = found.records.iter().map(|r| r.joined().to_vec()).collect();
    assert_eq!(read, [publication.text.as_bytes()]);

    assert_eq!(Form::Plain.write(&publication), format!("{}\n", publication.text));
    assert_tinydns(&publication);
    for form in Form::ALL {
        let written = form.write(&publication);
        assert!(written.ends_with('\n') && written.is_ascii(), "{form}");
        assert_eq!(Form::from_name(&form.to_string()), Some(form));
        // One line for what is one line, so that no text can begin a statement of its own.
        let lines = written.matches('\n').count();
        let expected = match form {
            Form::Zone => 1 + strings.len(),
            Form::Plain | Form::Json | Form::Route53 | Form::Cloudflare | Form::Tinydns => 1,
            Form::Nsupdate | Form::Octodns => 4,
            Form::Terraform => 7,
            _ => lines,
        };
        assert_eq!(lines, expected, "{form}: {written}");
        let names_it = !matches!(form, Form::Plain | Form::Octodns);
        assert!(!names_it || written.contains(&publication.name), "{form}");
    }
    let quoted = |form: Form| -> Vec<u8> {
        let written = form.write(&publication);
        let text = written.lines().find(|line| line.starts_with("update add")).expect("it adds");
        unquoted(text.as_bytes())
    };
    assert_eq!(quoted(Form::Nsupdate), publication.text.as_bytes());
}

/// What stands in quotes on a line, put together.
fn unquoted(line: &[u8]) -> Vec<u8> {
    let (mut text, mut within) = (Vec::new(), false);
    let mut octets = line.iter();
    while let Some(octet) = octets.next() {
        match octet {
            b'"' => within = !within,
            b'\\' if within => text.extend(octets.next()),
            octet if within => text.push(*octet),
            _ => {}
        }
    }
    assert!(!within, "the quotes are closed");
    text
}

/// The fields of a line of `tinydns-data` are between colons, with `\ooo` for an octet.
fn assert_tinydns(publication: &Publication) {
    let written = Form::Tinydns.write(publication);
    let fields: Vec<&str> = written.trim_end_matches('\n').split(':').collect();
    let [name, text, ttl] = fields[..] else { panic!("three fields: {written}") };
    assert_eq!(name.strip_prefix('\''), Some(&*publication.name));
    assert_eq!(ttl, publication.ttl.to_string());
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((octet, after)) = rest.split_first() {
        rest = after;
        if *octet == b'\\' {
            let (code, after) = after.split_at(3);
            let code = std::str::from_utf8(code).expect("digits");
            octets.push(u8::from_str_radix(code, 8).expect("three octal digits"));
            rest = after;
        } else {
            octets.push(*octet);
        }
    }
    assert_eq!(octets, publication.text.as_bytes());
}

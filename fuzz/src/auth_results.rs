//! The Authentication-Results field, both ways (RFC 8601 §2.2).

use arbitrary::Unstructured;
use dkim_authres::{AuthenticationResults, MAX_OCTETS, OwnIds, Prop, ResInfo, forged};

use crate::said::unless_refused;
use crate::{lines, made_up};

/// What is read and written reads as the same value, unless it is longer than what is written.
pub fn auth_results(data: &[u8]) {
    let Some(value) = unless_refused(AuthenticationResults::parse(data)) else { return };
    let written = value.field_body();
    lines::assert_field(&value.field());
    assert!(written.len() <= MAX_OCTETS);
    let again = AuthenticationResults::parse(written.as_bytes());
    if again.as_ref().is_ok_and(|again| again.results.len() < value.results.len()) {
        assert!(written.contains("(results left out: "));
        return;
    }
    if texts(&value).iter().all(|text| 2 * text.len() + 2 < 800) && keywords_fit(&value) {
        assert_eq!(again.as_ref(), Ok(&value), "{written:?}");
    } else {
        assert_kept(&value, &again.expect("it was written just now"));
    }
}

/// Whatever text is put into a value, nothing gets out of its token, and the field is never taken
/// for somebody else's.
pub fn auth_results_value(data: &[u8]) {
    let Ok(mut value) = made_up::auth_results(&mut Unstructured::new(data)) else { return };
    let written = value.field_body();
    lines::assert_field(&value.field());
    assert_eq!(value.field(), format!("Authentication-Results: {written}\r\n"));
    assert!(!written.contains(|c: char| c.is_control() && !"\r\n\t".contains(c)));
    assert!(written.len() <= MAX_OCTETS);
    let again = AuthenticationResults::parse(written.as_bytes()).expect("it was written just now");
    if again.results.len() < value.results.len() {
        assert!(written.contains("(results left out: "));
        return;
    }
    assert_kept(&value, &again);
    assert_eq!(again.field_body(), written, "written twice");

    value.authserv_id = "mx.example.net".to_owned();
    value.version = None;
    let field = [("Authentication-Results", value.field_body())];
    let others = OwnIds::new(["example.org", "net"]).expect("two ids");
    let own = OwnIds::new(["MX.example.net."]).expect("an id");
    assert_eq!(forged(field.clone(), &others), [], "{field:?}");
    assert_eq!(forged(field, &own).len(), 1);
}

/// What must be the same even where text is mended.
fn assert_kept(value: &AuthenticationResults, again: &AuthenticationResults) {
    let shape = |info: &ResInfo| (info.version, info.reason.is_some());
    let shapes =
        |value: &AuthenticationResults| value.results.iter().map(shape).collect::<Vec<_>>();
    assert_eq!((again.version, shapes(again)), (value.version, shapes(value)));
    for (value, again) in value.results.iter().zip(&again.results) {
        assert_told(&value.props, &again.props);
    }
}

/// A property's value is told whole, or is the domain of what it was, or is not told at all; what is
/// short is, unless it is an address that would not be the same on a line.
fn assert_told(props: &[Prop], again: &[Prop]) {
    let ends_lines = |c: char| c.is_control() && c != '\t' || matches!(c, '\u{2028}' | '\u{2029}');
    let is_short = |value: &str| 2 * value.len() + 2 < 800;
    let is_told = |value: &str| !value.contains('@') || !value.contains(ends_lines);
    let told = props.iter().filter(|prop| is_short(&prop.value) && is_told(&prop.value)).count();
    assert!(told <= again.len(), "{props:?} {again:?}");
    let mut props = props.iter().map(|prop| match prop.value.contains('@') {
        true => prop.value.clone(),
        false => prop.value.replace(ends_lines, " "),
    });
    for came in again {
        let is_told = |whole: &String| {
            let is_domain = |domain| whole.rsplit_once('@').is_some_and(|(_, end)| end == domain);
            *whole == came.value || came.value.strip_prefix('@').is_some_and(is_domain)
        };
        assert!(props.any(|whole| is_told(&whole)), "{came:?}");
    }
}

fn texts(value: &AuthenticationResults) -> Vec<&str> {
    let props = value.results.iter().flat_map(|info| &info.props).map(|prop| prop.value.as_str());
    let reasons = value.results.iter().filter_map(|info| info.reason.as_deref());
    props.chain(reasons).chain([value.authserv_id.as_str()]).collect()
}

fn keywords_fit(value: &AuthenticationResults) -> bool {
    value.results.iter().all(|info| {
        let props = info.props.iter().flat_map(|prop| [&prop.ptype, &prop.property]);
        props.chain([&info.method, &info.result]).all(|keyword| keyword.len() <= 64)
    })
}

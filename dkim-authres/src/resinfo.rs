//! One result of one method, with what it was found on: the RFC's `resinfo`.

/// What one authentication method found (RFC 8601 §2.2, `resinfo`).
///
/// Any text may be put in: the writer quotes what needs quoting and lets no control character
/// through (see [`AuthenticationResults::field_body`](crate::AuthenticationResults::field_body)).
///
/// ```
/// use dkim_authres::ResInfo;
///
/// let info = ResInfo::new("dkim", "fail")
///     .reason("body hash does not match")
///     .prop("header", "d", "example.com")
///     .prop("header", "b", "oINEO8hg");
/// assert_eq!(info.get("header", "d"), Some("example.com"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ResInfo {
    /// The method, a Keyword (letters, digits, hyphens): `dkim`, `spf`, …
    pub method: String,
    /// The method's version; `None` means 1.
    pub version: Option<u32>,
    /// The result, a Keyword of the method's own.
    pub result: String,
    /// A free-form comment on why the result is what it is.
    pub reason: Option<String>,
    /// The properties of the message that were evaluated, in order.
    pub props: Vec<Prop>,
}

impl ResInfo {
    /// The result of a method, without reason and properties.
    #[must_use]
    pub fn new(method: impl Into<String>, result: impl Into<String>) -> Self {
        Self { method: method.into(), result: result.into(), ..Self::default() }
    }

    /// Says which version of the method was used.
    #[must_use]
    pub fn version(mut self, version: u32) -> Self {
        self.version = Some(version);
        self
    }

    /// Gives the reason.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Adds a property, as in `header.d=example.com`.
    #[must_use]
    pub fn prop(
        mut self,
        ptype: impl Into<String>,
        property: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.props.push(Prop {
            ptype: ptype.into(),
            property: property.into(),
            value: value.into(),
        });
        self
    }

    /// The value of the first property of this name; names are compared without regard to case.
    #[must_use]
    pub fn get(&self, ptype: &str, property: &str) -> Option<&str> {
        let named = |prop: &&Prop| {
            prop.ptype.eq_ignore_ascii_case(ptype) && prop.property.eq_ignore_ascii_case(property)
        };
        self.props.iter().find(named).map(|prop| prop.value.as_str())
    }
}

/// A property of the message that a method evaluated (RFC 8601 §2.2, `propspec`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Prop {
    /// Where it was found, a Keyword: `header`, `smtp`, `body`, `policy`, …
    pub ptype: String,
    /// What it is, a Keyword: for `dkim` and `header` the name of a tag, as `d`, `i`, `b`, `a`, `s`.
    pub property: String,
    /// Its value. An email identity stands as RFC 5322 writes it, with the local-part quoted
    /// where it must be; anything else without quotes.
    pub value: String,
}

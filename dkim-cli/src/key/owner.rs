//! Users and groups, by name or number.

use std::fs;

use crate::printable::printable;

/// Who is to have a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    user: u32,
    group: u32,
}

impl Owner {
    pub(crate) const fn numbers(self) -> (u32, u32) {
        (self.user, self.group)
    }
}

/// Reads `USER` or `USER:GROUP`. Without a group it is that of the user.
pub(crate) fn parse(text: &str) -> Result<Owner, String> {
    let (user, group) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    let entry = entry("/etc/passwd", user);
    let number = |text: &str| text.parse::<u32>().ok();
    let field = |at: usize| entry.as_deref().and_then(|fields| number(fields.get(at)?));
    let user_number = field(2)
        .or_else(|| number(user))
        .ok_or_else(|| format!("there is no user \"{}\"", printable(user)))?;
    let group = match group {
        Some(name) => parse_group(name)?,
        None => field(3)
            .ok_or_else(|| format!("which group? say USER:GROUP for \"{}\"", printable(user)))?,
    };
    Ok(Owner { user: user_number, group })
}

/// Reads `GROUP`.
pub(crate) fn parse_group(name: &str) -> Result<u32, String> {
    entry("/etc/group", name)
        .and_then(|fields| fields.get(2)?.parse().ok())
        .or_else(|| name.parse().ok())
        .ok_or_else(|| format!("there is no group \"{}\"", printable(name)))
}

/// The line of a name, or of a number, in one of the files of passwd(5) and group(5). Users of
/// directory services are given by number.
fn entry(file: &str, name: &str) -> Option<Vec<String>> {
    let text = fs::read_to_string(file).ok()?;
    let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let is = |fields: &Vec<String>, at: usize| fields.get(at).is_some_and(|field| field == name);
    let mut lines = text.lines().map(fields);
    lines.clone().find(|fields| is(fields, 0)).or_else(|| lines.find(|fields| is(fields, 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_names_or_numbers() {
        let root = Owner { user: 0, group: 0 };
        for text in ["root", "0", "0:0", "root:0"] {
            assert_eq!(parse(text), Ok(root), "{text}");
        }
        assert_eq!(parse("4294967294:17"), Ok(Owner { user: 4_294_967_294, group: 17 }));
        for none in ["", "no-such-user-here", "4294967293", "root:no-such-group-here", "-1:0"] {
            assert!(parse(none).is_err(), "{none}");
        }
    }
}

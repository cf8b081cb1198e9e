//! The scopes there are, and how a list of them is read.

/// Each scope in the words of the consent page.
const SCOPES: [(&str, &str); 12] = [
    ("read", "Read everything you can see in the workspace"),
    ("write", "Create and change anything you can change"),
    ("issues:create", "Create issues and their attachments"),
    ("comments:create", "Write comments"),
    ("timeSchedule:write", "Create and change time schedules"),
    ("admin", "Do what only administrators can do"),
    ("app:assignable", "Be assigned to issues"),
    ("app:mentionable", "Be mentioned in issues and documents"),
    ("customer:read", "Read customers"),
    ("customer:write", "Create and change customers"),
    ("initiative:read", "Read initiatives"),
    ("initiative:write", "Create and change initiatives"),
];

pub(crate) fn in_words(scope: &str) -> &'static str {
    SCOPES
        .iter()
        .find(|(name, _)| *name == scope)
        .map_or("", |(_, words)| words)
}

/// Reads scopes that are separated by commas or spaces. `read` is always there. An unknown scope is
/// the error.
pub(crate) fn parse(text: &str) -> Result<Vec<String>, String> {
    let mut scopes = vec!["read".to_owned()];
    for scope in text.split([',', ' ']).filter(|scope| !scope.is_empty()) {
        if !SCOPES.iter().any(|(name, _)| *name == scope) {
            return Err(scope.to_owned());
        }
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    Ok(scopes)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn commas_and_spaces_both_separate() {
        assert_eq!(parse("read,write"), Ok(vec!["read".into(), "write".into()]));
        assert_eq!(parse("write read"), Ok(vec!["read".into(), "write".into()]));
    }

    #[test]
    fn scopes_that_do_not_exist_are_named() {
        assert_eq!(parse("read,offline_access"), Err("offline_access".into()));
    }
}

//! `.env`, read as it is written: nothing in a value is replaced by anything else.
//!
//! `NAME=value` on a line, `export ` before it if you like, and quotes around a whole value. A line
//! that begins with `#` is a comment; within a line `#` is a letter like any other.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

/// The text of a setting: wiped when it is dropped, since it may be a secret.
pub(super) type Text = Zeroizing<String>;

const BOM: &[u8] = b"\xEF\xBB\xBF";

#[derive(Debug)]
pub(super) struct Line {
    pub number: usize,
    pub value: Text,
}

/// A line that is no setting and no comment. What stands there may be a secret and is not repeated.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub line: usize,
    pub problem: String,
}

/// Reads what the file sets, by name.
pub(super) fn parse(file: &[u8]) -> Result<BTreeMap<String, Line>, Unreadable> {
    let mut lines: BTreeMap<String, Line> = BTreeMap::new();
    for (at, bytes) in file
        .strip_prefix(BOM)
        .unwrap_or(file)
        .split(|byte| *byte == b'\n')
        .enumerate()
    {
        let number = at + 1;
        let unreadable = |problem: &str| Unreadable {
            line: number,
            problem: problem.to_owned(),
        };
        let line = str::from_utf8(bytes)
            .map_err(|_| unreadable("it is not UTF-8"))?
            .trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = setting(line).map_err(unreadable)?;
        if let Some(before) = lines.get(name) {
            return Err(unreadable(&format!(
                "line {} sets {name} already",
                before.number
            )));
        }
        lines.insert(
            name.to_owned(),
            Line {
                number,
                value: value.to_owned().into(),
            },
        );
    }
    Ok(lines)
}

fn setting(line: &str) -> Result<(&str, &str), &'static str> {
    let (name, value) = line.split_once('=').ok_or("it has no =")?;
    let name = name
        .strip_prefix("export")
        .filter(|rest| rest.starts_with([' ', '\t']))
        .unwrap_or(name)
        .trim();
    if name.is_empty()
        || !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return Err("before the = stands no name of letters, digits and _");
    }
    Ok((name, unquoted(value.trim())?))
}

/// Takes off the quotes around the whole of it. Others stay: `"Relink" <relink@example.com>` is a
/// sender of mails.
fn unquoted(value: &str) -> Result<&str, &'static str> {
    let Some(quote) = value
        .chars()
        .next()
        .filter(|first| matches!(first, '"' | '\''))
    else {
        return Ok(value);
    };
    let (_, after) = value[1..]
        .split_once(quote)
        .ok_or("a quote is opened and not closed")?;
    if after.trim_start().starts_with('#') {
        return Err("a comment stands behind the value; give it a line of its own");
    }
    Ok(value[1..].strip_suffix(quote).unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: &str) -> Result<String, String> {
        let lines = parse(line.as_bytes()).map_err(|unreadable| unreadable.problem)?;
        Ok(lines
            .into_values()
            .next()
            .expect("one line")
            .value
            .to_string())
    }

    #[test]
    fn a_value_is_what_is_written() {
        for (line, expected) in [
            ("A=", ""),
            ("A=abc$def", "abc$def"),
            ("A=${HOME} $HOME `id` $(id)", "${HOME} $HOME `id` $(id)"),
            (r"A=C:\new\table\\", r"C:\new\table\\"),
            (r#"A="a\nb""#, r"a\nb"),
            (
                "A=Relink <relink@example.com>",
                "Relink <relink@example.com>",
            ),
            (
                r#"A="Relink" <relink@example.com>"#,
                r#""Relink" <relink@example.com>"#,
            ),
            ("A=abc #def", "abc #def"),
            ("A=#abc", "#abc"),
            ("A=a=b==", "a=b=="),
            ("A=it's", "it's"),
            (r#"A="it's""#, "it's"),
            (r#"A=" with room ""#, " with room "),
            ("A='$x'", "$x"),
            ("A=''", ""),
            ("  export   A = b  ", "b"),
            ("export\tA=b", "b"),
            ("\u{feff}A=b\r", "b"),
            ("export_it=b", "b"),
        ] {
            assert_eq!(value(line).as_deref(), Ok(expected), "{line}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_by_its_number_and_never_repeated() {
        for bad in [
            "hunter2",
            "hunter 2=x",
            "=hunter2",
            "A=\"hunter2",
            "A='",
            "A=\"hunter2\" # comment",
            "FIRST=hunter2",
            "sudo A=hunter2",
        ] {
            let file = format!("# first\r\nFIRST=1\r\n\r\n{bad}\r\nLAST=2\r\n");
            let unreadable = parse(file.as_bytes()).expect_err(bad);
            assert_eq!(unreadable.line, 4, "{bad}");
            assert!(!unreadable.problem.contains("hunter"), "{unreadable:?}");
        }
        assert_eq!(parse(b"A=1\nB=\xff\n").expect_err("no UTF-8").line, 2);
    }
}

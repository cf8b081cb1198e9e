use relink_engine::clock::DAY;

use super::*;

#[test]
fn an_email_is_found_in_whatever_was_picked_or_typed() {
    for typed in [
        "elif@acme.example",
        " Elif Demir, elif@acme.example (guest, Acme) ",
        "Elif <elif@acme.example>",
        "@elif elif@acme.example",
    ] {
        assert_eq!(email_in(typed), Some("elif@acme.example"), "{typed}");
    }
    for typed in ["", "Elif Demir", "@elif", "elif@"] {
        assert_eq!(email_in(typed), None, "{typed}");
    }
}

#[test]
fn only_spans_that_are_offered_are_taken() {
    assert_eq!(
        (hours(""), hours("1"), hours("168")),
        (Some(DAY), Some(HOUR), Some(7 * DAY))
    );
    for other in ["0", "2", "169", "-1", "1.5", "x"] {
        assert_eq!(hours(other), None, "{other}");
    }
}

//! What pausing, resuming or removing a destination led to, and sending deliveries to it again.

use super::{Tone, Words};
use crate::parts::counted_deliveries;

pub fn paused(name: &str) -> Words {
    Words::new(
        Tone::Good,
        format!("{name} is paused."),
        "What comes meanwhile waits for it.",
    )
}

pub fn resumed(name: &str) -> Words {
    Words::new(
        Tone::Good,
        format!("{name} is resumed."),
        "What waits is sent first.",
    )
}

pub fn removed(name: &str) -> Words {
    Words::new(
        Tone::Good,
        format!("{name} is removed."),
        "Nothing more is sent there.",
    )
}

pub fn sent_again(name: &str, count: u64, paused: bool) -> Words {
    let (go, wait, they_are) = if count == 1 {
        ("goes", "waits", "It is")
    } else {
        ("go", "wait", "They are")
    };
    let fact = format!("{} {go} to {name} again.", counted_deliveries(count));
    match (count, paused) {
        (0, _) => Words::new(
            Tone::Waiting,
            format!("Nothing is sent to {name} again."),
            "Either it is on its way right now, or there is nothing to send.",
        ),
        (_, true) => Words::new(
            Tone::Waiting,
            format!("{} {wait} for {name}.", counted_deliveries(count)),
            format!("{they_are} sent once the destination is resumed."),
        ),
        (_, false) => Words::new(
            Tone::Good,
            fact,
            "How that ends is shown in the rows below.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(count: u64, paused: bool) -> (Tone, String) {
        let words = sent_again("hooks.example.com", count, paused);
        (words.tone, format!("{} {}", words.fact, words.rest))
    }

    #[test]
    fn sending_again_says_how_many_and_what_follows() {
        let cases = [
            (
                1,
                false,
                Tone::Good,
                "1 delivery goes to hooks.example.com again. How that ends is shown in the rows \
                    below.",
            ),
            (
                100,
                false,
                Tone::Good,
                "100 deliveries go to hooks.example.com again. How that ends is shown in the rows \
                    below.",
            ),
            (
                1,
                true,
                Tone::Waiting,
                "1 delivery waits for hooks.example.com. It is sent once the destination is \
                    resumed.",
            ),
            (
                2,
                true,
                Tone::Waiting,
                "2 deliveries wait for hooks.example.com. They are sent once the destination is \
                    resumed.",
            ),
            (
                0,
                false,
                Tone::Waiting,
                "Nothing is sent to hooks.example.com again. Either it is on its way right now, or \
                    there is nothing to send.",
            ),
        ];
        for (count, paused, tone, sentence) in cases {
            assert_eq!(said(count, paused), (tone, sentence.to_owned()));
        }
    }

    #[test]
    fn what_was_done_is_said_with_what_follows() {
        let said = |words: Words| format!("{} {}", words.fact, words.rest);
        assert_eq!(
            said(paused("hooks.example.com")),
            "hooks.example.com is paused. What comes meanwhile waits for it."
        );
        assert_eq!(
            said(resumed("hooks.example.com")),
            "hooks.example.com is resumed. What waits is sent first."
        );
        assert_eq!(
            said(removed("hooks.example.com")),
            "hooks.example.com is removed. Nothing more is sent there."
        );
    }
}

//! Linear does not answer, or this Relink is set up wrongly: what was tried, when it is tried
//! again, and what it means.

use leptos::prelude::*;

use super::{Glyph, Icon, said};
use crate::view::{Answer, Fault, Waiting};

/// The notice on the connection's own page.
#[component]
pub fn WaitingCallout(waiting: Waiting) -> impl IntoView {
    let (lead, text) = waiting.at.in_sentence();
    let heading = match waiting.fault {
        Fault::Linear if waiting.failures > 0 => "Linear does not refresh the token right now",
        fault => heading(fault),
    };
    let (class, icon) = match waiting.fault {
        Fault::Linear => ("callout long wait", Icon::Clock),
        Fault::App | Fault::OtherApp | Fault::OwnApp | Fault::Keys => {
            ("callout long", Icon::Warning)
        }
    };
    let tried = match waiting.failures {
        0 => None,
        1 => Some("once".to_owned()),
        failures => Some(format!("{failures} times in a row")),
    };
    view! {
        <div class=class>
            <h2>
                <Glyph icon />
                <span>{heading}</span>
            </h2>
            <dl class="ev">
                <dt>{if waiting.failures > 1 { "Last answer" } else { "Answer" }}</dt>
                <dd>
                    {said(waiting.answer)} " " {lead} <time datetime=waiting.at.iso>{text}</time>
                </dd>
                {tried.map(|tried| view! { <dt>"Tried"</dt> <dd>{tried}</dd> })}
                {waiting.next_try.map(|next| view! { <dt>"Next try"</dt> <dd>{next}</dd> })}
                <dt>"Meaning"</dt>
                <dd>{waiting.meaning}</dd>
                {remedy(waiting.fault).map(|remedy| view! {
                    <dt>"What to do"</dt> <dd>{remedy}</dd>
                })}
            </dl>
        </div>
    }
    .into_any()
}

/// The alert above all connections, because it concerns more than one of them.
#[component]
pub fn SetUpAlert(fault: Fault, answer: Answer) -> impl IntoView {
    view! {
        <div class="flash bad" role="alert">
            <Glyph icon=Icon::Warning />
            <div>
                <p><b>{heading(fault)} "."</b> " Answer: " {said(answer)} ". " {remedy(fault)}</p>
            </div>
        </div>
    }
    .into_any()
}

fn heading(fault: Fault) -> &'static str {
    match fault {
        Fault::Linear => "Linear does not answer right now",
        Fault::App => "Linear does not accept this Relink as a client",
        Fault::OtherApp => "This connection was made with another Linear app",
        Fault::OwnApp => "Linear does not accept an app of your own",
        Fault::Keys => "This Relink lacks a key to its stored tokens",
    }
}

/// Says what to do to whoever can help; `None` where time is the remedy.
fn remedy(fault: Fault) -> Option<AnyView> {
    let steps = match fault {
        Fault::Linear => return None,
        Fault::OwnApp => return Some(replace_secrets()),
        Fault::App => view! {
            "compare what "
            <a href="/settings#linear-app">"Settings"</a>
            " shows with the app in Linear, set "
            <code>"LINEAR_CLIENT_ID"</code>
            " and "
            <code>"LINEAR_CLIENT_SECRET"</code>
        }
        .into_any(),
        Fault::OtherApp => view! {
            "put "
            <code>"LINEAR_CLIENT_ID"</code>
            " and "
            <code>"LINEAR_CLIENT_SECRET"</code>
            " back to the app that it was made with, or reconnect every workspace with the new one"
        }
        .into_any(),
        Fault::Keys => view! {
            "give every replica the same "
            <code>"RELINK_KEYS"</code>
            ", the older keys among them"
        }
        .into_any(),
    };
    Some(
        view! { "Whoever runs this Relink: " {steps} ", then start Relink again. No connection was \
            given up." }
        .into_any(),
    )
}

/// The client ID of an app never changes; its secret may have.
fn replace_secrets() -> AnyView {
    view! {
        "An owner of your organisation: compare the client ID and secret in "
        <a href="/settings#linear-app">"Settings"</a>
        " with the app in Linear, and replace the secret there. No connection was given up."
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rendered;

    #[test]
    fn whoever_can_help_is_told_what_to_compare() {
        let alert = |fault| {
            let answer = Answer::Verbatim("401 invalid_client".to_owned());
            rendered::html(|| view! { <SetUpAlert fault answer /> })
        };
        let (operators, own) = (alert(Fault::App), alert(Fault::OwnApp));
        let other = alert(Fault::OtherApp);
        assert!(
            other.contains("made with another Linear app")
                && other.contains("or reconnect every workspace"),
            "{other}"
        );
        assert!(
            operators.contains("LINEAR_CLIENT_SECRET") && operators.contains("start Relink again")
        );
        assert!(
            own.contains("An owner of your organisation") && own.contains("/settings#linear-app")
        );
        assert!(
            !own.contains("LINEAR_") && !own.contains("start Relink again"),
            "{own}"
        );
    }
}

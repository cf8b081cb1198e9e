//! Requests that were refused lately, with the likely cause. Counted, not listed: anybody can send
//! them.

use leptos::prelude::*;

use super::{Glyph, Icon, counted};
use crate::view::{Lately, RefusalCause, RefusedView, StrayView};

/// The number of warnings beyond which more help nobody.
const SHOWN_MAX: usize = 3;

#[component]
pub fn RefusalNotices(
    refused: Vec<RefusedView>,
    /// The notice stands on the connection's own page.
    #[prop(optional)]
    here: bool,
) -> impl IntoView {
    refused
        .into_iter()
        .take(SHOWN_MAX)
        .map(|refused| notice(refused, here))
        .collect_view()
        .into_any()
}

/// Shows what came to wrong addresses, with the right one.
#[component]
pub fn StrayNotices(strays: Vec<StrayView>, url: String) -> impl IntoView {
    strays
        .into_iter()
        .take(SHOWN_MAX)
        .map(|stray| stray_notice(&stray, url.clone()))
        .collect_view()
        .into_any()
}

fn stray_notice(stray: &StrayView, url: String) -> AnyView {
    let count = counted(
        usize::try_from(stray.count).unwrap_or(usize::MAX),
        "request",
    );
    let came = format!(
        "{count} with Linear’s signature came to {} in the last 24 hours, where nothing takes \
            them.",
        stray.path
    );
    view! {
        <div class="flash wait">
            <Glyph icon=Icon::Warning />
            <div>
                <p><b>{came}</b> " Change the webhook’s URL in Linear to " <code>{url}</code></p>
            </div>
        </div>
    }
    .into_any()
}

fn notice(refused: RefusedView, here: bool) -> AnyView {
    let (count, words) = (count(&refused), cause(&refused));
    let way_on = if here {
        view! { <a href="#webhooks">"See its webhook"</a> }.into_any()
    } else {
        let address = format!("/integrations/{}#webhooks", refused.connection);
        view! { <a href=address>"Open " {refused.workspace} "’s webhook"</a> }.into_any()
    };
    view! {
        <div class="flash wait">
            <Glyph icon=Icon::Warning />
            <div>
                <p><b>{count}</b> " " {words} " " {way_on}</p>
            </div>
        </div>
    }
    .into_any()
}

fn count(refused: &RefusedView) -> String {
    let number = usize::try_from(refused.count).unwrap_or(usize::MAX);
    let (requests, were) = (
        counted(number, "request"),
        if refused.count == 1 { "was" } else { "were" },
    );
    match refused.lately {
        Lately::Hour => format!("{requests} {were} refused in the last hour."),
        Lately::Day => {
            format!("{requests} {were} refused in the last 24 hours, and nothing arrived since.")
        }
    }
}

fn cause(refused: &RefusedView) -> String {
    let name = &refused.workspace;
    let (they, name_it, are) = if refused.count == 1 {
        ("It", "names", "is")
    } else {
        ("They", "name", "are")
    };
    match &refused.cause {
        RefusalCause::NoSignature => {
            let have = if refused.count == 1 { "has" } else { "have" };
            format!(
                "{they} {name_it} {name} but {have} no signature. Linear signs everything it \
                    sends."
            )
        }
        RefusalCause::Unknown => {
            format!(
                "{they} {name_it} {name} but {are} signed with no secret known here. Save the \
                    signing secret of the webhook in Linear."
            )
        }
        RefusalCause::OtherWorkspace { name: other } => format!(
            "{they} {name_it} {name} but {are} signed with the secret of {other}. Check which \
                secret is set on the webhook in Linear."
        ),
        RefusalCause::Retired { secret } => format!(
            "{they} {name_it} {name} but {are} signed with its secret {secret}, which is not \
                accepted any more. If Linear still \
                uses it, save it again."
        ),
        RefusalCause::Revoked => format!(
            "{they} {are} signed with the right secret, but {name} needs a reconnect first."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rendered;

    fn said(count: u64, cause: RefusalCause, lately: Lately, here: bool) -> String {
        let refused = RefusedView {
            connection: "c2".into(),
            workspace: "Globex".into(),
            count,
            lately,
            cause,
        };
        rendered::html(|| view! { <RefusalNotices refused=vec![refused] here=here /> })
            .replace("<!>", "")
    }

    #[test]
    fn the_likely_cause_is_named() {
        let page = said(
            3,
            RefusalCause::OtherWorkspace {
                name: "Initech Studio".into(),
            },
            Lately::Hour,
            false,
        );
        assert!(page.contains(
            "<b>3 requests were refused in the last hour.</b> They name Globex but are signed with \
                the secret of Initech Studio. \
                Check which secret is set on the webhook in Linear. <a \
                href=\"/integrations/c2#webhooks\">Open Globex’s webhook</a>"
        ));
        let page = said(1, RefusalCause::Unknown, Lately::Day, true);
        assert!(page.contains(
            "<b>1 request was refused in the last 24 hours, and nothing arrived since.</b> It \
                names Globex but is signed with no \
                secret known here. Save the signing secret of the webhook in Linear. <a \
                href=\"#webhooks\">"
        ));
        assert!(
            said(2, RefusalCause::NoSignature, Lately::Hour, false)
                .contains("They name Globex but have no signature.")
        );
        let retired = RefusalCause::Retired {
            secret: "lin_wh_····k2Rd".into(),
        };
        let page = said(2, retired, Lately::Hour, false);
        assert!(
            page.contains(
                "signed with its secret lin_wh_····k2Rd, which is not accepted any more."
            )
        );
        assert!(
            said(2, RefusalCause::Revoked, Lately::Hour, false)
                .contains("but Globex needs a reconnect first.")
        );
    }

    #[test]
    fn there_are_never_many_warnings() {
        let refused = |_| RefusedView {
            connection: "c2".into(),
            workspace: "Globex".into(),
            count: 1,
            lately: Lately::Hour,
            cause: RefusalCause::Unknown,
        };
        let page =
            rendered::html(|| view! { <RefusalNotices refused=(0..9).map(refused).collect() /> });
        assert_eq!(page.matches("flash wait").count(), SHOWN_MAX);
    }
}

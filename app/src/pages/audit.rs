//! The audit trail on the settings page.

use leptos::prelude::*;

use crate::view::{AuditLine, AuditView};

#[component]
pub fn AuditTrail(trail: AuditView) -> impl IntoView {
    let AuditView {
        lines,
        older,
        is_old,
    } = trail;
    let newest = is_old.then(|| view! { <a class="btn" href="/settings#audit">"Newest"</a> });
    let older = older.map(|number| {
        view! {
            <a class="btn" href=format!("/settings?before={number}#audit")>"Older"</a>
        }
    });
    let pager = (newest.is_some() || older.is_some())
        .then(|| view! { <p class="pager">{newest} {older}</p> });
    view! {
        <section class="set wide" id="audit" aria-labelledby="h-audit">
            <header>
                <h2 id="h-audit">"Audit trail"</h2>
                <p>"Who did what, for ever. Each line carries a seal over the one before, so that \
                    a changed or removed one is noticed."</p>
                <p>
                    <a href="/settings/audit.jsonl" download rel="external">
                        "Export as JSON Lines"
                    </a>
                </p>
            </header>
            <div>{table(lines)} {pager}</div>
        </section>
    }
    .into_any()
}

fn table(lines: Vec<AuditLine>) -> AnyView {
    if lines.is_empty() {
        return view! { <p class="soft">"Nothing here yet."</p> }.into_any();
    }
    view! {
        <div class="panel">
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">"When, UTC"</th>
                        <th scope="col">"Who"</th>
                        <th scope="col">"What"</th>
                        <th scope="col">"From"</th>
                    </tr>
                </thead>
                <tbody>{lines.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// Shows an address; there is none for commands.
fn from(address: String) -> AnyView {
    if address.is_empty() {
        view! { <span class="whole">"this machine"</span> }.into_any()
    } else {
        view! { <code>{address}</code> }.into_any()
    }
}

fn row(line: AuditLine) -> AnyView {
    view! {
        <tr>
            <td>
                <time datetime=line.at.iso>{line.at.text}</time>
            </td>
            <td data-l="Who">{line.who}</td>
            <td data-l="What">
                <b>{line.act}</b>
                " "
                {line.subject}
            </td>
            <td data-l="From">{from(line.address)}</td>
        </tr>
    }
    .into_any()
}

//! Disconnect asks first: in place where scripts run, otherwise on the same page under `?confirm=disconnect`.

use leptos::prelude::*;

use super::{Glyph, Icon};
use crate::islands::Confirm;
use crate::view::ConnectionView;

#[component]
pub fn DisconnectSection(connection: ConnectionView) -> impl IntoView {
    let page = format!("/integrations/{}", connection.id);
    view! {
        <section class="section" aria-labelledby="h-disconnect">
            <header>
                <div>
                    <h2 id="h-disconnect">"Disconnect"</h2>
                    <p>"Revokes both tokens at Linear."</p>
                </div>
                <Confirm>
                    <form method="get" action=page>
                        <input type="hidden" name="confirm" value="disconnect" />
                        <button class="btn danger">"Disconnect"</button>
                    </form>
                    <DisconnectDialog connection open=false />
                </Confirm>
            </header>
        </section>
    }
    .into_any()
}

#[component]
pub fn DisconnectDialog(connection: ConnectionView, open: bool) -> impl IntoView {
    let page = format!("/integrations/{}", connection.id);
    view! {
        <dialog open=open aria-labelledby="dialog-h" aria-describedby="dialog-p">
            <h2 id="dialog-h">"Disconnect " {connection.workspace.name} "?"</h2>
            <p class="soft" id="dialog-p">"You can connect it again later; Linear will ask for approval."</p>
            <ul>
                <li>
                    <Glyph icon=Icon::Cross />
                    "Both tokens are revoked at Linear now"
                </li>
            </ul>
            <form class="do" method="post" action="/integrations/disconnect">
                <input type="hidden" name="connection" value=connection.id />
                <a class="btn" href=page autofocus>"Keep connected"</a>
                <button class="btn danger solid">"Disconnect"</button>
            </form>
        </dialog>
    }
    .into_any()
}

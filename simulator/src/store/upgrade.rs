//! State files from when there was one application.

use serde_json::{Value, json};

/// Gives what the world and its settings held to the first application, as everything was granted
/// to it.
pub(super) fn upgrade(saved: &mut Value) {
    let Some(mut app) = saved.as_object_mut().and_then(|world| world.remove("app")) else {
        return;
    };
    for (name, at) in [
        ("installations", "/installations"),
        ("approvals", "/approvals"),
        ("webhook_url", "/settings/webhook_url"),
        ("private_to_workspace", "/settings/private_to_workspace"),
    ] {
        set(
            &mut app,
            name,
            saved.pointer(at).cloned().unwrap_or_default(),
        );
    }
    let client_id = app["client_id"].clone();
    for grant in entries(saved, "grants") {
        set(grant, "client_id", client_id.clone());
    }
    for kind in ["pending", "codes"] {
        for request in entries(saved, kind)
            .into_iter()
            .filter_map(|record| record.get_mut("request"))
        {
            set(request, "client_id", client_id.clone());
        }
    }
    for webhook in entries(saved, "webhooks")
        .into_iter()
        .filter(|webhook| webhook["source"] == "app")
    {
        set(webhook, "source", json!({"app": {"client_id": client_id}}));
    }
    set(saved, "apps", json!([app]));
}

/// Whatever is not an object stays as it is: reading the world then says that the file is damaged.
fn set(record: &mut Value, name: &str, value: Value) {
    if let Some(fields) = record.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

fn entries<'saved>(saved: &'saved mut Value, kind: &str) -> Vec<&'saved mut Value> {
    match saved.get_mut(kind) {
        Some(Value::Object(records)) => records.values_mut().collect(),
        Some(Value::Array(records)) => records.iter_mut().collect(),
        _ => Vec::new(),
    }
}

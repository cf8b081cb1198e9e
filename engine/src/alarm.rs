//! Telling those who can help that a connection needs them, by e-mail: once for each time that it
//! breaks.

use crate::Engine;
use crate::every::gets_on;
use crate::identity::Role;
use crate::mail::Mail;
use crate::store::{Broken, StoreError};
use crate::text;

/// Connections told about in one go.
const LIMIT: i64 = 500;

impl Engine {
    /// Tells the owners and admins of each organisation which connections need a reconnect and were
    /// not told about yet: one mail to each person, however many there are. Answers how many mails
    /// went out; without a mail server none.
    pub async fn send_alarms(&self) -> Result<u32, StoreError> {
        let Some(mail) = &self.settings().mail else {
            return Ok(0);
        };
        // Taken, so that of several processes one tells. What could not be told is put back.
        let mut broken = self.store().alarms_take(self.now(), LIMIT).await?;
        let mut sent = 0;
        while let Some(organisation) = broken.first().map(|one| one.organisation_id.clone()) {
            let (theirs, others): (Vec<Broken>, Vec<Broken>) = broken
                .into_iter()
                .partition(|one| one.organisation_id == organisation);
            broken = others;
            let told = self.tell_about(mail, &organisation, &theirs).await.unwrap_or_else(|error| {
                tracing::error!(%error, organisation, "whom to tell of a broken connection could \
                    not be read");
                0
            });
            if told == 0 {
                self.store().alarms_put_back(&theirs).await?;
            }
            sent += told;
        }
        Ok(sent)
    }

    /// Answers how many could be told.
    async fn tell_about(
        &self,
        mail: &Mail,
        organisation: &str,
        broken: &[Broken],
    ) -> Result<u32, StoreError> {
        let members = self.store().members(organisation).await?;
        let mut told = 0;
        for member in members
            .iter()
            .filter(|member| member.role != Role::Member.name())
        {
            match mail
                .send(
                    &member.name,
                    &member.email,
                    &subject(broken),
                    &words(mail, broken),
                )
                .await
            {
                Ok(()) => told += 1,
                Err(error) => {
                    tracing::error!(%error, organisation, "an alarm could not be sent by e-mail")
                }
            }
            gets_on();
        }
        Ok(told)
    }
}

fn subject(broken: &[Broken]) -> String {
    match broken {
        [one] => format!(
            "{} needs you: reconnect required",
            text::name(&one.workspace_name)
        ),
        several => format!(
            "{} Linear workspaces need you: reconnect required",
            several.len()
        ),
    }
}

fn words(mail: &Mail, broken: &[Broken]) -> String {
    let lines = broken.iter().map(|one| {
        let page = mail.page(&format!("/integrations/{}", one.connection_id));
        format!("{}\n{page}\n", text::name(&one.workspace_name))
    });
    format!(
        "Linear does not accept the tokens any more, so nothing that relies on the connection \
            works. Open its page, see why, and press \
            Reconnect:\n\n{}\nWebhook secrets, people and API keys stay.",
        lines.collect::<Vec<_>>().join("\n")
    )
}

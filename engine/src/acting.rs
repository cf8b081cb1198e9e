//! The one who acts, for which organisation and in what role. Every change asks this first, and its
//! line in the audit trail says it.

use crate::Engine;
use crate::identity::{Person, Role};
use crate::store::{Act, AuditActor};

/// Whoever does something in an organisation.
#[derive(Clone, Debug)]
pub struct Acting {
    pub(crate) organisation: String,
    actor: AuditActor,
    role: Role,
}

/// The role of whoever acts does not allow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("their role does not allow it")]
pub struct Denied;

impl Acting {
    /// Makes the actor of a command: whoever may run commands may do everything that an owner may.
    #[must_use]
    pub fn command(organisation: &str) -> Acting {
        Acting {
            role: Role::Owner,
            ..Acting::outside(organisation, AuditActor::command())
        }
    }

    /// Makes the actor for what Relink does by itself.
    pub(crate) fn relink(organisation: &str) -> Acting {
        Acting::outside(organisation, AuditActor::relink())
    }

    /// Makes an actor that has no role in the organisation.
    pub(crate) fn outside(organisation: &str, actor: AuditActor) -> Acting {
        Acting {
            organisation: organisation.to_owned(),
            actor,
            role: Role::Member,
        }
    }

    pub(crate) fn at(mut self, address: String) -> Acting {
        self.actor.address = address;
        self
    }

    /// The account of whoever acts; commands have none.
    pub(crate) fn user_id(&self) -> Option<&str> {
        self.actor.user_id.as_deref()
    }

    pub(crate) fn manages(&self) -> Result<(), Denied> {
        allowed(self.role.manages())
    }

    pub(crate) fn owns(&self) -> Result<(), Denied> {
        allowed(self.role.owns())
    }

    /// Makes the audit trail's line of something that they do now.
    pub(crate) fn act(
        &self,
        engine: &Engine,
        act: &'static str,
        subject: impl Into<String>,
    ) -> Act {
        Act {
            organisation_id: self.organisation.clone(),
            actor: self.actor.clone(),
            act,
            subject: subject.into(),
            at: engine.now(),
        }
    }
}

impl From<&Person> for Acting {
    fn from(person: &Person) -> Acting {
        Acting {
            organisation: person.organisation_id.clone(),
            actor: person.actor(),
            role: person.role,
        }
    }
}

fn allowed(may: bool) -> Result<(), Denied> {
    may.then_some(()).ok_or(Denied)
}

/// Declares the way into one of the engine's rooms for whoever acts, and the accessor that leads
/// there. Where nothing is done but `read`, there is no line to make for the audit trail.
macro_rules! handle {
    ($(#[$about:meta])* read $accessor:ident -> $Handle:ident) => {
        $(#[$about])*
        #[derive(Debug)]
        pub struct $Handle<'a> {
            pub(super) engine: &'a $crate::Engine,
            pub(super) acting: $crate::Acting,
        }

        impl $crate::Engine {
            $(#[$about])*
            #[must_use]
            pub fn $accessor(&self, acting: impl Into<$crate::Acting>) -> $Handle<'_> {
                $Handle {
                    engine: self,
                    acting: acting.into(),
                }
            }
        }

        impl $Handle<'_> {
            pub(super) fn store(&self) -> &$crate::store::Store {
                self.engine.store()
            }
        }
    };
    ($(#[$about:meta])* $accessor:ident -> $Handle:ident) => {
        $crate::acting::handle! { $(#[$about])* read $accessor -> $Handle }

        impl $Handle<'_> {
            pub(super) fn act(
                &self,
                act: &'static str,
                subject: impl Into<String>,
            ) -> $crate::store::Act {
                self.acting.act(self.engine, act, subject)
            }
        }
    };
}
pub(crate) use handle;

//! Addresses that sent a webhook with a right signature of late, and whose secret that was.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use relink_engine::clock::{DAY, Millis};
use relink_engine::webhook::Signer;

/// Linear sends from a handful; of more, the one that is silent for longest is forgotten.
const ADDRESSES: usize = 1_024;
/// The organisations remembered of one address. Any organisation's webhooks may come from each of
/// Linear's.
const ORGANISATIONS: usize = 8;
/// The time that a signature counts.
const OF_LATE: Millis = DAY;

#[derive(Debug, Default)]
pub struct Proven(Mutex<HashMap<IpAddr, Signatures>>);

/// The times at which the last signature of each was right.
#[derive(Debug, Default)]
struct Signatures {
    operators: Option<Millis>,
    organisations: Vec<(String, Millis)>,
    last: Millis,
}

/// The one who vouches for an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vouched {
    Nobody,
    /// Linear sends from there, or whoever runs this.
    ByOperator,
    /// Somebody who knows a secret of one of these organisations sends from there.
    ByOrganisations(Vec<String>),
}

impl Proven {
    pub fn of(&self, address: &IpAddr, now: Millis) -> Vouched {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_of_late = |at: Millis| now - at < OF_LATE;
        let Some(signatures) = known.get(address).filter(|known| is_of_late(known.last)) else {
            return Vouched::Nobody;
        };
        if signatures.operators.is_some_and(is_of_late) {
            return Vouched::ByOperator;
        }
        let organisations = signatures.organisations.iter();
        let of_late = organisations.filter(|(_, at)| is_of_late(*at));
        Vouched::ByOrganisations(of_late.map(|(name, _)| name.clone()).collect())
    }

    pub fn note(&self, address: IpAddr, signer: Signer, now: Millis) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= ADDRESSES && !known.contains_key(&address) {
            forget_one(&mut known);
        }
        let signatures = known.entry(address).or_default();
        signatures.last = now;
        match signer {
            Signer::Operator => signatures.operators = Some(now),
            Signer::Organisation(name) => signatures.by(name, now),
        }
    }
}

impl Signatures {
    fn by(&mut self, name: String, now: Millis) {
        let all = &mut self.organisations;
        all.retain(|(known, _)| *known != name);
        if all.len() >= ORGANISATIONS {
            all.remove(0);
        }
        all.push((name, now));
    }
}

/// One that only organisations vouch for, if there is any: they may name as many as they like.
fn forget_one(known: &mut HashMap<IpAddr, Signatures>) {
    let silent = known
        .iter()
        .min_by_key(|(_, signatures)| (signatures.operators.is_some(), signatures.last))
        .map(|(address, _)| *address);
    silent.and_then(|silent| known.remove(&silent));
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn address(number: usize) -> IpAddr {
        Ipv4Addr::from_bits(u32::try_from(number).unwrap()).into()
    }

    fn organisation(number: usize) -> Signer {
        Signer::Organisation(number.to_string())
    }

    #[test]
    fn an_address_is_known_for_a_day_after_its_last_right_signature() {
        let proven = Proven::default();
        assert_eq!(proven.of(&address(1), 0), Vouched::Nobody);
        proven.note(address(1), Signer::Operator, 0);
        proven.note(address(1), Signer::Operator, 10);
        assert_eq!(proven.of(&address(1), 9 + DAY), Vouched::ByOperator);
        assert_eq!(proven.of(&address(1), 10 + DAY), Vouched::Nobody);
        assert_eq!(proven.of(&address(2), 10), Vouched::Nobody);
    }

    #[test]
    fn the_operators_word_counts_before_those_of_organisations_of_which_the_last_are_kept() {
        let proven = Proven::default();
        for number in 0..=ORGANISATIONS {
            proven.note(address(1), organisation(number), 0);
        }
        proven.note(address(1), organisation(1), 1);
        let Vouched::ByOrganisations(names) = proven.of(&address(1), 1) else {
            panic!("{:?}", proven.of(&address(1), 1));
        };
        assert_eq!(names, ["2", "3", "4", "5", "6", "7", "8", "1"]);
        proven.note(address(1), Signer::Operator, 1);
        proven.note(address(1), organisation(3), DAY);
        assert_eq!(proven.of(&address(1), DAY), Vouched::ByOperator);
        let late = Vouched::ByOrganisations(vec!["3".to_owned()]);
        assert_eq!(proven.of(&address(1), DAY + 1), late);
    }

    #[test]
    fn the_address_that_is_silent_for_longest_makes_room_and_linears_last() {
        let proven = Proven::default();
        proven.note(address(0), Signer::Operator, 0);
        for number in 1..ADDRESSES {
            proven.note(address(number), organisation(1), 1);
        }
        proven.note(address(1), organisation(1), 2);
        for number in ADDRESSES..2 * ADDRESSES - 2 {
            proven.note(address(number), organisation(1), 3);
        }
        assert_eq!(proven.of(&address(0), 3), Vouched::ByOperator);
        assert_eq!(proven.of(&address(2), 3), Vouched::Nobody);
        assert_ne!(proven.of(&address(1), 3), Vouched::Nobody);
        assert_eq!(proven.0.lock().unwrap().len(), ADDRESSES);
    }
}

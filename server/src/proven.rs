//! Addresses that sent a webhook with a right signature of late.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use relink_engine::clock::{DAY, Millis};

/// Linear sends from a handful; of more, the one that is silent for longest is forgotten.
const ADDRESSES: usize = 1_024;
/// For as long a signature counts.
const OF_LATE: Millis = DAY;

#[derive(Debug, Default)]
pub struct Proven(Mutex<HashMap<IpAddr, Millis>>);

impl Proven {
    pub fn knows(&self, address: &IpAddr, now: Millis) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(address).is_some_and(|at| now - at < OF_LATE)
    }

    pub fn note(&self, address: IpAddr, now: Millis) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= ADDRESSES && !known.contains_key(&address) {
            let silent = known
                .iter()
                .min_by_key(|(_, at)| **at)
                .map(|(address, _)| *address);
            silent.and_then(|silent| known.remove(&silent));
        }
        known.insert(address, now);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn address(number: usize) -> IpAddr {
        Ipv4Addr::from_bits(u32::try_from(number).unwrap()).into()
    }

    #[test]
    fn an_address_is_known_for_a_day_after_its_last_right_signature() {
        let proven = Proven::default();
        assert!(!proven.knows(&address(1), 0));
        proven.note(address(1), 0);
        proven.note(address(1), 10);
        assert!(proven.knows(&address(1), 9 + DAY) && !proven.knows(&address(1), 10 + DAY));
        assert!(!proven.knows(&address(2), 10));
    }

    #[test]
    fn the_address_that_is_silent_for_longest_makes_room() {
        let proven = Proven::default();
        for number in 0..ADDRESSES {
            proven.note(address(number), 0);
        }
        proven.note(address(0), 1);
        for number in ADDRESSES..2 * ADDRESSES - 1 {
            proven.note(address(number), 2);
        }
        assert!(proven.knows(&address(0), 2) && !proven.knows(&address(1), 2));
        assert_eq!(proven.0.lock().unwrap().len(), ADDRESSES);
    }
}

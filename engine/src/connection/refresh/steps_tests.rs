//! Every interleaving of two refreshes with a person, a crash and a lossy network, walked through
//! one by one.
//!
//! The decisions are the real ones ([`Refresh::next`]); the row and Linear are small enough to be
//! hashed. A row's transitions are those of the statements in `store/refresh.rs`, each of which is
//! one atomic step. Leases may be taken for dead at any time, however alive their owner is: that is
//! how it is shown that they are efficiency only. Everything may be stopped for longer than
//! Linear's window: what a process had read before is the past then. A write may fail, written or
//! not, which ends its refresh. A clock that jumps calls an open intent young or old, whatever it
//! is.

use std::collections::HashSet;

use super::steps::{By, End, Event, Intent, Refresh, Row, Setback, Step};

/// An owner that nobody is any more.
const DEAD: usize = 9;

/// The tokens of a consent, after this number of rotations at Linear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Pair {
    consent: u8,
    number: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum State {
    Connected,
    Broken,
    Disconnected,
}

/// The connection's row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Stored {
    generation: i64,
    adopted: i64,
    state: State,
    pair: Pair,
    owner: Option<usize>,
    intent: bool,
}

/// One grant at Linear: how often it was rotated. The token before the last one is answered with a
/// replay.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Grant {
    rotations: u8,
    /// Tokens before this one were spent so long ago that they are replayed no more.
    closed: u8,
    ended: bool,
}

impl Grant {
    const NEW: Grant = Grant {
        rotations: 0,
        closed: 0,
        ended: false,
    };
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Process {
    refresh: Refresh,
    step: Step<Pair>,
    /// The pair that it read last.
    pair: Pair,
    /// The process whose lease it takes for dead.
    dead: Option<usize>,
    /// The intent was open before this refresh took the lease for the first time.
    open_before: bool,
    asked: bool,
    /// The row that it read is out of date.
    stale: bool,
    /// It crashed, or a write of its refresh failed.
    gone: bool,
}

impl Process {
    fn new(generation: i64, pair: Pair) -> Process {
        let (refresh, step) = (Refresh::of(generation), Refresh::begin());
        Process {
            refresh,
            step,
            pair,
            dead: None,
            open_before: false,
            asked: false,
            stale: false,
            gone: false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    row: Stored,
    grants: Vec<Grant>,
    processes: Vec<Process>,
    /// Pairs that lost against a person, and those of them that were revoked.
    owed: Vec<Pair>,
    voided: Vec<Pair>,
    crashes: u8,
    losses: u8,
    pauses: u8,
    failures: u8,
    clock_jumps: bool,
    /// Refreshes that begin after others ended or crashed.
    restarts: u8,
    people: Vec<Person>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Person {
    Reconnects,
    Disconnects,
    /// The workspace removes the app in Linear.
    Uninstalls,
}

#[derive(Clone, Copy, Debug, Default)]
struct Scope {
    processes: usize,
    crashes: u8,
    losses: u8,
    pauses: u8,
    failures: u8,
    clock_jumps: bool,
    restarts: u8,
    people: &'static [Person],
}

impl World {
    fn new(scope: Scope) -> World {
        let pair = Pair {
            consent: 0,
            number: 0,
        };
        let row = Stored {
            generation: 1,
            adopted: 1,
            state: State::Connected,
            pair,
            owner: None,
            intent: false,
        };
        let process = Process::new(1, pair);
        World {
            row,
            grants: vec![Grant::NEW],
            processes: vec![process; scope.processes],
            owed: Vec::new(),
            voided: Vec::new(),
            crashes: scope.crashes,
            losses: scope.losses,
            pauses: scope.pauses,
            failures: scope.failures,
            clock_jumps: scope.clock_jumps,
            restarts: scope.restarts,
            people: scope.people.to_vec(),
        }
    }

    /// Every world that can come next.
    fn successors(&self) -> Vec<World> {
        let mut next = Vec::new();
        for at in 0..self.processes.len() {
            if self.processes[at].gone || matches!(self.processes[at].step, Step::Done(_)) {
                next.extend(self.restart(at));
                continue;
            }
            next.extend(self.steps(at));
            if self.crashes > 0 {
                let mut crashed = self.clone();
                crashed.crashes -= 1;
                crashed.processes[at].gone = true;
                next.push(crashed);
            }
        }
        next.extend(self.pause());
        for (which, person) in self.people.iter().enumerate() {
            let mut acted = self.clone();
            acted.people.remove(which);
            acted.act(*person);
            next.push(acted);
        }
        next
    }

    /// Lets more time pass than Linear's window. A lost answer has been asked for again before
    /// that.
    fn pause(&self) -> Option<World> {
        let grant = &self.grants[usize::from(self.row.pair.consent)];
        let known = self.row.state != State::Connected || self.row.pair.number == grant.rotations;
        if self.pauses == 0 || !known {
            return None;
        }
        let mut world = self.clone();
        world.pauses -= 1;
        world
            .grants
            .iter_mut()
            .for_each(|grant| grant.closed = grant.rotations);
        world
            .processes
            .iter_mut()
            .for_each(|process| process.stale = true);
        Some(world)
    }

    fn restart(&self, at: usize) -> Option<World> {
        if self.restarts == 0 || self.row.state != State::Connected {
            return None;
        }
        let mut world = self.clone();
        world.restarts -= 1;
        // A restarted process is another owner: what its lease says is a dead one's.
        world.row.owner = world
            .row
            .owner
            .map(|owner| if owner == at { DEAD } else { owner });
        world.processes[at] = Process::new(self.row.generation, self.row.pair);
        Some(world)
    }

    fn act(&mut self, person: Person) {
        match person {
            Person::Reconnects => {
                self.grants.push(Grant::NEW);
                let consent = u8::try_from(self.grants.len() - 1).expect("few");
                let generation = self.row.generation + 1;
                let pair = Pair { consent, number: 0 };
                self.row = Stored {
                    generation,
                    adopted: generation,
                    state: State::Connected,
                    pair,
                    owner: None,
                    intent: false,
                };
            }
            Person::Disconnects => {
                self.row.generation += 1;
                self.row.state = State::Disconnected;
                self.row.owner = None;
            }
            Person::Uninstalls => self.grants.iter_mut().for_each(|grant| grant.ended = true),
        }
    }

    /// Lists what may become of a process's step: one event or several, with what they change.
    fn steps(&self, at: usize) -> Vec<World> {
        let process = &self.processes[at];
        match process.step {
            Step::Read => vec![true, false]
                .into_iter()
                .filter_map(|dead| self.read(at, dead))
                .collect(),
            Step::Wait | Step::Breathe { .. } => vec![self.then(at, Event::Waited)],
            Step::Lease => self.or_failed(at, self.lease(at)),
            Step::Ask => self.ask(at),
            Step::Save { pair, .. } | Step::SaveAgain { pair, .. } => self.save(at, pair),
            Step::Void { pair } => {
                let mut world = self.clone();
                world.voided.push(pair);
                vec![world.then(at, Event::Voided)]
            }
            Step::Break { .. } => self.or_failed(at, vec![self.broken(at)]),
            Step::BackOff(_) => {
                let mut world = self.clone();
                // `Store::refresh_put_off`, which leaves the intent open.
                if world.row.generation == process.refresh.generation()
                    && world.row.owner == Some(at)
                {
                    world.row.owner = None;
                }
                self.or_failed(at, vec![world.then(at, Event::PutOff)])
            }
            Step::Done(_) => Vec::new(),
        }
    }

    /// The write may fail instead: what it wrote is in the row or not, and the refresh ends there.
    fn or_failed(&self, at: usize, mut written: Vec<World>) -> Vec<World> {
        if self.failures > 0 {
            for row in [written[0].row.clone(), self.row.clone()] {
                let mut failed = World {
                    row,
                    failures: self.failures - 1,
                    ..self.clone()
                };
                failed.processes[at].gone = true;
                written.push(failed);
            }
        }
        written
    }

    fn then(&self, at: usize, event: Event<Pair>) -> World {
        let mut world = self.clone();
        let process = &mut world.processes[at];
        process.step = process.refresh.next(process.step.clone(), event);
        world
    }

    /// Reads the row; somebody else's lease may be taken for dead or for alive.
    fn read(&self, at: usize, dead: bool) -> Option<World> {
        let leased = self.row.owner.is_some_and(|owner| owner != at);
        if dead && !leased {
            return None;
        }
        let mut world = self.clone();
        world.processes[at].dead = self.row.owner.filter(|_| dead);
        let row = Row {
            generation: self.row.generation,
            connected: self.row.state == State::Connected,
            leased: leased && !dead,
        };
        Some(world.then(at, Event::Row(row)))
    }

    /// `Store::lease_take`, where there is no lease, or the very one that was taken for dead.
    fn lease(&self, at: usize) -> Vec<World> {
        let mut world = self.clone();
        let process = &mut world.processes[at];
        let dead = process.dead.take();
        let free = self
            .row
            .owner
            .is_none_or(|owner| owner == at || Some(owner) == dead);
        if !free
            || self.row.generation != process.refresh.generation()
            || self.row.state != State::Connected
        {
            return vec![world.then(at, Event::NotLeased)];
        }
        process.pair = self.row.pair;
        process.stale = false;
        process.open_before |= self.row.intent && !process.asked;
        let intents: &[Intent] = match (process.open_before, self.clock_jumps) {
            (false, _) => &[Intent::New],
            (true, false) => &[Intent::Open],
            (true, true) => &[Intent::Open, Intent::Late],
        };
        world.row.owner = Some(at);
        world.row.intent = true;
        intents
            .iter()
            .map(|intent| world.then(at, Event::Leased(*intent)))
            .collect()
    }

    /// `Engine::may_be_shown`: what was read long ago is read again, and must still be this
    /// refresh's.
    fn may_be_shown(&self, at: usize) -> bool {
        let process = &self.processes[at];
        let ours = self.row.generation == process.refresh.generation()
            && self.row.state == State::Connected;
        !process.stale || (ours && self.row.owner == Some(at))
    }

    /// Linear, which may answer, or do its work and lose the answer, or not even hear the question.
    fn ask(&self, at: usize) -> Vec<World> {
        if !self.may_be_shown(at) {
            return vec![self.then(at, Event::NotShown)];
        }
        let token = self.processes[at].pair;
        let mut heard = self.clone();
        heard.processes[at].asked = true;
        heard.processes[at].stale = false;
        let mut unheard = heard.clone();
        let grant = &mut heard.grants[usize::from(token.consent)];
        assert!(
            token.number >= grant.closed,
            "Linear is shown no token of the past: {self:#?}"
        );
        let answer = if grant.ended {
            Event::Refused
        } else if token.number == grant.rotations {
            grant.rotations += 1;
            Event::Pair(Pair {
                number: grant.rotations,
                ..token
            })
        } else if token.number + 1 == grant.rotations {
            Event::Pair(Pair {
                number: grant.rotations,
                ..token
            })
        } else {
            Event::Refused
        };
        let mut next = vec![heard.then(at, answer)];
        if self.losses > 0 {
            let mut lost = heard;
            lost.losses -= 1;
            next.push(lost.then(at, Event::Setback(Setback::Transient { reached: true })));
            next.push(lost.then(at, Event::Setback(Setback::Busy)));
            unheard.losses -= 1;
            next.push(unheard.then(at, Event::Setback(Setback::Transient { reached: false })));
            next.push(unheard.then(at, Event::Setback(Setback::Misconfigured)));
        }
        next
    }

    /// `Store::grant_rotate`: compare and swap, which may work and not be confirmed.
    fn save(&self, at: usize, pair: Pair) -> Vec<World> {
        let read = self.processes[at].refresh.generation();
        let mut world = self.clone();
        if self.row.generation != read || self.row.state == State::Disconnected {
            let by_person = self.row.state == State::Disconnected || self.row.adopted > read;
            world.owed.extend(by_person.then_some(pair));
            return vec![world.then(
                at,
                Event::Overtaken(if by_person { By::Person } else { By::Refresh }),
            )];
        }
        world.row = Stored {
            generation: read + 1,
            state: State::Connected,
            pair,
            owner: None,
            intent: false,
            ..self.row.clone()
        };
        let mut next = vec![world.then(at, Event::Saved)];
        if self.losses > 0 {
            for mut unsure in [world, self.clone()] {
                unsure.losses -= 1;
                next.push(unsure.then(at, Event::NotSaved));
            }
        }
        next
    }

    /// `Store::connection_break`.
    fn broken(&self, at: usize) -> World {
        let mut world = self.clone();
        if self.row.generation != self.processes[at].refresh.generation()
            || self.row.state != State::Connected
        {
            return world.then(at, Event::NotBroken);
        }
        world.row.state = State::Broken;
        world.row.owner = None;
        world.then(at, Event::Broken)
    }

    fn check(&self, before: Option<&World>) {
        let consent = self.row.pair.consent;
        let grant = &self.grants[usize::from(consent)];
        if self.row.state != State::Disconnected {
            assert_eq!(
                usize::from(consent),
                self.grants.len() - 1,
                "only the newest consent's tokens are in the row: {self:#?}"
            );
            assert!(
                self.row.pair.number + 1 >= grant.rotations,
                "the row is never more than one rotation behind: {self:#?}"
            );
            assert!(
                self.row.pair.number == grant.rotations
                    || self.row.intent
                    || self.row.state == State::Broken,
                "a rotation that is not in the row left its intent there: {self:#?}"
            );
        }
        assert!(
            self.row.state != State::Broken || grant.ended,
            "a living grant is never given up: {self:#?}"
        );
        let rotations = self.row.generation - self.row.adopted;
        let accepted = if self.row.state == State::Disconnected {
            rotations - 1
        } else {
            rotations
        };
        assert!(
            i64::from(grant.rotations) <= accepted + 1,
            "at most one accepted rotation for each generation: {self:#?}"
        );
        if let Some(before) = before {
            assert!(
                self.row.generation >= before.row.generation,
                "generations only grow"
            );
            let changed = self.row.pair != before.row.pair;
            assert!(
                !changed || self.row.generation == before.row.generation + 1,
                "no pair is written without a new generation"
            );
        }
    }

    /// Checks that, when everybody has stopped, one more refresh without faults finds the
    /// connection well.
    fn check_end(&self, scope: Scope) {
        if self.crashes == scope.crashes {
            assert!(
                self.owed.iter().all(|pair| self.voided.contains(pair)),
                "a pair that lost was left alive: {self:#?}"
            );
        }
        if self.row.state != State::Connected {
            return;
        }
        let mut world = self.clone();
        (world.crashes, world.losses, world.pauses, world.failures) = (0, 0, 0, 0);
        world.people.clear();
        let pair = world.row.pair;
        let generation = world.row.generation;
        world.processes = vec![Process::new(generation, pair)];
        world.row.owner = world.row.owner.map(|_| DEAD);
        while !matches!(world.processes[0].step, Step::Done(_)) {
            // The dead owner's lease is taken for dead here, which is the first of the two
            // readings.
            world = world.steps(0).remove(0);
        }
        let end = world.processes[0].step.clone();
        let ended = world.grants[usize::from(pair.consent)].ended;
        let good = matches!(end, Step::Done(End::Refreshed | End::Replayed));
        assert!(
            good != ended,
            "a grant that Linear honours is not lost: {self:#?} ended as {end:?}"
        );
        assert!(
            good || matches!(end, Step::Done(End::Broken)),
            "a grant that has ended is told: {self:#?} ended as {end:?}"
        );
    }
}

/// Walks through everything that can happen; answers how many different worlds there are.
fn explore(scope: Scope) -> usize {
    let first = World::new(scope);
    first.check(None);
    let mut seen: HashSet<World> = HashSet::from([first.clone()]);
    let mut open = vec![first];
    while let Some(world) = open.pop() {
        let next = world.successors();
        if next.is_empty()
            || world
                .processes
                .iter()
                .all(|process| process.gone || matches!(process.step, Step::Done(_)))
        {
            world.check_end(scope);
        }
        for world_after in next {
            world_after.check(Some(&world));
            assert!(
                world_after != world,
                "a step that leads nowhere is done for ever: {world:#?}"
            );
            if seen.insert(world_after.clone()) {
                open.push(world_after);
            }
        }
    }
    println!("{scope:?}: {} worlds", seen.len());
    seen.len()
}

#[test]
fn two_refreshes_that_begin_again_a_crash_and_losses_lose_no_grant() {
    assert!(
        explore(Scope {
            processes: 2,
            crashes: 1,
            losses: 2,
            restarts: 2,
            ..Scope::default()
        }) > 10_000
    );
}

#[test]
fn nor_do_they_when_somebody_reconnects_anywhere_in_between() {
    assert!(
        explore(Scope {
            processes: 2,
            crashes: 1,
            losses: 1,
            restarts: 1,
            people: &[Person::Reconnects],
            ..Scope::default()
        }) > 10_000
    );
}

#[test]
fn nor_when_somebody_disconnects_and_connects_again() {
    let people = &[Person::Disconnects, Person::Reconnects];
    assert!(
        explore(Scope {
            processes: 2,
            crashes: 1,
            losses: 1,
            people,
            ..Scope::default()
        }) > 5_000
    );
}

#[test]
fn an_uninstalled_app_is_found_out_and_nothing_else_is_given_up() {
    assert!(
        explore(Scope {
            processes: 2,
            crashes: 1,
            losses: 1,
            restarts: 1,
            people: &[Person::Uninstalls],
            ..Scope::default()
        }) > 5_000
    );
}

#[test]
fn three_refreshes_at_once_lose_no_grant() {
    assert!(
        explore(Scope {
            processes: 3,
            crashes: 1,
            losses: 1,
            people: &[Person::Reconnects],
            ..Scope::default()
        }) > 10_000
    );
}

#[test]
fn whoever_was_stopped_for_longer_than_the_window_shows_no_token_of_the_past() {
    assert!(
        explore(Scope {
            processes: 2,
            crashes: 1,
            losses: 1,
            pauses: 2,
            restarts: 1,
            ..Scope::default()
        }) > 10_000
    );
    let people = &[Person::Reconnects];
    assert!(
        explore(Scope {
            processes: 2,
            losses: 1,
            pauses: 1,
            people,
            ..Scope::default()
        }) > 5_000
    );
}

#[test]
fn writes_that_fail_whether_they_were_written_or_not_lose_no_grant() {
    assert!(
        explore(Scope {
            processes: 2,
            losses: 1,
            failures: 2,
            restarts: 2,
            ..Scope::default()
        }) > 10_000
    );
    let people = &[Person::Disconnects, Person::Reconnects];
    assert!(
        explore(Scope {
            processes: 2,
            losses: 1,
            failures: 1,
            restarts: 1,
            people,
            ..Scope::default()
        }) > 5_000
    );
}

#[test]
fn nor_does_a_clock_that_jumps_to_where_an_open_intent_looks_old() {
    let jumps = Scope {
        processes: 2,
        losses: 2,
        clock_jumps: true,
        ..Scope::default()
    };
    assert!(
        explore(Scope {
            crashes: 1,
            restarts: 2,
            ..jumps
        }) > 10_000
    );
    assert!(
        explore(Scope {
            losses: 1,
            failures: 1,
            restarts: 1,
            pauses: 1,
            people: &[Person::Uninstalls],
            ..jumps
        }) > 10_000
    );
}

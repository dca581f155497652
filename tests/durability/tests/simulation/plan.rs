//! What a seed asks for, and how a plan that fails becomes a smaller one that fails too.

use std::fmt;

/// Something that goes wrong. Rates are in ten-thousandths: of messages, connections, commits, writes, or
/// steps of the world, as each says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A connection ends instead of carrying this message.
    Cut,
    /// From this message on nothing arrives in either direction, and nobody is told.
    HalfOpen,
    /// A message arrives with a wrong bit.
    Corrupt,
    /// It comes behind the next.
    Reorder,
    /// It comes twice.
    Duplicate,
    /// It does not come, and those behind it do.
    Drop,
    /// A connection is not made.
    Refuse,
    /// The server dies; of steps.
    ServerDies,
    /// A commit fails, and nothing is stored.
    CommitFails,
    /// A commit fails, and everything is stored.
    CommitFailsUnknown,
    /// A commit takes a second.
    CommitIsSlow,
    /// A client dies; of steps.
    ClientDies,
    /// A write of a spool fails half done.
    WriteTears,
    /// The disk of the spools is full for a while; of batches.
    DiskFills,
    /// A bit on it turns; of operations.
    DiskRots,
}

impl Fault {
    pub(crate) const ALL: [Self; 15] = [
        Self::Cut,
        Self::HalfOpen,
        Self::Corrupt,
        Self::Reorder,
        Self::Duplicate,
        Self::Drop,
        Self::Refuse,
        Self::ServerDies,
        Self::CommitFails,
        Self::CommitFailsUnknown,
        Self::CommitIsSlow,
        Self::ClientDies,
        Self::WriteTears,
        Self::DiskFills,
        Self::DiskRots,
    ];

    /// The most that a seed may ask for.
    fn most(self) -> u32 {
        match self {
            Self::Cut => 300,
            Self::HalfOpen => 60,
            Self::Corrupt | Self::Reorder | Self::Duplicate | Self::Drop => 150,
            Self::Refuse => 4_000,
            Self::ServerDies => 150,
            Self::CommitFails | Self::CommitFailsUnknown => 800,
            Self::CommitIsSlow => 400,
            Self::ClientDies => 120,
            Self::WriteTears => 2_000,
            Self::DiskFills => 300,
            Self::DiskRots => 500,
        }
    }
}

/// How often what goes wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults([u32; Fault::ALL.len()]);

impl Faults {
    pub(crate) fn rate(&self, fault: Fault) -> u32 {
        self.0[fault as usize]
    }

    fn set(&mut self, fault: Fault, rate: u32) {
        self.0[fault as usize] = rate;
    }
}

/// One run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// Batches that are sealed, over all clients.
    pub(crate) batches: u32,
    /// Clients at one time; they share a disk.
    pub(crate) clients: usize,
    pub(crate) has_spool: bool,
    pub(crate) faults: Faults,
}

impl Plan {
    /// Each kind of fault is away in a third of the runs, so that others are seen alone.
    pub(crate) fn of_seed(seed: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut faults = Faults::default();
        for fault in Fault::ALL {
            let is_away = dice.u32(..3) == 0 || fault == Fault::DiskRots && dice.bool();
            if !is_away {
                faults.set(fault, dice.u32(..=fault.most()));
            }
        }
        Self {
            seed,
            batches: dice.u32(20..150),
            clients: dice.usize(1..=3),
            has_spool: dice.u32(..4) != 0,
            faults,
        }
    }

    /// Plans that ask for less: without one kind of fault, with half the work, with one client.
    fn smaller(self) -> Vec<Self> {
        let mut smaller = Vec::new();
        for fault in Fault::ALL {
            if self.faults.rate(fault) > 0 {
                let mut plan = self;
                plan.faults.set(fault, 0);
                smaller.push(plan);
            }
        }
        if self.clients > 1 {
            let clients = self.clients - 1;
            smaller.push(Self { clients, ..self });
        }
        if self.batches > 1 {
            let batches = self.batches / 2;
            smaller.push(Self { batches, ..self });
        }
        smaller
    }

    /// The smallest plan with the same seed that fails still, as far as it is found by leaving out.
    pub(crate) fn shrink(self, fails: impl Fn(Self) -> bool) -> Self {
        let mut plan = self;
        while let Some(smaller) = plan.smaller().into_iter().find(|&smaller| fails(smaller)) {
            plan = smaller;
        }
        plan
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {}: {} batches, {} clients, {} spool",
            self.seed,
            self.batches,
            self.clients,
            if self.has_spool { "a" } else { "no" }
        )?;
        for fault in Fault::ALL {
            if self.faults.rate(fault) > 0 {
                write!(f, ", {fault:?} {}", self.faults.rate(fault))?;
            }
        }
        Ok(())
    }
}

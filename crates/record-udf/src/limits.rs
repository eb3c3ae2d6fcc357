//! What a script may use, and how much of it is left.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// What a call of a function may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Number of Lua instructions. Work that a single instruction starts, such as copying a list, counts as many.
    pub instructions: u64,
    /// Bytes of memory: of Lua itself, and as many again of lists, maps and bytes.
    pub memory: usize,
    /// The time of a call.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { instructions: 200_000_000, memory: 32 * 1024 * 1024, time: Duration::from_secs(1) }
    }
}

/// Counts what a script uses. The counters of a call start with [`Meter::start`].
#[derive(Debug)]
pub(crate) struct Meter {
    limits: Limits,
    instructions: Cell<u64>,
    deadline: Cell<Instant>,
    memory: Cell<usize>,
    /// The limit that the script has reached. From then on nothing runs but the way out.
    exceeded: Cell<Option<Exceeded>>,
}

/// The limit that a script has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exceeded {
    Time,
    Memory,
}

impl Exceeded {
    /// The server's text.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Time => "UDF Execution Timeout",
            Self::Memory => "not enough memory",
        }
    }
}

impl Meter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            instructions: Cell::new(0),
            deadline: Cell::new(Instant::now() + limits.time),
            memory: Cell::new(0),
            exceeded: Cell::new(None),
        }
    }

    /// Starts a call that may take `time`.
    pub(crate) fn start(&self, time: Duration) {
        self.instructions.set(0);
        self.deadline.set(Instant::now() + time);
        self.exceeded.set(None);
    }

    pub(crate) fn exceeded(&self) -> Option<Exceeded> {
        self.exceeded.get()
    }

    /// Counts instructions. An error when there are none left, or no time.
    pub(crate) fn work(&self, instructions: u64) -> Result<(), Exceeded> {
        let used = self.instructions.get().saturating_add(instructions);
        self.instructions.set(used);
        if used > self.limits.instructions || Instant::now() > self.deadline.get() {
            self.exceeded.set(Some(self.exceeded.get().unwrap_or(Exceeded::Time)));
        }
        self.exceeded.get().map_or(Ok(()), Err)
    }

    /// Whether `bytes` more fit.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.memory.get().saturating_add(bytes) <= self.limits.memory
    }

    /// Notes that memory is exhausted.
    pub(crate) fn out_of_memory(&self) -> Exceeded {
        self.exceeded.set(Some(Exceeded::Memory));
        Exceeded::Memory
    }

    pub(crate) fn allocate(&self, bytes: usize) {
        self.memory.set(self.memory.get().saturating_add(bytes));
    }

    pub(crate) fn free(&self, bytes: usize) {
        self.memory.set(self.memory.get().saturating_sub(bytes));
    }
}

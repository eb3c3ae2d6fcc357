//! What an operation sees of a record, and what it gives back.

use wire_protocol::particle::particle_type;

/// The value of a bin, borrowed: a particle type and its bytes, as a record stores them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BinView<'a> {
    /// One of [`particle_type`].
    pub particle_type: u8,
    /// The particle's bytes.
    pub bytes: &'a [u8],
}

/// The value of a bin, or the result of an operation, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bin {
    /// One of [`particle_type`].
    pub particle_type: u8,
    /// The particle's bytes.
    pub bytes: Vec<u8>,
}

impl Bin {
    /// A value of any type.
    #[must_use]
    pub fn new(particle_type: u8, bytes: Vec<u8>) -> Self {
        Self { particle_type, bytes }
    }

    /// No value.
    #[must_use]
    pub fn nil() -> Self {
        Self::new(particle_type::NIL, Vec::new())
    }

    /// An integer.
    #[must_use]
    pub fn int(value: i64) -> Self {
        Self::new(particle_type::INTEGER, value.to_be_bytes().to_vec())
    }

    /// A float.
    #[must_use]
    pub fn float(value: f64) -> Self {
        Self::new(particle_type::FLOAT, value.to_be_bytes().to_vec())
    }

    /// A bool.
    #[must_use]
    pub fn bool(value: bool) -> Self {
        Self::new(particle_type::BOOL, vec![u8::from(value)])
    }

    /// The value, borrowed.
    #[must_use]
    pub fn view(&self) -> BinView<'_> {
        BinView { particle_type: self.particle_type, bytes: &self.bytes }
    }
}

/// What an operation does to its bin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The bin stays as it is.
    Keep,
    /// The bin gets this value.
    Set(Bin),
    /// The bin is removed.
    Remove,
}

/// What an operation that modifies a bin gives back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// What happens to the bin.
    pub change: Change,
    /// The operation's result. `None`: it has none; a server sends nil then if every operation must have a result.
    pub result: Option<Bin>,
}

/// A record, as expressions see it.
pub trait RecordView {
    /// The bin with this name.
    fn bin(&self, name: &[u8]) -> Option<BinView<'_>>;
}

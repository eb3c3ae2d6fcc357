//! The tree of an expression.

use regex::bytes::Regex;

use crate::geo::Shape;

/// The type of a value, known before it is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Nil,
    Bool,
    Int,
    Str,
    List,
    Map,
    Blob,
    Float,
    Geo,
    Hll,
    /// The removal of an element that a path selects.
    Remove,
    /// A value that is none of these, such as a wildcard.
    Other,
}

impl Kind {
    /// A type as clients name it.
    pub(super) fn from_code(code: u64) -> Option<Self> {
        Some(match code {
            0 => Self::Nil,
            1 => Self::Bool,
            2 => Self::Int,
            3 => Self::Str,
            4 => Self::List,
            5 => Self::Map,
            6 => Self::Blob,
            7 => Self::Float,
            8 => Self::Geo,
            9 => Self::Hll,
            _ => return None,
        })
    }

    pub(super) fn particle_type(self) -> Option<u8> {
        use wire_protocol::particle::particle_type as t;
        Some(match self {
            Self::Nil => t::NIL,
            Self::Bool => t::BOOL,
            Self::Int => t::INTEGER,
            Self::Str => t::STRING,
            Self::List => t::LIST,
            Self::Map => t::MAP,
            Self::Blob => t::BLOB,
            Self::Float => t::FLOAT,
            Self::Geo => t::GEOJSON,
            Self::Hll => t::HLL,
            Self::Remove | Self::Other => return None,
        })
    }
}

/// A comparison of two values of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unary {
    Abs,
    Floor,
    Ceil,
    ToInt,
    ToFloat,
    BitNot,
    BitCount,
}

/// A function of two numbers, or of a number and a bool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Power,
    Log,
    Modulo,
    LeftShift,
    RightShift,
    ArithmeticRightShift,
    LeftScan,
    RightScan,
}

/// A function of any number of numbers of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fold {
    Add,
    Subtract,
    Multiply,
    Divide,
    Min,
    Max,
    BitAnd,
    BitOr,
    BitXor,
}

/// A function of any number of bools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Logic {
    And,
    Or,
    /// Exactly one is true.
    Exclusive,
}

/// Metadata of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meta {
    DeviceSize,
    LastUpdate,
    SinceUpdate,
    VoidTime,
    Ttl,
    SetName,
    KeyExists,
    IsTombstone,
    MemorySize,
    RecordSize,
}

/// The family of an operation inside an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum System {
    Collection,
    Bits,
    Hll,
}

/// An operation on the value of an expression.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) system: System,
    /// Whether it changes the value; its result is the changed one then.
    pub(super) is_modify: bool,
    pub(super) kind: Kind,
    /// How deep in the expression the call stands.
    pub(super) depth: usize,
    pub(super) parts: Vec<Part<'a>>,
    pub(super) target: Node<'a>,
}

/// A part of the bytes of an operation.
#[derive(Debug)]
pub(super) enum Part<'a> {
    Bytes(&'a [u8]),
    Value(Node<'a>),
}

/// A literal value.
#[derive(Debug)]
pub(super) enum Literal<'a> {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(&'a [u8]),
    Blob(&'a [u8]),
    Hll(&'a [u8]),
    Geo(&'a [u8], Box<Shape>),
    /// A list, a map, or something else, encoded.
    Packed(&'a [u8]),
}

/// A part of an expression.
#[derive(Debug)]
pub(super) enum Node<'a> {
    Unknown,
    /// Removes the element that a path selects.
    Remove,
    Literal(Literal<'a>),
    Compare(Comparison, Box<[Node<'a>; 2]>),
    Regex(Box<Regex>, Box<Node<'a>>),
    Geo(Box<[Node<'a>; 2]>),
    /// A value, and the list that may contain it.
    InList(Box<[Node<'a>; 2]>),
    Logic(Logic, Vec<Node<'a>>),
    Not(Box<Node<'a>>),
    Fold(Fold, Vec<Node<'a>>),
    Unary(Unary, Box<Node<'a>>),
    Binary(Binary, Box<[Node<'a>; 2]>),
    Meta(Meta),
    DigestModulo(i32),
    Key(Kind),
    Bin(&'a [u8], Kind),
    BinType(&'a [u8]),
    MapKeys(Box<Node<'a>>),
    MapValues(Box<Node<'a>>),
    /// A variable that a path sets for each element: its key, value or index.
    Element(usize, Kind),
    /// Conditions with values, in order, and the value if none holds.
    Cond(Vec<[Node<'a>; 2]>, Box<Node<'a>>),
    Variable(usize),
    /// The first variable, the values of it and the next ones, and what uses them.
    Let(usize, Vec<Node<'a>>, Box<Node<'a>>),
    Call(Box<Call<'a>>),
}

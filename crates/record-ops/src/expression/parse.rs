//! Reads expressions, and checks their types as the server does.

mod call;
mod codes;

use wire_protocol::msgpack::Token;

use self::codes::size_of;
use crate::args::Args;
use crate::error::OpError;
use crate::expression::node::{Binary, Comparison, Fold, Kind, Literal, Logic, Meta, Node, Unary};
use crate::expression::{Expression, MAX_DEPTH, pattern};
use crate::geo::Shape;

/// Size of the largest expression, as the server counts it: see [`codes`].
const MAX_SIZE: usize = 1024 * 1024;

/// The longest name of a bin.
const MAX_BIN_NAME: usize = 15;

pub(super) type Result<T> = std::result::Result<T, OpError>;

const INVALID: OpError = OpError::parameter("the bytes are not an expression");
const WRONG_COUNT: OpError = OpError::parameter("an expression has the wrong number of arguments");
const WRONG_TYPE: OpError = OpError::parameter("an argument of an expression has the wrong type");

/// What is known about a part of an expression that has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Type {
    pub(super) kind: Kind,
    /// It is the expression that is always unknown, which takes the place of a value of any type.
    is_unknown: bool,
}

impl From<Kind> for Type {
    fn from(kind: Kind) -> Self {
        Self { kind, is_unknown: false }
    }
}

type Typed<'a> = (Node<'a>, Type);

/// A variable that is visible.
struct Variable<'a> {
    name: &'a [u8],
    /// `None` while its value is read.
    kind: Option<Kind>,
}

pub(super) struct Parser<'a> {
    args: Args<'a>,
    /// The visible variables; their positions are their numbers.
    variables: Vec<Variable<'a>>,
    most_variables: usize,
    size: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { args: Args::over(bytes), variables: Vec::new(), most_variables: 0, size: 0, depth: 0 }
    }

    /// A parser of an expression at this depth inside another one.
    pub(super) fn inside(bytes: &'a [u8], depth: usize) -> Self {
        Self { depth, ..Self::new(bytes) }
    }

    /// Reads an expression that is all of the bytes.
    pub(super) fn whole(mut self) -> Result<Expression<'a>> {
        let (root, Type { kind, .. }) = self.next()?;
        if !self.args.rest().is_empty() || kind == Kind::Other {
            return Err(INVALID);
        }
        Ok(Expression { root, kind, variables: self.most_variables })
    }

    /// Counts something that the server stores.
    fn charge(&mut self, size: usize) -> Result<()> {
        self.size += size;
        if self.size < MAX_SIZE { Ok(()) } else { Err(OpError::parameter("the expression is too large")) }
    }

    /// Reads an expression.
    fn next(&mut self) -> Result<Typed<'a>> {
        if self.depth == MAX_DEPTH {
            return Err(OpError::parameter("the expression nests too deep"));
        }
        self.depth += 1;
        let typed = match self.args.peek()? {
            Token::List { .. } => self.operation(),
            token => self.literal(token),
        };
        self.depth -= 1;
        typed
    }

    /// Reads an expression of a type.
    fn expect(&mut self, wanted: Kind) -> Result<Node<'a>> {
        let (node, found) = self.next()?;
        if found.kind == wanted { Ok(node) } else { Err(WRONG_TYPE) }
    }

    fn boxed(&mut self, wanted: Kind) -> Result<Box<Node<'a>>> {
        self.expect(wanted).map(Box::new)
    }

    fn pair(&mut self, first: Kind, second: Kind) -> Result<Box<[Node<'a>; 2]>> {
        Ok(Box::new([self.expect(first)?, self.expect(second)?]))
    }

    fn literal(&mut self, token: Token<'a>) -> Result<Typed<'a>> {
        self.charge(size_of::literal(&token))?;
        let (literal, kind) = match token {
            Token::Nil => (Literal::Nil, Kind::Nil),
            Token::Bool(value) => (Literal::Bool(value), Kind::Bool),
            Token::Int(value) => (Literal::Int(value), Kind::Int),
            Token::Uint(value) => (Literal::Int(value.cast_signed()), Kind::Int),
            Token::Float(value) => (Literal::Float(value), Kind::Float),
            Token::Str(text) => (Literal::Str(text), Kind::Str),
            Token::Blob(_) => return self.blob(),
            Token::GeoJson(text) => {
                let shape =
                    Shape::parse(text).ok_or(OpError::parameter("an expression has invalid GeoJSON"))?;
                (Literal::Geo(text, Box::new(shape)), Kind::Geo)
            }
            Token::Map { .. } => (Literal::Packed(self.args.value()?), Kind::Map),
            _ => (Literal::Packed(self.args.value()?), Kind::Other),
        };
        if !matches!(literal, Literal::Packed(_)) {
            self.args.value()?;
        }
        Ok((Node::Literal(literal), kind.into()))
    }

    /// Reads bytes: a blob or a HyperLogLog.
    fn blob(&mut self) -> Result<Typed<'a>> {
        use wire_protocol::particle::particle_type;
        let (literal, kind) = match self.args.raw()?.split_first() {
            Some((&particle_type::BLOB, bytes)) => (Literal::Blob(bytes), Kind::Blob),
            Some((&particle_type::HLL, bytes)) => (Literal::Hll(bytes), Kind::Hll),
            _ => {
                return Err(OpError::parameter(
                    "bytes in an expression are neither a blob nor a HyperLogLog",
                ));
            }
        };
        Ok((Node::Literal(literal), kind.into()))
    }

    /// Reads a list: a code and its arguments.
    fn operation(&mut self) -> Result<Typed<'a>> {
        let len = self.args.list()?;
        let count = len.checked_sub(1).ok_or(INVALID)?;
        let code = self.args.unsigned()?;
        self.charge(size_of::operation(code).ok_or(OpError::parameter("unknown code in an expression"))?)?;
        if codes::argument_count(code).is_some_and(|wanted| wanted != count) {
            return Err(WRONG_COUNT);
        }
        let typed = |node, kind: Kind| Ok((node, kind.into()));
        if let Some(meta) = codes::meta(code) {
            return typed(
                Node::Meta(meta),
                match meta {
                    Meta::SetName => Kind::Str,
                    Meta::KeyExists | Meta::IsTombstone => Kind::Bool,
                    _ => Kind::Int,
                },
            );
        }
        if let Some(comparison) = codes::comparison(code) {
            return typed(self.comparison(comparison)?, Kind::Bool);
        }
        if let Some(logic) = codes::logic(code) {
            return typed(self.logic(logic, count)?, Kind::Bool);
        }
        if let Some(fold) = codes::fold(code) {
            return self.fold(fold, count);
        }
        if let Some(unary) = codes::unary(code) {
            return self.unary(unary);
        }
        if let Some(binary) = codes::binary(code) {
            return self.binary(binary);
        }
        match code {
            codes::UNKNOWN => Ok((Node::Unknown, Type { kind: Kind::Bool, is_unknown: true })),
            codes::REGEX => typed(self.regex()?, Kind::Bool),
            codes::GEO => typed(Node::Geo(self.pair(Kind::Geo, Kind::Geo)?), Kind::Bool),
            codes::IN_LIST => {
                let (value, _) = self.next()?;
                typed(Node::InList(Box::new([value, self.expect(Kind::List)?])), Kind::Bool)
            }
            codes::NOT => typed(Node::Not(self.boxed(Kind::Bool)?), Kind::Bool),
            codes::DIGEST_MODULO => {
                // Like the server, takes the lowest bits.
                let modulus = self.args.integer()? as i32;
                if modulus == 0 {
                    return Err(OpError::parameter("the modulus of a digest is 0"));
                }
                typed(Node::DigestModulo(modulus), Kind::Int)
            }
            codes::KEY => {
                let kind = Kind::from_code(self.args.unsigned()?);
                let kind = kind.filter(|kind| matches!(kind, Kind::Int | Kind::Str | Kind::Blob));
                let kind = kind.ok_or(OpError::parameter("a key cannot have the type in an expression"))?;
                typed(Node::Key(kind), kind)
            }
            codes::BIN => {
                let kind = self.kind()?;
                typed(Node::Bin(self.bin_name()?, kind), kind)
            }
            codes::BIN_TYPE => typed(Node::BinType(self.bin_name()?), Kind::Int),
            codes::REMOVE => typed(Node::Remove, Kind::Remove),
            codes::MAP_KEYS => typed(Node::MapKeys(Box::new(self.next()?.0)), Kind::List),
            codes::MAP_VALUES => typed(Node::MapValues(Box::new(self.next()?.0)), Kind::List),
            codes::ELEMENT => self.element(),
            codes::COND => self.cond(count),
            codes::VARIABLE => self.variable(),
            codes::LET => self.bindings(count),
            codes::QUOTE => match self.args.peek()? {
                Token::List { .. } => typed(Node::Literal(Literal::Packed(self.args.value()?)), Kind::List),
                _ => Err(OpError::parameter("a quoted value in an expression is not a list")),
            },
            _ => self.call(),
        }
    }

    /// Reads the code of a type.
    fn kind(&mut self) -> Result<Kind> {
        Kind::from_code(self.args.unsigned()?).ok_or(OpError::parameter("unknown type in an expression"))
    }

    fn bin_name(&mut self) -> Result<&'a [u8]> {
        let name = self.args.raw()?;
        if name.len() > MAX_BIN_NAME || name.contains(&0) {
            return Err(OpError::parameter("an expression has an invalid bin name"));
        }
        Ok(name)
    }

    fn comparison(&mut self, comparison: Comparison) -> Result<Node<'a>> {
        let (a, of_a) = self.next()?;
        let (b, of_b) = self.next()?;
        if of_a.kind != of_b.kind || matches!(of_a.kind, Kind::Geo | Kind::Hll) {
            return Err(OpError::parameter("an expression compares values that cannot be compared"));
        }
        Ok(Node::Compare(comparison, Box::new([a, b])))
    }

    fn regex(&mut self) -> Result<Node<'a>> {
        let flags = self.args.integer()?;
        let text = self.args.raw()?;
        let subject = self.boxed(Kind::Str)?;
        let regex = pattern::compile(text, flags)
            .ok_or(OpError::parameter("a regular expression is invalid or not supported"))?;
        Ok(Node::Regex(Box::new(regex), subject))
    }

    /// Reads arguments of one type.
    fn all(&mut self, count: usize, kind: Kind) -> Result<Vec<Node<'a>>> {
        // Not with capacity `count`: it is only what the list announces.
        let mut nodes = Vec::new();
        for _ in 0..count {
            nodes.push(self.expect(kind)?);
        }
        Ok(nodes)
    }

    fn logic(&mut self, logic: Logic, count: usize) -> Result<Node<'a>> {
        if count < 2 {
            return Err(WRONG_COUNT);
        }
        Ok(Node::Logic(logic, self.all(count, Kind::Bool)?))
    }

    fn fold(&mut self, fold: Fold, count: usize) -> Result<Typed<'a>> {
        let rest = count.checked_sub(1).ok_or(WRONG_COUNT)?;
        let (first, Type { kind, .. }) = self.next()?;
        let takes_floats = !matches!(fold, Fold::BitAnd | Fold::BitOr | Fold::BitXor);
        if kind != Kind::Int && !(kind == Kind::Float && takes_floats) {
            return Err(WRONG_TYPE);
        }
        let mut nodes = vec![first];
        nodes.append(&mut self.all(rest, kind)?);
        Ok((Node::Fold(fold, nodes), kind.into()))
    }

    fn unary(&mut self, unary: Unary) -> Result<Typed<'a>> {
        let (wanted, result) = match unary {
            Unary::Abs => {
                let (node, Type { kind, .. }) = self.next()?;
                let is_number = matches!(kind, Kind::Int | Kind::Float);
                let node = Node::Unary(unary, Box::new(node));
                return if is_number { Ok((node, kind.into())) } else { Err(WRONG_TYPE) };
            }
            Unary::Floor | Unary::Ceil => (Kind::Float, Kind::Float),
            Unary::ToInt => (Kind::Float, Kind::Int),
            Unary::ToFloat => (Kind::Int, Kind::Float),
            Unary::BitNot | Unary::BitCount => (Kind::Int, Kind::Int),
        };
        Ok((Node::Unary(unary, self.boxed(wanted)?), result.into()))
    }

    fn binary(&mut self, binary: Binary) -> Result<Typed<'a>> {
        let (first, second) = match binary {
            Binary::Power | Binary::Log => (Kind::Float, Kind::Float),
            Binary::LeftScan | Binary::RightScan => (Kind::Int, Kind::Bool),
            _ => (Kind::Int, Kind::Int),
        };
        Ok((Node::Binary(binary, self.pair(first, second)?), first.into()))
    }

    /// Reads a variable that a path sets: 0 the key, 1 the value, 2 the index of an element.
    fn element(&mut self) -> Result<Typed<'a>> {
        const INDEX: u64 = 2;
        let kind = self.kind()?;
        let which = self.args.unsigned()?;
        if which > INDEX || which == INDEX && kind != Kind::Int {
            return Err(OpError::parameter("an expression has an invalid variable of a path"));
        }
        Ok((Node::Element(which as usize, kind), kind.into()))
    }

    fn cond(&mut self, count: usize) -> Result<Typed<'a>> {
        if count < 3 || count.is_multiple_of(2) {
            return Err(WRONG_COUNT);
        }
        let mut common = None;
        let mut value = |parser: &mut Self| {
            let (node, found) = parser.next()?;
            let kind = match common {
                _ if found.is_unknown => return Ok(node),
                None => *common.insert(found.kind),
                Some(kind) => kind,
            };
            if kind == found.kind { Ok(node) } else { Err(WRONG_TYPE) }
        };
        let mut cases = Vec::new();
        self.charge(size_of::CASE)?;
        for _ in 0..count / 2 {
            self.charge(size_of::CASE)?;
            let condition = self.expect(Kind::Bool)?;
            cases.push([condition, value(self)?]);
        }
        let default = Box::new(value(self)?);
        let node = Node::Cond(cases, default);
        Ok((node, common.unwrap_or(Kind::Bool).into()))
    }

    fn find(&self, name: &[u8]) -> Option<usize> {
        self.variables.iter().position(|variable| variable.name == name)
    }

    fn variable(&mut self) -> Result<Typed<'a>> {
        let name = self.args.raw()?;
        let number = self.find(name).ok_or(OpError::parameter("an expression uses an undefined variable"))?;
        let kind = self.variables[number].kind;
        let kind = kind.ok_or(OpError::parameter("an expression uses a variable in its own definition"))?;
        Ok((Node::Variable(number), kind.into()))
    }

    fn bindings(&mut self, count: usize) -> Result<Typed<'a>> {
        if count < 3 || count.is_multiple_of(2) {
            return Err(WRONG_COUNT);
        }
        let first = self.variables.len();
        let mut values = Vec::new();
        for _ in 0..count / 2 {
            let name = self.args.raw()?;
            let is_valid = name.first().is_some_and(|first| !first.is_ascii_digit())
                && name.iter().all(|&byte| byte == b'_' || byte.is_ascii_alphanumeric());
            if !is_valid || self.find(name).is_some() {
                return Err(OpError::parameter("an expression defines an invalid variable, or one twice"));
            }
            if self.variables.len() == MAX_VARIABLES {
                return Err(OpError::parameter("an expression defines too many variables"));
            }
            self.variables.push(Variable { name, kind: None });
            let number = self.variables.len() - 1;
            let (value, Type { kind, .. }) = self.next()?;
            self.variables[number].kind = Some(kind);
            values.push(value);
        }
        let (body, found) = self.next()?;
        self.most_variables = self.most_variables.max(self.variables.len());
        self.variables.truncate(first);
        Ok((Node::Let(first, values, Box::new(body)), found))
    }
}

/// The largest number of variables that are visible at once. They are searched one by one.
const MAX_VARIABLES: usize = 1024;

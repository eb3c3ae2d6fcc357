//! Evaluates expressions.

use std::cmp::Ordering;

use wire_protocol::msgpack::{self, Reader, Token};
use wire_protocol::particle::particle_type;

use crate::error::OpError;
use crate::expression::node::{Comparison, Fold, Logic, Node};
use crate::expression::outcome::{Bytes, Outcome};
use crate::expression::{Context, MAX_WORK, numbers, pattern};
use crate::geo::Shape;
use crate::value;

/// Evaluates the nodes of one expression over one record.
pub(super) struct Evaluator<'e> {
    /// The record; there is none for the elements of a path.
    context: Option<&'e Context<'e>>,
    variables: Vec<Outcome<'e>>,
    /// Key, value and index of the element to which a path has come.
    elements: [Outcome<'e>; 3],
    /// The work that is left.
    work: usize,
}

impl<'e> Evaluator<'e> {
    pub(super) fn new(context: &'e Context<'e>, variables: usize) -> Self {
        let elements = [const { Outcome::Unknown }; 3];
        Self { context: Some(context), ..Self::inside(elements, variables, MAX_WORK) }
    }

    /// For an element of a path: its key, value and index.
    pub(super) fn inside(elements: [Outcome<'e>; 3], variables: usize, work: usize) -> Self {
        Self { context: None, variables: vec![Outcome::Unknown; variables], elements, work }
    }

    /// Fails if the evaluation was stopped because it took too much work.
    pub(super) fn finish(self) -> Result<(), OpError> {
        match self.work {
            0 => Err(OpError::not_applicable("the expression takes too much work")),
            _ => Ok(()),
        }
    }

    /// The work that is left.
    pub(super) fn work(&self) -> usize {
        self.work
    }

    pub(super) fn work_mut(&mut self) -> &mut usize {
        &mut self.work
    }

    /// Counts work. `false`: there is too much, and every value is unknown from now on.
    pub(super) fn charge(&mut self, work: usize) -> bool {
        self.work = self.work.saturating_sub(work.saturating_add(1));
        self.work > 0
    }

    pub(super) fn value(&mut self, node: &'e Node<'_>) -> Outcome<'e> {
        if !self.charge(0) {
            return Outcome::Unknown;
        }
        match node {
            Node::Unknown => Outcome::Unknown,
            Node::Remove => Outcome::Remove,
            Node::Literal(literal) => Outcome::of_literal(literal),
            Node::Compare(comparison, pair) => self.compare(*comparison, pair),
            Node::Regex(regex, subject) => match self.value(subject) {
                Outcome::Str(text) if self.charge(text.len()) => {
                    Outcome::Bool(regex.is_match(pattern::until_zero(&text)))
                }
                _ => Outcome::Unknown,
            },
            Node::Geo(pair) => self.geo(pair),
            Node::InList(pair) => self.in_list(pair),
            Node::Logic(logic, nodes) => self.logic(*logic, nodes),
            Node::Not(node) => match self.value(node) {
                Outcome::Bool(value) => Outcome::Bool(!value),
                _ => Outcome::Unknown,
            },
            Node::Fold(fold, nodes) => self.fold(*fold, nodes),
            Node::Unary(unary, node) => {
                let value = self.value(node);
                numbers::unary(*unary, &value)
            }
            Node::Binary(binary, pair) => {
                let [a, b] = &**pair;
                let a = self.value(a);
                let b = if a.is_unknown() { Outcome::Unknown } else { self.value(b) };
                numbers::binary(*binary, &a, &b)
            }
            Node::Meta(_) | Node::DigestModulo(_) | Node::Key(_) | Node::Bin(..) | Node::BinType(_) => {
                self.context.map_or(Outcome::Unknown, |context| of_record(node, context))
            }
            Node::MapKeys(map) => self.map_parts(map, 0),
            Node::MapValues(map) => self.map_parts(map, 1),
            Node::Element(which, kind) => match self.elements.get(*which) {
                Some(value) if value.is(*kind) => value.clone(),
                _ => Outcome::Unknown,
            },
            Node::Cond(cases, default) => self.cond(cases, default),
            Node::Variable(number) => self.variables.get(*number).cloned().unwrap_or(Outcome::Unknown),
            Node::Let(first, values, body) => {
                for (number, value) in (*first..).zip(values) {
                    let value = self.value(value);
                    if let Some(variable) = self.variables.get_mut(number) {
                        *variable = value;
                    }
                }
                self.value(body)
            }
            Node::Call(call) => self.call(call),
        }
    }

    fn pair(&mut self, pair: &'e [Node<'_>; 2]) -> Option<[Outcome<'e>; 2]> {
        let a = self.value(&pair[0]);
        if a.is_unknown() {
            return None;
        }
        let b = self.value(&pair[1]);
        if b.is_unknown() { None } else { Some([a, b]) }
    }

    fn compare(&mut self, comparison: Comparison, pair: &'e [Node<'_>; 2]) -> Outcome<'e> {
        let Some([a, b]) = self.pair(pair) else {
            return Outcome::Unknown;
        };
        if !self.charge(a.size().min(b.size())) {
            return Outcome::Unknown;
        }
        let order = match (&a, &b) {
            (Outcome::Nil, Outcome::Nil) => Some(Ordering::Equal),
            (Outcome::Bool(a), Outcome::Bool(b)) => Some(a.cmp(b)),
            (Outcome::Int(a), Outcome::Int(b)) => Some(a.cmp(b)),
            // With NaN, only "not equal" is true.
            (Outcome::Float(a), Outcome::Float(b)) => {
                let order = a.partial_cmp(b);
                return Outcome::Bool(
                    order.map_or(comparison == Comparison::NotEqual, |o| holds(comparison, o)),
                );
            }
            (Outcome::Str(a), Outcome::Str(b)) | (Outcome::Blob(a), Outcome::Blob(b)) => {
                Some((**a).cmp(&**b))
            }
            (Outcome::Packed(a), Outcome::Packed(b)) => value::compare_ordered(a, b),
            _ => None,
        };
        order.map_or(Outcome::Unknown, |order| Outcome::Bool(holds(comparison, order)))
    }

    fn geo(&mut self, pair: &'e [Node<'_>; 2]) -> Outcome<'e> {
        /// The work that a byte of a text takes: parsing it, and counting how often the region's edges are crossed.
        const PER_BYTE: usize = 16;
        let Some([Outcome::Geo(a, shape_a), Outcome::Geo(b, shape_b)]) = self.pair(pair) else {
            return Outcome::Unknown;
        };
        if !self.charge((a.len() + b.len()).saturating_mul(PER_BYTE)) {
            return Outcome::Unknown;
        }
        let parsed = |known: Option<&Shape>, text: &[u8]| known.cloned().or_else(|| Shape::parse(text));
        match (parsed(shape_a, &a), parsed(shape_b, &b)) {
            (Some(a), Some(b)) => Outcome::Bool(a.matches(&b)),
            _ => Outcome::Unknown,
        }
    }

    fn in_list(&mut self, pair: &'e [Node<'_>; 2]) -> Outcome<'e> {
        let Some([wanted, Outcome::Packed(list)]) = self.pair(pair) else {
            return Outcome::Unknown;
        };
        let mut packed = Vec::new();
        let mut elements = Reader::new(&list);
        let (Some(()), Ok(Token::List { len })) = (wanted.write_packed(&mut packed), elements.token()) else {
            return Outcome::Unknown;
        };
        for _ in 0..len {
            let element = elements.rest();
            let is_valid = elements.skip_value().is_ok();
            if !is_valid || !self.charge(element.len() - elements.remaining()) {
                return Outcome::Unknown;
            }
            if value::compare(&packed, element).is_eq() {
                return Outcome::Bool(true);
            }
        }
        Outcome::Bool(false)
    }

    fn logic(&mut self, logic: Logic, nodes: &'e [Node<'_>]) -> Outcome<'e> {
        if logic == Logic::Exclusive {
            return self.exclusive(nodes);
        }
        // The value that decides, whatever the others are.
        let deciding = logic == Logic::Or;
        let mut is_unknown = false;
        for node in nodes {
            match self.value(node) {
                Outcome::Bool(value) if value == deciding => return Outcome::Bool(deciding),
                Outcome::Bool(_) => {}
                _ => is_unknown = true,
            }
        }
        if is_unknown { Outcome::Unknown } else { Outcome::Bool(!deciding) }
    }

    fn exclusive(&mut self, nodes: &'e [Node<'_>]) -> Outcome<'e> {
        let mut has_true = false;
        for node in nodes {
            match self.value(node) {
                Outcome::Bool(false) => {}
                Outcome::Bool(true) if has_true => return Outcome::Bool(false),
                Outcome::Bool(true) => has_true = true,
                _ => return Outcome::Unknown,
            }
        }
        Outcome::Bool(has_true)
    }

    fn fold(&mut self, fold: Fold, nodes: &'e [Node<'_>]) -> Outcome<'e> {
        let (mut ints, mut floats) = (Vec::new(), Vec::new());
        for node in nodes {
            match self.value(node) {
                Outcome::Int(value) => ints.push(value),
                Outcome::Float(value) => floats.push(value),
                _ => return Outcome::Unknown,
            }
        }
        let ints = numbers::fold_ints(fold, ints.into_iter()).map(Outcome::Int);
        let floats = numbers::fold_floats(fold, floats.into_iter()).map(Outcome::Float);
        ints.or(floats).unwrap_or(Outcome::Unknown)
    }

    fn cond(&mut self, cases: &'e [[Node<'_>; 2]], default: &'e Node<'_>) -> Outcome<'e> {
        for [condition, value] in cases {
            match self.value(condition) {
                Outcome::Bool(true) => return self.value(value),
                Outcome::Bool(false) => {}
                _ => return Outcome::Unknown,
            }
        }
        self.value(default)
    }

    /// The keys (`part` 0) or values (1) of a map, as a list.
    fn map_parts(&mut self, map: &'e Node<'_>, part: usize) -> Outcome<'e> {
        let Outcome::Packed(map) = self.value(map) else {
            return Outcome::Unknown;
        };
        if !self.charge(map.len()) {
            return Outcome::Unknown;
        }
        match map_parts(&map, part) {
            Some(list) => Outcome::Packed(Bytes::Made(list.into())),
            None => Outcome::Unknown,
        }
    }
}

/// The value of a node that is about the record.
fn of_record<'e>(node: &Node<'_>, Context { bins, metadata }: &'e Context<'_>) -> Outcome<'e> {
    match node {
        Node::Meta(what) => metadata.get(*what),
        Node::DigestModulo(modulus) => Outcome::Int(metadata.digest_modulo(*modulus)),
        Node::Key(kind) => metadata.key(*kind),
        Node::Bin(name, kind) => bins.bin(name).map_or(Outcome::Unknown, |bin| Outcome::of_bin(bin, *kind)),
        Node::BinType(name) => {
            let particle_type = bins.bin(name).map_or(particle_type::NIL, |bin| bin.particle_type);
            Outcome::Int(particle_type.into())
        }
        _ => Outcome::Unknown,
    }
}

/// Whether two values in this order compare as wanted.
fn holds(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
    }
}

/// The list of all keys or values of an encoded map.
fn map_parts(map: &[u8], part: usize) -> Option<Vec<u8>> {
    let mut reader = Reader::new(map);
    let Ok(Token::Map { len }) = reader.token() else {
        return None;
    };
    let is_marked = len > 0 && reader.is_at_ext();
    if is_marked {
        reader.skip_value().ok()?;
        reader.skip_value().ok()?;
    }
    let len = len - usize::from(is_marked);
    let mut list = Vec::new();
    msgpack::write_list_header(&mut list, len);
    for _ in 0..len {
        let pair: [&[u8]; 2] = {
            let start = reader.rest();
            reader.skip_value().ok()?;
            let middle = reader.rest();
            reader.skip_value().ok()?;
            let end = reader.remaining();
            [&start[..start.len() - middle.len()], &middle[..middle.len() - end]]
        };
        list.extend_from_slice(pair.get(part)?);
    }
    Some(list)
}

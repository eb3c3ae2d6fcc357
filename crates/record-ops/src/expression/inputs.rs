//! What of a record an expression depends on.

use crate::expression::node::{Call, Node, Part};

/// What of a record an expression depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Bins.
    pub bins: bool,
    /// The digest.
    pub digest: bool,
    /// The user key.
    pub key: bool,
    /// Anything else, such as the name of the set or the time of the last write.
    pub metadata: bool,
}

impl Inputs {
    pub(super) fn of(root: &Node<'_>) -> Self {
        let mut inputs = Self::default();
        inputs.add(root);
        inputs
    }

    fn add_all<'n, 'a: 'n>(&mut self, nodes: impl IntoIterator<Item = &'n Node<'a>>) {
        nodes.into_iter().for_each(|node| self.add(node));
    }

    /// Adds what a part depends on. Recurses as deep as the expression nests, which parsing has bounded.
    fn add(&mut self, node: &Node<'_>) {
        match node {
            Node::Unknown | Node::Remove | Node::Literal(_) | Node::Element(..) | Node::Variable(_) => {}
            Node::Bin(..) | Node::BinType(_) => self.bins = true,
            Node::DigestModulo(_) => self.digest = true,
            Node::Key(_) => self.key = true,
            Node::Meta(_) => self.metadata = true,
            Node::Compare(_, pair) | Node::Geo(pair) | Node::InList(pair) | Node::Binary(_, pair) => {
                self.add_all(&**pair);
            }
            Node::Regex(_, inner)
            | Node::Not(inner)
            | Node::Unary(_, inner)
            | Node::MapKeys(inner)
            | Node::MapValues(inner) => self.add(inner),
            Node::Logic(_, all) | Node::Fold(_, all) => self.add_all(all),
            Node::Cond(cases, default) => {
                self.add_all(cases.iter().flatten());
                self.add(default);
            }
            Node::Let(_, values, body) => {
                self.add_all(values);
                self.add(body);
            }
            Node::Call(call) => {
                let Call { parts, target, .. } = &**call;
                self.add_all(parts.iter().filter_map(|part| match part {
                    Part::Value(node) => Some(node),
                    Part::Bytes(_) => None,
                }));
                self.add(target);
            }
        }
    }
}

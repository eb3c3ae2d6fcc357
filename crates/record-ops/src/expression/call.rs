//! Operations on values inside expressions.

use wire_protocol::particle::particle_type;

use crate::bin::{Applied, Bin, BinView, Change};
use crate::error::OpError;
use crate::expression::evaluate::Evaluator;
use crate::expression::node::{Call, Part, System};
use crate::expression::outcome::Outcome;
use crate::expression::path;
use crate::{bits, collection, hll};

impl<'e> Evaluator<'e> {
    /// Applies an operation to a value: the result, or the changed value. An error makes it unknown.
    pub(super) fn call(&mut self, call: &'e Call<'_>) -> Outcome<'e> {
        let Some(operation) = self.operation(&call.parts) else {
            return Outcome::Unknown;
        };
        let target = self.value(&call.target);
        if !self.charge(operation.len().saturating_add(target.size())) {
            return Outcome::Unknown;
        }
        // A value that has no bytes is none of the types on which there are operations.
        let (particle_type, bytes) = match &target {
            Outcome::Nil => (particle_type::NIL, &[][..]),
            Outcome::Blob(bytes) => (particle_type::BLOB, &**bytes),
            Outcome::Hll(bytes) => (particle_type::HLL, &**bytes),
            Outcome::Packed(bytes) => match packed_type(bytes) {
                Some(particle_type) => (particle_type, &**bytes),
                None => return Outcome::Unknown,
            },
            _ => return Outcome::Unknown,
        };
        let bin = (particle_type != particle_type::NIL).then_some(BinView { particle_type, bytes });
        let has_path = call.system == System::Collection && path::has_path(&operation);
        let result = match (bin, call.is_modify) {
            (bin, true) if has_path => {
                path::change_within(bin, &operation, call.depth, self.work_mut()).map(changed)
            }
            (bin, true) => modify(call.system, bin, &operation).map(changed),
            (None, false) => return Outcome::Unknown,
            (Some(bin), false) if has_path => {
                path::select_within(bin, &operation, call.depth, self.work_mut()).map(Some)
            }
            (Some(bin), false) => {
                read(call.system, bin, &operation).map(|bin| Some(bin.unwrap_or_else(Bin::nil)))
            }
        };
        match result {
            Ok(Some(bin)) if self.charge(bin.bytes.len()) => Outcome::of_made(bin, call.kind),
            Ok(None) if target.is(call.kind) => target,
            _ => Outcome::Unknown,
        }
    }

    /// The bytes of an operation. `None`: an argument is unknown.
    fn operation(&mut self, parts: &'e [Part<'_>]) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        for part in parts {
            match part {
                Part::Bytes(fixed) => bytes.extend_from_slice(fixed),
                Part::Value(node) => {
                    let value = self.value(node);
                    if !self.charge(value.size()) {
                        return None;
                    }
                    value.write_packed(&mut bytes)?;
                }
            }
        }
        Some(bytes)
    }
}

/// The value that an operation has changed; `None` if it stays as it is.
fn changed(applied: Applied) -> Option<Bin> {
    match applied.change {
        Change::Keep => None,
        Change::Set(bin) => Some(bin),
        Change::Remove => Some(Bin::nil()),
    }
}

/// The particle type of an encoded list or map.
fn packed_type(bytes: &[u8]) -> Option<u8> {
    use wire_protocol::msgpack::{Reader, Token};
    match Reader::new(bytes).token() {
        Ok(Token::List { .. }) => Some(particle_type::LIST),
        Ok(Token::Map { .. }) => Some(particle_type::MAP),
        _ => None,
    }
}

fn modify(system: System, bin: Option<BinView<'_>>, operation: &[u8]) -> Result<Applied, OpError> {
    match system {
        System::Collection => collection::modify(bin, operation),
        System::Bits => bits::modify(bin, operation),
        System::Hll => hll::modify(bin, operation),
    }
}

fn read(system: System, bin: BinView<'_>, operation: &[u8]) -> Result<Option<Bin>, OpError> {
    match system {
        System::Collection => collection::read(bin, operation),
        System::Bits => bits::read(bin, operation).map(Some),
        System::Hll => hll::read(bin, operation).map(Some),
    }
}

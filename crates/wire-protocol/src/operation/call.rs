//! Commands with their arguments, and the operations that they become.

use super::layout::write_command_start;
use super::{Argument, Context, ExpType, Family, exp_type};
use crate::command::WriteOp;
use crate::error::WireError;
use crate::particle::{Particle, particle_type};

/// A command with arguments, which is applied to a bin ([`Call::on`]) or to an expression ([`Call::of`]).
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a call does nothing until it is applied to a bin or an expression"]
pub struct Call {
    pub(crate) family: Family,
    pub(crate) command: u8,
    pub(crate) modifies: bool,
    pub(crate) returns: Returns,
    pub(crate) args: Vec<Argument>,
    pub(crate) context: Option<Context>,
    /// What the command creates, if it creates a list or map.
    pub(crate) creates: Option<Create>,
}

/// A list or map that is created. Where depends on whether there is a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Create {
    /// The order.
    pub(crate) order: u8,
    /// Flags beside the order; only for a bin.
    pub(crate) bin_flags: i64,
    /// Bits for the last step of a context.
    pub(crate) step_bits: i64,
}

/// The type of what a call returns to an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returns {
    /// This type of [`exp_type`].
    Type(i64),
    /// The changed list or map: with a context, the collection to which its first step applies.
    Collection(i64),
    /// Whatever the element is: the caller has to say.
    Element,
    /// Nothing that an expression could use.
    Nothing,
}

impl Call {
    pub(crate) fn new(family: Family, command: u8, modifies: bool, returns: Returns) -> Self {
        Self { family, command, modifies, returns, args: Vec::new(), context: None, creates: None }
    }

    pub(crate) fn arg(mut self, argument: impl Into<Argument>) -> Self {
        self.args.push(argument.into());
        self
    }

    pub(crate) fn args(mut self, arguments: impl IntoIterator<Item = i64>) -> Self {
        self.args.extend(arguments.into_iter().map(Argument::from));
        self
    }

    /// Applies the command to a value inside the bin or expression.
    pub fn at(mut self, context: Context) -> Self {
        self.context = Some(context);
        self
    }

    /// Says of which type the element is that the call returns to an expression. Where the command determines the
    /// type, this is not needed.
    pub fn returning(mut self, exp_type: ExpType) -> Self {
        self.returns = Returns::Type(exp_type.code());
        self
    }

    /// The operation that applies the command to a bin.
    ///
    /// # Errors
    /// An argument that is an expression; a context without steps; a bin name that is too long to be encoded.
    pub fn on(&self, bin: &str) -> Result<Operation, WireError> {
        crate::message::check_name(bin.as_bytes())?;
        let mut value = Vec::new();
        self.write(&mut value, Argument::write)?;
        let (code, particle_type) = (self.family.op(self.modifies), self.family.particle_type());
        Ok(Operation { code, bin: bin.into(), particle_type, value })
    }

    /// Appends the command, with arguments as `write` writes them.
    pub(crate) fn write(
        &self,
        out: &mut Vec<u8>,
        write: impl Fn(&Argument, &mut Vec<u8>) -> Result<(), WireError>,
    ) -> Result<(), WireError> {
        let created = self.creates.map(|create| {
            let flags = if self.context.is_some() { 0 } else { create.bin_flags };
            Argument::from(i64::from(create.order) | flags)
        });
        let n_args = self.args.len() + usize::from(created.is_some());
        write_command_start(out, self.context()?.as_deref(), self.command, n_args);
        created.iter().chain(&self.args).try_for_each(|argument| write(argument, out))
    }

    /// The encoded context.
    fn context(&self) -> Result<Option<Vec<u8>>, WireError> {
        let Some(context) = &self.context else { return Ok(None) };
        if context.is_empty() {
            return Err(WireError::Argument {
                function: "Call::at",
                argument: "context",
                why: "has no steps; leave it out to apply the call to the bin itself",
            });
        }
        Ok(Some(match self.creates {
            None => context.to_bytes(),
            Some(create) => context.clone().with_last(create.step_bits).to_bytes(),
        }))
    }

    /// The type of the result in an expression.
    pub(crate) fn result_type(&self) -> Result<i64, WireError> {
        let refused = |why| Err(WireError::Argument { function: "Call::of", argument: "return_type", why });
        match (self.returns, self.context.as_ref().and_then(Context::first_type)) {
            (Returns::Type(code), _) | (Returns::Collection(code), None) => Ok(code),
            // The types of steps into lists have this bit.
            (Returns::Collection(_), Some(step)) if step & 0x10 != 0 => Ok(exp_type::LIST),
            (Returns::Collection(_), Some(_)) => Ok(exp_type::MAP),
            (Returns::Element, _) => refused("leaves the type open; say it with Call::returning"),
            (Returns::Nothing, _) => refused("returns nothing that an expression could use"),
        }
    }
}

/// An operation on a bin: what [`Call::on`] gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    code: u8,
    bin: String,
    particle_type: u8,
    value: Vec<u8>,
}

impl Operation {
    /// An operation with the code of [`crate::message::op`] and a value that is encoded already.
    pub(crate) fn new(code: u8, bin: &str, value: Vec<u8>) -> Result<Self, WireError> {
        crate::message::check_name(bin.as_bytes())?;
        Ok(Self { code, bin: bin.into(), particle_type: particle_type::BLOB, value })
    }

    /// An operation without a value.
    pub(crate) fn without_value(code: u8, bin: &str) -> Result<Self, WireError> {
        Ok(Self { particle_type: particle_type::NIL, ..Self::new(code, bin, Vec::new())? })
    }

    /// The operation as requests for a record take it. Rows of a batch take it as
    /// [`crate::message::write_op`] writes it.
    #[must_use]
    pub fn as_op(&self) -> WriteOp<'_> {
        let value = match self.particle_type {
            particle_type::NIL => Particle::Nil,
            particle_type::STRING => Particle::Str(&self.value),
            _ => Particle::Blob(&self.value),
        };
        WriteOp { code: self.code, name: self.bin.as_bytes(), value }
    }

    /// One of [`crate::message::op`].
    #[must_use]
    pub fn code(&self) -> u8 {
        self.code
    }

    /// The encoded command and arguments.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// Whether the operation writes.
    #[must_use]
    pub fn modifies(&self) -> bool {
        crate::message::op::modifies(self.code)
    }

    /// Appends the operation, as messages and rows of batches contain it.
    pub fn write(&self, out: &mut Vec<u8>) {
        crate::message::write_op(out, self.code, self.particle_type, self.bin.as_bytes(), &self.value);
    }
}

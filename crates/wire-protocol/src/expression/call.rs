//! Commands of operations, called by expressions; paths.

use super::program::write_node;
use super::{Expression, exp_code, exp_module};
use crate::collection::path_flags;
use crate::error::WireError;
use crate::msgpack;
use crate::operation::{
    Argument, BY_PATH, Call, Context, ExpType, Family, context_type, write_command_start,
};

/// The number of a family of commands in expressions.
pub(super) const fn module(family: Family) -> i64 {
    match family {
        Family::Collection => exp_module::CDT,
        Family::Bits => exp_module::BITS,
        Family::Hll => exp_module::HLL,
        Family::Text => exp_module::STRING,
    }
}

/// Appends what precedes the command of a call.
pub(super) fn write_call_start(out: &mut Vec<u8>, result_type: i64, family: Family, modifies: bool) {
    write_node(out, exp_code::CALL, 4);
    msgpack::write_int(out, result_type);
    msgpack::write_int(out, module(family) | if modifies { exp_module::MODIFY } else { 0 });
}

impl Call {
    /// The expression that applies the command to the value of another one. A command that modifies returns the
    /// modified value; the record stays as it is.
    ///
    /// What is refused (a context without steps, a return type that returns nothing, an element whose type is not said
    /// by [`Call::returning`]) is an error of the expression.
    #[must_use]
    pub fn of(&self, bin: impl Into<Expression>) -> Expression {
        Expression::build(|out| {
            write_call_start(out, self.result_type()?, self.family, self.modifies);
            self.write(out, Argument::write_in_expression)?;
            bin.into().write(out)
        })
    }
}

impl Context {
    /// To all elements of a list, or values of a map, for which an expression on loop variables is true. Only for
    /// [paths](crate::collection::path).
    ///
    /// # Errors
    /// What a function that built the expression refused.
    pub fn children_where(self, filter: &Expression) -> Result<Self, WireError> {
        filter.to_bytes()?;
        Ok(self.step(context_type::EXPRESSION, filter))
    }

    /// To those elements of the step before for which another expression is true, too. Only for
    /// [paths](crate::collection::path).
    ///
    /// # Errors
    /// As [`Context::children_where`].
    pub fn and_where(self, filter: &Expression) -> Result<Self, WireError> {
        filter.to_bytes()?;
        Ok(self.step(context_type::EXPRESSION | context_type::AND, filter))
    }
}

/// The elements to which a path leads, as `flags` of [`path_flags`] say.
pub(super) fn select(path: &Context, result: ExpType, flags: i64, bin: Expression) -> Expression {
    by_path("exp::select_by_path", path, result, flags, None, bin)
}

/// The list or map with each element to which a path leads replaced.
pub(super) fn modify(
    path: &Context,
    result: ExpType,
    expression: &Expression,
    flags: i64,
    bin: Expression,
) -> Expression {
    by_path("exp::modify_by_path", path, result, flags, Some(expression), bin)
}

fn by_path(
    function: &'static str,
    path: &Context,
    result: ExpType,
    flags: i64,
    expression: Option<&Expression>,
    bin: Expression,
) -> Expression {
    Expression::build(|out| {
        if path.is_empty() {
            return Err(WireError::Argument { function, argument: "path", why: "has no steps" });
        }
        let modifies = expression.is_some();
        write_call_start(out, result.code(), Family::Collection, modifies);
        write_command_start(out, None, BY_PATH, 2 + usize::from(modifies));
        path.write(out);
        msgpack::write_int(out, flags | if modifies { path_flags::APPLY } else { 0 });
        expression.map_or(Ok(()), |expression| expression.write(out))?;
        bin.write(out)
    })
}

//! Operations that set or change the value of a bin: write, increment, append, prepend.

use wire_protocol::ResultCode;
use wire_protocol::message::{Op, op};
use wire_protocol::particle::particle_type;

use crate::command::operations::values::{
    Limits, StoredValue, VECTOR, check_type, is_language_blob, normalize,
};
use crate::state::store::bins::BinsBuilder;

/// Sets a bin; a nil value removes it.
pub(super) fn write(bins: &mut BinsBuilder, op: &Op<'_>, limits: Limits) -> Result<(), ResultCode> {
    match normalize(op.particle_type, op.value, limits.any_map_keys)? {
        StoredValue::Nothing => bins.remove(op.name),
        StoredValue::AsIs => bins.put(op.name, op.particle_type, op.value),
        StoredValue::Integer(value) => bins.put(op.name, op.particle_type, &value.to_be_bytes()),
        StoredValue::Normalized(value) => bins.put(op.name, op.particle_type, &value),
    }
    Ok(())
}

/// Increments, appends or prepends. Sets a bin that does not exist to the operand, whatever its type.
pub(super) fn modify(bins: &mut BinsBuilder, op: &Op<'_>, limits: Limits) -> Result<(), ResultCode> {
    if op.particle_type == particle_type::NIL {
        return Err(ResultCode::PARAMETER);
    }
    let (kind, changed) = match bins.get(op.name) {
        None => return write(bins, op, limits),
        Some((_, old)) if op.code == op::INCREMENT => (old.particle_type, increment(&old, op)?.to_vec()),
        Some((_, old)) => (old.particle_type, concatenate(&old, op)?),
    };
    bins.put(op.name, kind, &changed);
    Ok(())
}

fn increment(old: &Op<'_>, op: &Op<'_>) -> Result<[u8; 8], ResultCode> {
    use particle_type as t;
    // Unknown types are refused before the type of the bin matters.
    check_type(op.particle_type)?;
    let is_number = matches!(old.particle_type, t::INTEGER | t::FLOAT);
    if !is_number || op.particle_type != old.particle_type {
        return Err(type_error(old));
    }
    let current = old.value.try_into().map_err(|_| ResultCode::BIN_TYPE)?;
    let increment = match normalize(op.particle_type, op.value, false)? {
        StoredValue::Integer(value) => value.to_be_bytes(),
        _ => op.value.try_into().map_err(|_| ResultCode::PARAMETER)?,
    };
    Ok(if old.particle_type == t::INTEGER {
        i64::from_be_bytes(current).wrapping_add(i64::from_be_bytes(increment)).to_be_bytes()
    } else {
        (f64::from_be_bytes(current) + f64::from_be_bytes(increment)).to_be_bytes()
    })
}

fn concatenate(old: &Op<'_>, op: &Op<'_>) -> Result<Vec<u8>, ResultCode> {
    use particle_type as t;
    check_type(op.particle_type)?;
    let kind = old.particle_type;
    let has_bytes = matches!(kind, t::STRING | t::BLOB | VECTOR) || is_language_blob(kind);
    match op.code {
        _ if !has_bytes || op.particle_type != kind => Err(type_error(old)),
        op::APPEND => Ok([old.value, op.value].concat()),
        _ => Ok([op.value, old.value].concat()),
    }
}

/// The code for an operation that does not fit the type of the bin. For GeoJSON the server has another one.
fn type_error(old: &Op<'_>) -> ResultCode {
    if old.particle_type == particle_type::GEOJSON { ResultCode::SERVER_ERROR } else { ResultCode::BIN_TYPE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use particle_type as t;

    const LIMITS: Limits = Limits { size: 1024, any_map_keys: false };

    /// Applies an operation to a bin with this type and value. Returns the new type and value.
    fn after(
        bin: Option<(u8, &[u8])>,
        code: u8,
        particle_type: u8,
        value: &[u8],
    ) -> Result<(u8, Vec<u8>), ResultCode> {
        let mut bins = BinsBuilder::default();
        if let Some((kind, value)) = bin {
            bins.put(b"x", kind, value);
        }
        modify(&mut bins, &Op { code, particle_type, name: b"x", value }, LIMITS)?;
        let (_, bin) = bins.get(b"x").ok_or(ResultCode::OK)?;
        Ok((bin.particle_type, bin.value.to_vec()))
    }

    #[test]
    fn a_missing_bin_is_set_to_the_operand() {
        for code in [op::INCREMENT, op::APPEND, op::PREPEND] {
            assert_eq!(after(None, code, t::STRING, b"s"), Ok((t::STRING, b"s".to_vec())));
            assert_eq!(after(None, code, t::INTEGER, &[7]), Ok((t::INTEGER, vec![0, 0, 0, 0, 0, 0, 0, 7])));
            assert_eq!(after(None, code, t::LIST, b"\x91\x01"), Ok((t::LIST, b"\x91\x01".to_vec())));
            assert_eq!(after(None, code, t::NIL, b""), Err(ResultCode::PARAMETER));
            assert_eq!(after(None, code, 99, b""), Err(ResultCode::PARAMETER));
        }
    }

    #[test]
    fn operand_and_bin_must_have_the_same_type() {
        let seven = 7i64.to_be_bytes();
        let half = 0.5f64.to_be_bytes();
        let sum = after(Some((t::INTEGER, &seven)), op::INCREMENT, t::INTEGER, &[0, 2]);
        assert_eq!(sum, Ok((t::INTEGER, 9i64.to_be_bytes().to_vec())));
        let sum = after(Some((t::FLOAT, &half)), op::INCREMENT, t::FLOAT, &half);
        assert_eq!(sum, Ok((t::FLOAT, 1f64.to_be_bytes().to_vec())));
        let joined = after(Some((t::BLOB, b"a")), op::PREPEND, t::BLOB, b"b");
        assert_eq!(joined, Ok((t::BLOB, b"ba".to_vec())));
        let (wrong, refused) = (Err(ResultCode::BIN_TYPE), Err(ResultCode::SERVER_ERROR));
        for (bin, value, code, kind, expected) in [
            (t::INTEGER, &seven[..], op::INCREMENT, t::FLOAT, &wrong),
            (t::FLOAT, &half, op::INCREMENT, t::INTEGER, &wrong),
            (t::BOOL, &[1], op::INCREMENT, t::BOOL, &wrong),
            (t::STRING, b"a", op::INCREMENT, t::INTEGER, &wrong),
            (t::STRING, b"a", op::APPEND, t::BLOB, &wrong),
            (t::INTEGER, &seven, op::APPEND, t::INTEGER, &wrong),
            (t::LIST, b"\x90", op::APPEND, t::LIST, &wrong),
            (t::GEOJSON, b"\0\0\0{}", op::APPEND, t::STRING, &refused),
            (t::GEOJSON, b"\0\0\0{}", op::INCREMENT, t::INTEGER, &refused),
            (t::STRING, b"a", op::APPEND, 99, &Err(ResultCode::PARAMETER)),
        ] {
            assert_eq!(&after(Some((bin, value)), code, kind, &half), expected, "{bin} {code} {kind}");
        }
    }
}

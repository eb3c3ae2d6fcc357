//! Sets of fields of rows.

use crate::plan::Plan;

/// A set of cells, a cell being a field of a row. Laid out as [`Summary::presence`]; without memory until the
/// first cell is added.
///
/// [`Summary::presence`]: crate::Summary::presence
#[derive(Debug)]
pub(crate) struct CellSet {
    rows: usize,
    row_bytes: usize,
    bytes: Vec<u8>,
}

impl CellSet {
    pub(crate) fn new(plan: &Plan, rows: usize) -> Self {
        Self { rows, row_bytes: plan.presence_bytes(), bytes: Vec::new() }
    }

    /// Adds (row, field) pairs. A row that does not exist is left out.
    pub(crate) fn extend(&mut self, cells: Vec<(usize, usize)>) {
        if !cells.is_empty() && self.bytes.is_empty() {
            self.bytes.resize(self.rows * self.row_bytes, 0);
        }
        for (row, field) in cells {
            if let Some(byte) = self.bytes.get_mut(row * self.row_bytes + field / 8) {
                *byte |= 0x80 >> (field % 8);
            }
        }
    }

    /// The bits; empty if there are none.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The fields that bins may fill and that no row has in any of `sets`, which are laid out as
/// [`Summary::presence`](crate::Summary::presence).
pub(crate) fn fields_in_no_row(plan: &Plan, sets: [&[u8]; 2]) -> Vec<usize> {
    let row_bytes = plan.presence_bytes();
    let mut left = vec![0u8; row_bytes];
    for &field in plan.wanted() {
        if let Some(byte) = left.get_mut(field / 8) {
            *byte |= 0x80 >> (field % 8);
        }
    }
    for set in sets {
        for row in set.chunks_exact(row_bytes.max(1)) {
            let mut found = 0;
            for (left, byte) in left.iter_mut().zip(row) {
                found |= *left & byte;
                *left &= !byte;
            }
            // Mostly, the first record has all bins.
            if found != 0 && left.iter().all(|&byte| byte == 0) {
                return Vec::new();
            }
        }
    }
    let is_left = |field: &usize| left.get(field / 8).is_some_and(|byte| byte & 0x80 >> (field % 8) != 0);
    plan.wanted().iter().copied().filter(is_left).collect()
}

#[cfg(test)]
mod tests {
    use dtype_schema::{Element, Field, Schema};

    use super::*;
    use crate::Casting;

    fn plan_of(fields: usize, bins: Option<&[&str]>) -> Plan {
        let element = Element::from_numpy("x", 'u', 1, '=').unwrap();
        let field = |at: usize| Field::new(&format!("f{at}"), at, element, &[]).unwrap();
        Plan::new(Schema::new((0..fields).map(field).collect(), fields).unwrap(), Casting::Unsafe, bins)
    }

    #[test]
    fn bits_are_laid_out_as_presence() {
        let mut bits = CellSet::new(&plan_of(10, None), 3);
        bits.extend(Vec::new());
        assert_eq!(bits.bytes(), []);
        bits.extend(vec![(0, 0), (2, 9), (2, 7)]);
        bits.extend(vec![(1, 8), (1, 8), (3, 0)]);
        assert_eq!(bits.bytes(), [0x80, 0, 0, 0x80, 0x01, 0x40]);
    }

    #[test]
    fn a_field_of_any_row_is_found() {
        let plan = plan_of(10, None);
        assert_eq!(fields_in_no_row(&plan, [&[0xff, 0xc0], &[]]), []);
        assert_eq!(fields_in_no_row(&plan, [&[0xf0, 0, 0x0e, 0x80], &[]]), [7, 9]);
        assert_eq!(fields_in_no_row(&plan, [&[0xf0, 0, 0x0e, 0x80], &[0, 0, 0x01, 0]]), [9]);
        assert_eq!(fields_in_no_row(&plan, [&[], &[]]).len(), 10);
    }

    #[test]
    fn fields_that_no_bin_may_fill_are_not_missed() {
        let plan = plan_of(9, Some(&["f8", "f1"]));
        assert_eq!(fields_in_no_row(&plan, [&[0x40, 0], &[]]), [8]);
        assert_eq!(fields_in_no_row(&plan, [&[0x40, 0x80], &[]]), []);
    }
}

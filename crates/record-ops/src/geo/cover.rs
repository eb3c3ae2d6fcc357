//! The cells of shapes: what an index stores of them, and what a query looks up.
//!
//! A region is covered with at most twelve S2 cells. The covering of a stored region and of one that is looked up differ
//! in the smallest cells that they may use. Containment is checked exactly afterwards, so a covering only has to be
//! complete; that it has the cells which a server stores is for clients that compare the bytes.

use s2::cap::Cap;
use s2::cell::Cell;
use s2::cellid::CellID;
use s2::edge_crossings::{Crossing, EdgeCrosser};
use s2::point::Point;
use s2::region::{Region as S2Region, RegionCoverer};

use crate::geo::Shape;
use crate::geo::region::{Part, Region};

/// The most cells of a covering, except that a region on all six faces of the cube may need so many.
const MAX_CELLS: usize = 12;

/// The level of the smallest cells in the coverings of stored regions: that of leaf cells.
const STORED_LEVEL: u8 = 30;

/// The level of the smallest cells in the coverings of regions that are looked up.
const QUERY_LEVEL: u8 = 20;

/// A set of cells with successive numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellRange {
    /// The first cell.
    pub first: u64,
    /// The last cell.
    pub last: u64,
}

impl Shape {
    /// Whether it is a region and not a point.
    #[must_use]
    pub fn is_region(&self) -> bool {
        matches!(self, Self::Region(_))
    }

    /// The cells under which an index has the shape: the leaf cell of a point, or a covering of a region.
    #[must_use]
    pub fn cells(&self) -> Vec<u64> {
        match self {
            Self::Point(cell) => vec![cell.0],
            Self::Region(region) => region.covering(STORED_LEVEL).into_iter().map(|cell| cell.0).collect(),
        }
    }

    /// The cells of shapes that may [match](Shape::matches) this one, in ascending order: for a region, those of points
    /// in its covering; for a point, all cells that contain it, one by one.
    #[must_use]
    pub fn candidates(&self) -> Vec<CellRange> {
        let mut ranges: Vec<_> = match self {
            Self::Point(leaf) => (1..=leaf.level())
                .map(|level| leaf.parent(level).0)
                .map(|cell| CellRange { first: cell, last: cell })
                .collect(),
            Self::Region(region) => region
                .covering(QUERY_LEVEL)
                .into_iter()
                .map(|cell| CellRange { first: cell.range_min().0, last: cell.range_max().0 })
                .collect(),
        };
        ranges.sort_unstable();
        ranges
    }
}

impl Region {
    fn covering(&self, max_level: u8) -> Vec<CellID> {
        let is_empty = self.parts.iter().all(|part| match part {
            Part::Circle(cap) => cap.is_empty(),
            Part::Polygon(loops) => loops.is_empty(),
        });
        if is_empty {
            return Vec::new();
        }
        RegionCoverer { min_level: 1, max_level, level_mod: 1, max_cells: MAX_CELLS }.covering(self).0
    }
}

impl S2Region for Region {
    fn cap_bound(&self) -> Cap {
        self.parts.iter().map(S2Region::cap_bound).fold(Cap::empty(), |all, cap| all + &cap)
    }

    fn contains_cell(&self, cell: &Cell) -> bool {
        self.parts.iter().any(|part| part.contains_cell(cell))
    }

    fn intersects_cell(&self, cell: &Cell) -> bool {
        self.parts.iter().any(|part| part.intersects_cell(cell))
    }

    fn cell_union_bound(&self) -> Vec<CellID> {
        match &self.parts[..] {
            [part] => part.cell_union_bound(),
            _ => self.cap_bound().cell_union_bound(),
        }
    }
}

impl S2Region for Part {
    fn cap_bound(&self) -> Cap {
        match self {
            Self::Circle(cap) => cap.clone(),
            // Cells that cover the polygon, not only its points: it may contain more than half of its surroundings.
            Self::Polygon(_) => self
                .cell_union_bound()
                .iter()
                .map(|cell| Cell::from(cell).cap_bound())
                .fold(Cap::empty(), |all, cap| all + &cap),
        }
    }

    fn contains_cell(&self, cell: &Cell) -> bool {
        match self {
            Self::Circle(cap) => cap.contains_cell(cell),
            Self::Polygon(_) => !self.has_edge_in(cell) && self.contains(&cell.center()),
        }
    }

    fn intersects_cell(&self, cell: &Cell) -> bool {
        match self {
            Self::Circle(cap) => cap.intersects_cell(cell),
            Self::Polygon(_) => self.has_edge_in(cell) || self.contains(&cell.center()),
        }
    }

    /// For a polygon: on each face of the cube, the smallest cell that contains its part of the polygon.
    fn cell_union_bound(&self) -> Vec<CellID> {
        match self {
            Self::Circle(cap) => cap.cell_union_bound(),
            Self::Polygon(_) => (0..6).filter_map(|face| self.smallest_cell(face)).collect(),
        }
    }
}

impl Part {
    /// The edges of a polygon.
    fn edges(&self) -> impl Iterator<Item = (&Point, &Point)> {
        let loops = match self {
            Self::Polygon(loops) => &loops[..],
            Self::Circle(_) => &[],
        };
        loops.iter().flat_map(|ring| {
            let points = ring.points();
            points.iter().zip(points.iter().cycle().skip(1))
        })
    }

    /// Whether an edge of the polygon has a part in the cell.
    fn has_edge_in(&self, cell: &Cell) -> bool {
        let corners = cell.vertices();
        self.edges().any(|(a, b)| {
            if cell.contains_point(a) || cell.contains_point(b) {
                return true;
            }
            let mut crosser = EdgeCrosser::new_with_c(a, b, &corners[3]);
            corners.iter().any(|next| crosser.chain_crossing_sign(next) != Crossing::DoNotCross)
        })
    }

    /// The smallest cell that contains the part of a polygon on a face of the cube; `None` if there is none.
    fn smallest_cell(&self, face: u8) -> Option<CellID> {
        let mut id = CellID::from_face(face.into());
        if !self.intersects_cell(&Cell::from(id)) {
            return None;
        }
        while !id.is_leaf() {
            let mut children =
                id.children().into_iter().filter(|child| self.intersects_cell(&Cell::from(child)));
            match (children.next(), children.next()) {
                (Some(only), None) => id = only,
                _ => break,
            }
        }
        Some(id)
    }
}

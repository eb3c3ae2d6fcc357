//! Regions on the sphere, and whether they contain a point.

use s2::cap::Cap;
use s2::edge_crossings::{EdgeCrosser, angle_contains_vertex, robust_cross_prod};
use s2::point::Point;
use s2::predicates::{Direction, robust_sign};
use s2::s1::Angle;

/// A region: everything that is in one of its parts.
#[derive(Clone, Debug)]
pub struct Region {
    pub(super) parts: Vec<Part>,
}

impl Region {
    pub(super) fn new(parts: Vec<Part>) -> Self {
        Self { parts }
    }

    pub(super) fn contains(&self, point: &Point) -> bool {
        self.parts.iter().any(|part| part.contains(point))
    }
}

/// A part of a region.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Circle(Cap),
    Polygon(Vec<Loop>),
}

impl Part {
    /// A circle; with a negative radius it is empty.
    pub(super) fn circle(centre: &Point, radius: &Angle) -> Self {
        Self::Circle(if radius.rad() < 0.0 { Cap::empty() } else { Cap::from_center_angle(centre, radius) })
    }

    pub(super) fn polygon(loops: Vec<Loop>) -> Self {
        Self::Polygon(loops)
    }

    pub(super) fn contains(&self, point: &Point) -> bool {
        match self {
            Self::Circle(cap) => cap.contains_point(point),
            // A loop inside another one is a hole.
            Self::Polygon(loops) => loops.iter().filter(|ring| ring.contains(point)).count() % 2 == 1,
        }
    }
}

/// A closed line. Its inside is the smaller of the two areas, whatever the direction of its points.
#[derive(Clone, Debug)]
pub(super) struct Loop {
    points: Vec<Point>,
    /// Whether the point from which crossings are counted is inside.
    contains_origin: bool,
}

impl Loop {
    /// A loop through these points, at least two; the last one is connected with the first.
    pub(super) fn new(points: Vec<Point>) -> Self {
        let mut new = Self { points, contains_origin: false };
        if let [a, b, c, ..] = new.points[..] {
            // The inside is first taken to be on the left of the line.
            let is_inside = a != b && b != c && angle_contains_vertex(&a, &b, &c);
            new.contains_origin = is_inside != new.contains(&b);
            new.contains_origin ^= !new.is_smaller_area();
        }
        new
    }

    pub(super) fn points(&self) -> &[Point] {
        &self.points
    }

    pub(super) fn contains(&self, point: &Point) -> bool {
        let Some(last) = self.points.last().filter(|_| self.points.len() > 2) else {
            return false;
        };
        let mut crosser = EdgeCrosser::new_with_c(&Point::origin(), point, last);
        let crossings = self.points.iter().filter(|next| crosser.chain_edge_or_vertex_crossing(next));
        self.contains_origin != (crossings.count() % 2 == 1)
    }

    /// Whether the area on the left of the line is at most half of the sphere: whether the line turns left in sum.
    fn is_smaller_area(&self) -> bool {
        let len = self.points.len();
        let turns = (0..len).map(|at| {
            let point = |at: usize| &self.points[at % len];
            turn(point(at), point(at + 1), point(at + 2))
        });
        // The error of a turn, as S2 bounds it.
        let error = 11.25 * f64::EPSILON * len as f64;
        turns.sum::<f64>() >= -error
    }
}

/// The angle by which a line through three points turns left at the second.
fn turn(a: &Point, b: &Point, c: &Point) -> f64 {
    let angle = robust_cross_prod(a, b).0.angle(&robust_cross_prod(b, c).0).rad();
    if robust_sign(a, b, c) == Direction::CounterClockwise { angle } else { -angle }
}

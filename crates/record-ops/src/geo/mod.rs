//! GeoJSON: points, polygons, multipolygons and circles, bare or in a feature, and which points a region contains.
//!
//! As in the server, a point is the centre of its S2 leaf cell (about a centimetre wide), and edges are the shortest
//! lines on a sphere. `json` parses the text, `region` decides whether a point is inside, `cover` has the cells of
//! indexes.

mod cover;
mod json;
mod region;

use s2::cellid::CellID;
use s2::latlng::LatLng;
use s2::point::Point;
use s2::s1::Angle;
use s2::s1::angle::Rad;

pub use self::cover::CellRange;
use self::json::Json;
use self::region::{Loop, Part, Region};

/// The number of points of the smallest ring: a triangle that repeats its first point.
const MIN_RING: usize = 4;

/// The radius of the sphere, in metres.
const EARTH_RADIUS: f64 = 6_371_000.0;

/// Whether the server accepts the text as a value.
#[must_use]
pub fn is_valid(text: &[u8]) -> bool {
    Json::parse(text).is_some_and(|value| shape(&value, true).is_some())
}

/// The flag of a particle whose shape is a region.
const IS_REGION: u8 = 1;

/// The particle of a GeoJSON text as the server stores it: with its cells. `None`: the server refuses the text.
#[must_use]
pub fn particle(text: &[u8]) -> Option<Vec<u8>> {
    let shape = Shape::parse(text)?;
    let cells = shape.cells();
    let mut bytes = Vec::with_capacity(3 + cells.len() * 8 + text.len());
    bytes.push(if shape.is_region() { IS_REGION } else { 0 });
    bytes.extend_from_slice(&u16::try_from(cells.len()).ok()?.to_be_bytes());
    cells.iter().for_each(|cell| bytes.extend_from_slice(&cell.to_be_bytes()));
    bytes.extend_from_slice(text);
    Some(bytes)
}

/// The cells of a particle.
pub fn cells(particle: &[u8]) -> impl Iterator<Item = u64> {
    let (count, cells) = match particle.split_first_chunk() {
        Some((&[_flags, high, low], rest)) => (u16::from_be_bytes([high, low]).into(), rest),
        None => (0, &[][..]),
    };
    cells.as_chunks::<8>().0.iter().take(count).map(|cell| u64::from_be_bytes(*cell))
}

/// The shape of a GeoJSON text.
#[derive(Clone, Debug)]
pub enum Shape {
    /// The leaf cell of the point.
    Point(CellID),
    /// A region.
    Region(Region),
}

impl Shape {
    /// The shape of a text; `None` if the server refuses it.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        shape(&Json::parse(text)?, true)
    }

    /// Whether one of them is a point that the other, a region, contains.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Point(cell), Self::Region(region)) | (Self::Region(region), Self::Point(cell)) => {
                region.contains(&Point::from(cell))
            }
            _ => false,
        }
    }
}

fn shape(value: &Json, may_be_feature: bool) -> Option<Shape> {
    let Json::Text(kind) = value.get("type")? else {
        return None;
    };
    let coordinates = || value.get("coordinates");
    Some(match &**kind {
        "Feature" if may_be_feature => return shape(value.get("geometry")?, false),
        "Point" => Shape::Point(CellID::from(position(coordinates()?)?)),
        "Polygon" => Shape::Region(Region::new(vec![polygon(coordinates()?)?])),
        "MultiPolygon" => {
            let polygons = coordinates()?.array()?.iter().map(polygon).collect::<Option<_>>()?;
            Shape::Region(Region::new(polygons))
        }
        "AeroCircle" => match coordinates()?.array()? {
            [centre, Json::Number(radius)] => {
                let angle = Angle::from(Rad((radius / EARTH_RADIUS).min(std::f64::consts::PI)));
                Shape::Region(Region::new(vec![Part::circle(&Point::from(position(centre)?), &angle)]))
            }
            _ => return None,
        },
        _ => return None,
    })
}

fn position(value: &Json) -> Option<LatLng> {
    match *value.array()? {
        [Json::Number(longitude), Json::Number(latitude)] => {
            Some(LatLng::from_degrees(latitude, longitude)).filter(LatLng::is_valid)
        }
        _ => None,
    }
}

fn polygon(value: &Json) -> Option<Part> {
    let loops = value.array()?.iter().map(ring).collect::<Option<_>>()?;
    Some(Part::polygon(loops))
}

fn ring(value: &Json) -> Option<Loop> {
    let points = value.array()?.iter().map(|point| position(point).map(Point::from));
    let mut points = points.collect::<Option<Vec<_>>>()?;
    points.dedup();
    if points.len() < MIN_RING || points.first() != points.last() {
        return None;
    }
    points.pop();
    Some(Loop::new(points))
}

#[cfg(test)]
mod tests;

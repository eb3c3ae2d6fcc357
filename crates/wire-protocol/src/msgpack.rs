//! Lists and maps as they stand in particles.

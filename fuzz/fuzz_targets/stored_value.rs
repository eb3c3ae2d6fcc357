//! Two values inside a list or map: normal forms are stable, and both forms of a value have one order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use record_ops::Value;
use record_ops::value::{Rules, compare, compare_values, normalize, without_index};

fuzz_target!(|data: &[u8]| {
    let Some((&at, data)) = data.split_first() else { return };
    let (a, b) = data.split_at(usize::from(at).min(data.len()));
    let order = compare(a, b);
    if let (Ok(x), Ok(y)) = (Value::parse(a), Value::parse(b)) {
        assert_eq!(order, compare_values(&x, &y));
        assert_eq!(compare_values(&y, &x), order.reverse());
    }
    for is_bin in [false, true] {
        let rules = Rules { is_bin, ..Rules::default() };
        // An unknown extension behind the marker of an order may take the place of that marker.
        if let (Ok(_), Some(normal)) = (Value::parse(a), normalize(a, rules)) {
            assert_eq!(normalize(&normal, rules).as_deref(), Some(&*normal), "{a:x?}");
            assert!(compare(a, &normal).is_eq() || normal.len() <= a.len());
            if let Some(shown) = without_index(&normal) {
                assert!(normalize(&shown, rules).is_some());
            }
        }
    }
});

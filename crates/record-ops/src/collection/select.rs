//! Which elements an operation selects: indexes and ranks from both ends, sorted orders.

use std::cmp::Ordering;
use std::ops::Range;

use crate::error::OpError;

/// The count of an operation that has none: all elements.
pub(super) const ALL: u64 = u32::MAX as u64;

/// The elements that an index (negative: from the end) and a count select among `len`. `None` if an operation on a
/// single element finds none.
pub(super) fn range(index: i64, count: u64, len: usize, is_multi: bool) -> Option<Range<usize>> {
    let total = i64::try_from(len).unwrap_or(i64::MAX);
    if index >= total {
        return is_multi.then_some(len..len);
    }
    let start = if index < 0 { index.saturating_add(total) } else { index };
    if start >= 0 {
        let start = start as usize;
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(len - start);
        return Some(start..start + count);
    }
    if !is_multi {
        return None;
    }
    let before = start.unsigned_abs();
    Some(0..usize::try_from(count.saturating_sub(before)).unwrap_or(usize::MAX).min(len))
}

/// The index and count of a selection relative to `base`.
pub(super) fn relative(index: i64, count: u64, base: usize) -> (i64, u64) {
    let index = index.saturating_add(i64::try_from(base).unwrap_or(i64::MAX));
    if index < 0 { (0, count.saturating_sub(index.unsigned_abs())) } else { (index, count) }
}

/// The elements that an operation takes out of a list or map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Nothing,
    Range(Range<usize>),
    AllBut(Range<usize>),
    Mask(Vec<bool>),
}

impl Taken {
    pub(super) fn contains(&self, index: usize) -> bool {
        match self {
            Self::Nothing => false,
            Self::Range(range) => range.contains(&index),
            Self::AllBut(range) => !range.contains(&index),
            Self::Mask(mask) => mask.get(index).copied().unwrap_or_default(),
        }
    }

    /// Whether nothing is taken of `len` elements.
    pub(super) fn is_empty(&self, len: usize) -> bool {
        match self {
            Self::Nothing => true,
            Self::Range(range) => range.is_empty(),
            Self::AllBut(range) => range.len() >= len,
            Self::Mask(mask) => !mask.contains(&true),
        }
    }
}

/// The positions that are set.
pub(super) fn set_positions(mask: &[bool]) -> Vec<usize> {
    mask.iter().enumerate().filter_map(|(at, &is_set)| is_set.then_some(at)).collect()
}

/// A mask of `len` positions. `is_inverted`: all but these are set.
pub(super) fn mask_of(positions: &[usize], len: usize, is_inverted: bool) -> Vec<bool> {
    let mut mask = vec![is_inverted; len];
    for &at in positions {
        if let Some(bit) = mask.get_mut(at) {
            *bit = !is_inverted;
        }
    }
    mask
}

/// Sorts the positions below `len`; equal ones keep their order. Unlike the sort of the standard library, this never
/// panics: wildcards make the order of values inconsistent. What becomes of them depends on how the parts are merged,
/// which is as in the C library's sort.
pub(super) fn sorted(len: usize, compare: impl Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    merge_sort(&mut order, &mut Vec::with_capacity(len), &compare);
    order
}

/// The recursion is as deep as the logarithm of the length.
fn merge_sort(order: &mut [usize], merged: &mut Vec<usize>, compare: &impl Fn(usize, usize) -> Ordering) {
    if order.len() < 2 {
        return;
    }
    let (left, right) = order.split_at_mut(order.len() / 2);
    merge_sort(left, merged, compare);
    merge_sort(right, merged, compare);
    merged.clear();
    let (mut left, mut right) = order.split_at(order.len() / 2);
    while let (Some(&a), Some(&b)) = (left.first(), right.first()) {
        if compare(a, b).is_le() {
            merged.push(a);
            left = &left[1..];
        } else {
            merged.push(b);
            right = &right[1..];
        }
    }
    merged.extend_from_slice(left);
    merged.extend_from_slice(right);
    order.copy_from_slice(merged);
}

/// The positions of `ranks` among `len` elements, in the order in which the server finds them: with a heap from the
/// nearer end, so descending if that is the lower end, and ascending if it is the upper one. The heap decides which of
/// several equal elements come first.
pub(super) fn by_rank(
    ranks: &Range<usize>,
    len: usize,
    compare: impl Fn(usize, usize) -> Ordering,
) -> Vec<usize> {
    let tail = len.saturating_sub(ranks.end);
    let (first, discarded) =
        if ranks.start <= tail { (Ordering::Less, ranks.start) } else { (Ordering::Greater, tail) };
    let mut heap: Vec<usize> = (0..len).collect();
    for at in (0..len / 2).rev() {
        sift_down(&mut heap, at, first, &compare);
    }
    let mut filled = len;
    for _ in 0..discarded + ranks.len() {
        let Some(last) = filled.checked_sub(1) else { break };
        filled = last;
        heap.swap(0, last);
        sift_down(&mut heap[..last], 0, first, &compare);
    }
    heap.get(filled..filled + ranks.len()).unwrap_or_default().to_vec()
}

/// Restores the heap below `at`. A child takes its parent's place only if it really comes first.
fn sift_down(
    heap: &mut [usize],
    mut at: usize,
    first: Ordering,
    compare: &impl Fn(usize, usize) -> Ordering,
) {
    loop {
        let (left, right) = (2 * at + 1, 2 * at + 2);
        if left >= heap.len() {
            return;
        }
        let is_right = right < heap.len()
            && !matches!(compare(heap[left], heap[right]), order if order == first || order.is_eq());
        let child = if is_right { right } else { left };
        if compare(heap[child], heap[at]) != first {
            return;
        }
        heap.swap(at, child);
        at = child;
    }
}

/// What each item of a list of values finds: the first index or rank, and how many elements are equal to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) count: usize,
}

/// The elements that are equal to any item, as found by the server in elements without an index by value.
pub(super) struct Matches {
    /// The elements selected.
    pub(super) mask: Vec<bool>,
    /// For each item, how many elements are less, and how many are equal. Of equal items, the last has the count.
    pub(super) found: Vec<Found>,
    /// The items in their order.
    pub(super) order: Vec<usize>,
}

/// Searches the sorted items for a value. Returns whether an item is equal, and where the search ends: behind the last
/// equal item if `finds_last`. A wildcard among the items is equal to everything, wherever it is sorted; so the answer
/// depends on the steps of the search, which are the server's.
fn search(items: &[&[u8]], order: &[usize], value: &[u8], finds_last: bool) -> (bool, usize) {
    let (mut lower, mut upper, mut at) = (0, order.len(), order.len() / 2);
    let mut is_found = false;
    while let Some(&item) = order.get(at) {
        let mut step = crate::value::compare(value, items[item]);
        if step.is_eq() {
            is_found = true;
            if !finds_last {
                break;
            }
            step = Ordering::Greater;
        }
        if step.is_gt() {
            if at + 1 >= upper {
                at += 1;
                break;
            }
            lower = at + usize::from(!is_found);
            at = usize::midpoint(at, upper);
        } else {
            if at == lower {
                break;
            }
            upper = at;
            at = usize::midpoint(at, lower);
        }
    }
    (is_found, at)
}

/// Looks each of `len` elements up in the sorted items. `counts`: also counts what each item finds.
pub(super) fn match_items<'a>(
    items: &[&[u8]],
    len: usize,
    is_inverted: bool,
    counts: bool,
    element: impl Fn(usize) -> &'a [u8],
) -> Matches {
    let order = sorted(items.len(), |a, b| crate::value::compare(items[a], items[b]));
    let mut less = vec![0; items.len() + 1];
    let mut found = vec![Found::default(); items.len()];
    let mut mask = vec![is_inverted; len];
    for (at, bit) in mask.iter_mut().enumerate() {
        let (is_found, end) = search(items, &order, element(at), counts);
        less[end] += 1;
        if !is_found {
            continue;
        }
        *bit = !is_inverted;
        if let Some(&last) = end.checked_sub(1).and_then(|before| order.get(before)) {
            found[last].count += 1;
        }
    }
    let mut sum = 0;
    for (position, &item) in order.iter().enumerate() {
        sum += less[position];
        found[item].start = sum;
    }
    Matches { mask, found, order }
}

/// A list of integers is larger than this: refused.
pub(super) const TOO_BIG: OpError =
    OpError::too_big("the result of the operation is larger than a record may be");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_count_from_both_ends() {
        for (index, count, len, multi, single) in [
            (0, 1, 3, 0..1, Some(0..1)),
            (-1, 1, 3, 2..3, Some(2..3)),
            (1, ALL, 3, 1..3, Some(1..3)),
            (3, 1, 3, 3..3, None),
            (-4, 1, 3, 0..0, None),
            (-4, 2, 3, 0..1, None),
            (-5, 100, 3, 0..3, None),
            (i64::MIN, u64::MAX, 3, 0..3, None),
            (i64::MAX, u64::MAX, 3, 3..3, None),
            (0, 1, 0, 0..0, None),
        ] {
            assert_eq!(range(index, count, len, true), Some(multi), "{index} {count}");
            assert_eq!(range(index, count, len, false), single, "{index} {count}");
        }
        assert_eq!(relative(-2, 5, 1), (0, 4));
        assert_eq!(relative(-2, 0, 1), (0, 0));
        assert_eq!(relative(2, 5, 1), (3, 5));
        assert_eq!(relative(i64::MIN, 5, 1), (0, 0));
    }

    #[test]
    fn ranks_come_from_the_nearer_end() {
        let values = [5, 1, 4, 2, 3];
        let compare = |a: usize, b: usize| values[a].cmp(&values[b]);
        let found = |ranks: Range<usize>| -> Vec<i32> {
            by_rank(&ranks, values.len(), compare).into_iter().map(|at| values[at]).collect()
        };
        assert_eq!(found(0..3), [3, 2, 1]);
        assert_eq!(found(1..2), [2]);
        assert_eq!(found(3..5), [4, 5]);
        assert_eq!(found(0..5), [5, 4, 3, 2, 1]);
        assert_eq!(found(5..5), [0; 0]);
        assert_eq!(sorted(5, compare), [1, 3, 4, 2, 0]);
        // An inconsistent order.
        let _ = sorted(100, |a, b| if (a + b) % 3 == 0 { Ordering::Equal } else { (b % 7).cmp(&(a % 5)) });
        let _ = by_rank(&(3..50), 100, |a, b| (b % 7).cmp(&(a % 5)));
    }
}

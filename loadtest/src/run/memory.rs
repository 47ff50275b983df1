//! Memory for each participant, from the steps in which they came.

use crate::result::model::Memory;

/// Memory for each participant, from the steps in which they came.
pub(crate) fn memory(steps: &[(u64, u64)], after: Option<u64>) -> Option<Memory> {
    let before = steps.first()?.1;
    let after = after.filter(|bytes| *bytes > 0 && before > 0)?;
    // The first participants warm the process up; the slope leaves that out.
    let populated = if steps.len() > 3 { &steps[1..] } else { steps };
    let last = steps.last()?.0.max(1);
    let (each_bytes, method) = match slope(populated) {
        Some(slope) => (
            slope.max(0.0),
            "the slope of resident memory over the steps in which the population grew",
        ),
        None => (
            after.saturating_sub(before) as f64 / last as f64,
            "the growth of resident memory, shared by everybody",
        ),
    };
    Some(Memory {
        before_bytes: before,
        after_bytes: after,
        each_bytes,
        method: method.to_owned(),
        steps: steps.to_vec(),
    })
}

/// The slope of a line through points, by least squares; `None` where they have one place only.
pub(crate) fn slope(points: &[(u64, u64)]) -> Option<f64> {
    let count = points.len() as f64;
    let mean = |of: fn(&(u64, u64)) -> u64| {
        points.iter().map(|point| of(point) as f64).sum::<f64>() / count
    };
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let along = |point: &(u64, u64)| point.0 as f64 - x;
    let square: f64 = points.iter().map(|point| along(point).powi(2)).sum();
    let product: f64 = points
        .iter()
        .map(|point| along(point) * (point.1 as f64 - y))
        .sum();
    (square > 0.0).then(|| product / square)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_for_each_is_the_slope_without_what_the_first_ones_warm_up() {
        let steps = [
            (0, 10_000_000),
            (5, 12_000_000),
            (10, 12_250_000),
            (15, 12_500_000),
        ];
        let found = memory(&steps, Some(12_600_000)).unwrap();
        assert!((found.each_bytes - 50_000.0).abs() < 1.0, "{found:?}");
        assert!(memory(&steps, None).is_none());
    }

    #[test]
    fn a_slope_is_found_through_noise() {
        let points = [(0, 1_000), (10, 1_510), (20, 1_990), (30, 2_500)];
        let found = slope(&points).unwrap();
        assert!((found - 50.0).abs() < 0.5, "{found}");
        assert_eq!(slope(&[(1, 5)]), None);
    }
}

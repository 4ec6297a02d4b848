//! Dividing whole numbers: learners over schools and classes.
use super::chance::{Chance, normal};

/// Divides `total` in proportion to the weights; the parts add up exactly (largest remainder).
pub fn apportion(total: usize, weights: &[f64]) -> Vec<usize> {
    let sum: f64 = weights.iter().sum();
    if sum <= 0.0 {
        return vec![0; weights.len()];
    }
    let exact: Vec<f64> = weights.iter().map(|w| w / sum * total as f64).collect();
    let mut parts: Vec<usize> = exact.iter().map(|x| x.floor() as usize).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|a, b| (exact[*b].fract()).total_cmp(&exact[*a].fract()).then(a.cmp(b)));
    let missing = total - parts.iter().sum::<usize>();
    for i in order.into_iter().cycle().take(missing) {
        parts[i] += 1;
    }
    parts
}

/// Sizes of `n` classes that add up to `total`: normal about the mean, within the range wherever the total allows it.
pub fn class_sizes(
    rng: &mut Chance,
    total: usize,
    n: usize,
    sd: f64,
    (min, max): (usize, usize),
) -> Vec<usize> {
    if n == 0 {
        return vec![];
    }
    let mean = total as f64 / n as f64;
    let draw = |rng: &mut Chance| (normal(rng, mean, sd).round().max(0.0) as usize).clamp(min, max);
    let mut sizes: Vec<usize> = (0..n).map(|_| draw(rng)).collect();
    let mut idle = 0;
    let mut i = 0;
    loop {
        let sum: usize = sizes.iter().sum();
        let bounded = idle < n; // a round without change: the total does not fit the range
        match sum.cmp(&total) {
            std::cmp::Ordering::Equal => return sizes,
            std::cmp::Ordering::Less if !bounded || sizes[i] < max => (sizes[i] += 1, idle = 0).1,
            std::cmp::Ordering::Greater if sizes[i] > usize::from(bounded) * min => {
                (sizes[i] -= 1, idle = 0).1
            }
            _ => idle += 1,
        }
        i = (i + 1) % n;
    }
}

#[cfg(test)]
mod tests {
    use super::super::chance::chance;
    use super::*;

    #[test]
    fn parts_add_up_and_follow_the_weights() {
        assert_eq!(apportion(10, &[1.0, 1.0, 2.0]), vec![3, 2, 5]);
        assert_eq!(apportion(0, &[1.0, 2.0]), vec![0, 0]);
        assert_eq!(apportion(7, &[0.0, 1.0]), vec![0, 7]);
    }

    #[test]
    fn classes_add_up_within_the_range() {
        let mut rng = chance(1, "test");
        for total in [100, 333, 351, 1_000] {
            let n = total / 33;
            let sizes = class_sizes(&mut rng, total, n, 5.0, (8, 45));
            assert_eq!(sizes.iter().sum::<usize>(), total);
            assert!(sizes.iter().all(|s| (8..=45).contains(s)), "{sizes:?}");
        }
        // Too many for the range: the total counts more.
        assert_eq!(class_sizes(&mut rng, 100, 2, 5.0, (8, 45)).iter().sum::<usize>(), 100);
        assert_eq!(class_sizes(&mut rng, 3, 2, 5.0, (8, 45)).iter().sum::<usize>(), 3);
    }
}

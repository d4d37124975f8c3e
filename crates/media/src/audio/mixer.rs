//! Many sounds into one, without ever clipping hard.

/// Above this level the limiter bends the curve.
const KNEE: f32 = 0.8;

/// Adds `from` to `into`.
pub(crate) fn add(into: &mut [f32], from: &[f32]) {
    for (into, from) in into.iter_mut().zip(from) {
        *into += from;
    }
}

/// Bends what is too loud back below full scale: the curve leaves the straight line at the knee and never reaches 1.
pub(crate) fn limit(samples: &mut [f32]) {
    for sample in samples {
        let level = sample.abs();
        if level > KNEE {
            let over = (level - KNEE) / (1.0 - KNEE);
            *sample = sample.signum() * (KNEE + (1.0 - KNEE) * over / (1.0 + over));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_loud_is_bent_and_what_is_not_is_left_alone() {
        let mut samples = [0.5, -0.5, 0.79, 2.0, -100.0];
        limit(&mut samples);
        assert_eq!(samples[..3], [0.5, -0.5, 0.79]);
        assert!(samples[3] > 0.9 && samples[3] < 1.0);
        assert!(samples[4] < -0.99 && samples[4] >= -1.0);
    }
}

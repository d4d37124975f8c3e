//! How loud a stretch of sound is.

/// Root mean square of samples in -1..1.
pub(crate) fn rms(samples: &[f32]) -> f32 {
    if samples.is_empty() {
        return 0.0;
    }
    let sum: f32 = samples.iter().map(|sample| sample * sample).sum();
    (sum / samples.len() as f32).sqrt()
}

/// Level as RFC 6464 sends it: -127 (silence) to 0 dBov.
pub(crate) fn dbov(rms: f32) -> i8 {
    let decibel = 20.0 * rms.max(1e-7).log10();
    decibel.round().clamp(-127.0, 0.0) as i8
}

/// Level for a screen, 0 to 1: -60 dBov and below is nothing, -10 dBov is full.
pub(crate) fn shown(rms: f32) -> f32 {
    ((20.0 * rms.max(1e-7).log10() + 60.0) / 50.0).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_scale_sine_is_three_decibel_below_overload() {
        let sine: Vec<f32> = (0..48_000).map(|n| (n as f32 * 997.0 * std::f32::consts::TAU / 48_000.0).sin()).collect();
        assert_eq!(dbov(rms(&sine)), -3);
        assert_eq!(dbov(0.0), -127);
        assert!(shown(0.0) == 0.0 && shown(1.0) == 1.0);
    }
}

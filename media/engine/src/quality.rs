//! One number for how a stream arrives: 0 (nothing gets through) to 100 (as good as it gets).
//!
//! For sound it is the E-model's transmission rating R (ITU-T G.107) in the short form of Cole and Rosenbluth
//! (2001), which keeps what a network does to a call: delay takes away up to 177 ms slowly and beyond quickly,
//! loss by the equipment impairment factor. R of an undisturbed call, 93.2, is 100 here. For pictures the loss
//! and frame-rate terms follow the form of ITU-T G.1070: what is lost takes away exponentially, and so does what
//! is missing of the frame rate; a picture that stands is worth nothing, whatever else is good.
//!
//! The score is for comparing and for showing bars, not a listening test. It never rises when loss, delay,
//! jitter or missing layers do, and never falls when the frame rate rises.

use std::time::Duration;

/// R of a call without impairment (G.107, default values).
const R_BEST: f64 = 93.2;

/// Loss robustness: G.711 with concealment under random loss (G.113 appendix I). Opus conceals no worse.
const LOSS_ROBUSTNESS: f64 = 25.1;

/// One-way delay from which conversation suffers quickly (G.107: the point where Idd begins).
const DELAY_NOTICED_MS: f64 = 177.3;

/// What capture, a 20 ms packet and the player add to the network's delay.
const DELAY_AT_ENDS_MS: f64 = 60.0;

/// Percent of lost picture packets at which two thirds of the score are gone. G.1070 has about 4 without repair;
/// ours are asked for again.
const PICTURE_LOSS_SCALE: f64 = 8.0;

/// What one layer less than wanted (half of the width) leaves.
const LAYER_LEAVES: f64 = 0.8;

/// What the network does to a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Network {
    /// Fraction of packets that never arrive, in 1/256.
    pub loss_256ths: u8,
    /// Mean deviation of delay.
    pub jitter: Duration,
    /// One-way delay, as far as it is known.
    pub delay: Duration,
}

/// What a picture should be and is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// Frames a second that arrive.
    pub frames_per_second: u32,
    /// Frames a second that could; 0 when there is nothing to compare with.
    pub frames_possible: u32,
    /// Layers less than the receiver wants.
    pub layers_missing: u8,
}

/// The score of sound.
#[must_use]
pub fn of_audio(network: &Network) -> u8 {
    let loss = percent(network.loss_256ths);
    let loss_impairment = 95.0 * loss / (loss + LOSS_ROBUSTNESS);
    scaled((R_BEST - delay_impairment(network) - loss_impairment) / R_BEST)
}

/// The score of a picture.
#[must_use]
pub fn of_video(network: &Network, picture: &Picture) -> u8 {
    let delay = 1.0 - delay_impairment(network) / R_BEST;
    let loss = (-percent(network.loss_256ths) / PICTURE_LOSS_SCALE).exp();
    let frames = match picture.frames_possible {
        0 => 1.0,
        possible => {
            let share = f64::from(picture.frames_per_second) / f64::from(possible);
            share.min(1.0).sqrt()
        }
    };
    let layers = LAYER_LEAVES.powi(i32::from(picture.layers_missing));
    scaled(delay.max(0.0) * loss * frames * layers)
}

/// `Id` of the E-model for the delay from mouth to ear. A receiver's buffer is about two jitters long.
fn delay_impairment(network: &Network) -> f64 {
    let network_ms = (network.delay + 2 * network.jitter).as_secs_f64() * 1_000.0;
    let delay = network_ms + DELAY_AT_ENDS_MS;
    let undisturbed = 0.024 * DELAY_AT_ENDS_MS;
    0.024 * delay + 0.11 * (delay - DELAY_NOTICED_MS).max(0.0) - undisturbed
}

fn percent(in_256ths: u8) -> f64 {
    // 255/256 is as good as everything lost.
    f64::from(in_256ths) * 100.0 / 255.0
}

fn scaled(share: f64) -> u8 {
    (share.clamp(0.0, 1.0) * 100.0).round() as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn known_conditions_have_their_known_place() {
        let network = |loss_256ths, jitter, delay| Network {
            loss_256ths,
            jitter: ms(jitter),
            delay: ms(delay),
        };
        let sound = |loss, jitter, delay| of_audio(&network(loss, jitter, delay));
        assert_eq!(sound(0, 0, 0), 100);
        assert!(sound(0, 5, 20) >= 95, "a home network");
        assert!((75..=90).contains(&sound(13, 10, 50)), "5 % lost: fair");
        assert!(sound(0, 0, 400) < 70, "a satellite");
        assert!(sound(128, 50, 200) < 35, "half is lost");
        let picture = Picture {
            frames_per_second: 30,
            frames_possible: 30,
            layers_missing: 0,
        };
        assert_eq!(of_video(&network(0, 0, 0), &picture), 100);
        let standing = Picture {
            frames_per_second: 0,
            ..picture
        };
        assert_eq!(of_video(&network(0, 0, 0), &standing), 0);
    }

    fn networks() -> impl Strategy<Value = Network> {
        (any::<u8>(), 0..2_000_u64, 0..5_000_u64).prop_map(|(loss_256ths, jitter, delay)| Network {
            loss_256ths,
            jitter: ms(jitter),
            delay: ms(delay),
        })
    }

    fn pictures() -> impl Strategy<Value = Picture> {
        (0..120_u32, 0..120_u32, 0..8_u8).prop_map(|(frames, possible, missing)| Picture {
            frames_per_second: frames,
            frames_possible: possible,
            layers_missing: missing,
        })
    }

    proptest! {
        #[test]
        fn a_worse_network_never_scores_better(
            network in networks(),
            picture in pictures(),
            loss in any::<u8>(),
            jitter in 0..500_u64,
            delay in 0..500_u64,
        ) {
            let worse = Network {
                loss_256ths: network.loss_256ths.saturating_add(loss),
                jitter: network.jitter + ms(jitter),
                delay: network.delay + ms(delay),
            };
            prop_assert!(of_audio(&worse) <= of_audio(&network));
            prop_assert!(of_video(&worse, &picture) <= of_video(&network, &picture));
            prop_assert!(of_audio(&network) <= 100 && of_video(&network, &picture) <= 100);
        }

        #[test]
        fn a_better_picture_never_scores_worse(
            network in networks(),
            picture in pictures(),
            frames in 0..60_u32,
            layers in 0..8_u8,
        ) {
            let better = Picture {
                frames_per_second: picture.frames_per_second + frames,
                layers_missing: picture.layers_missing.saturating_sub(layers),
                ..picture
            };
            prop_assert!(of_video(&network, &picture) <= of_video(&network, &better));
        }
    }
}

//! The shapes of load: who sends what, in which bursts, to how many.

use std::time::Duration;

use str0m::media::MediaKind;

/// A packet's payload as the shapes send it: 20 ms of Opus with SFrame's seal.
pub(crate) const AUDIO_PAYLOAD: usize = 100;

/// A video packet's payload, as browsers fill their packets.
const VIDEO_PAYLOAD: usize = 1_100;

/// Frames of video in a second.
const FRAME_RATE: u32 = 30;

/// What one track sends: bursts of these many packets, in turn, one burst each interval.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Sound or picture.
    pub kind: MediaKind,
    /// Bytes of each packet's payload.
    pub payload: usize,
    /// Packets of each burst, used in turn.
    pub bursts: Vec<u32>,
    /// From one burst to the next.
    pub interval: Duration,
    /// Where the picture is sent in several sizes: each of them, the smallest first. Then `payload` and
    /// `bursts` are those of the largest.
    pub encodings: Vec<Encoding>,
}

/// One size of a picture that is sent in several.
#[derive(Clone, Copy, Debug)]
pub struct Encoding {
    /// Its name in the offer.
    pub rid: &'static str,
    /// Pixels across.
    pub width: u16,
    /// Pixels down.
    pub height: u16,
    /// Bytes of each packet's payload.
    pub payload: usize,
    /// Packets of each frame.
    pub packets: u32,
}

/// What a browser sends of a camera in three sizes: 0.14, 0.5 and 1.5 Mbit/s.
const ENCODINGS: [Encoding; 3] = [
    Encoding {
        rid: "q",
        width: 320,
        height: 180,
        payload: 600,
        packets: 1,
    },
    Encoding {
        rid: "h",
        width: 640,
        height: 360,
        payload: 1_050,
        packets: 2,
    },
    Encoding {
        rid: "f",
        width: 1_280,
        height: 720,
        payload: 1_050,
        packets: 6,
    },
];

impl Flow {
    /// Opus: fifty packets a second.
    pub fn audio() -> Self {
        Self {
            kind: MediaKind::Audio,
            payload: AUDIO_PAYLOAD,
            bursts: vec![1],
            interval: Duration::from_millis(20),
            encodings: Vec::new(),
        }
    }

    /// Video in thirty bursts a second.
    pub fn video(bursts: Vec<u32>) -> Self {
        Self {
            kind: MediaKind::Video,
            payload: VIDEO_PAYLOAD,
            bursts,
            interval: Duration::from_secs(1) / FRAME_RATE,
            encodings: Vec::new(),
        }
    }

    /// Video of so many bits a second.
    pub fn video_at(bits_per_second: u64) -> Self {
        let bits = VIDEO_PAYLOAD as u64 * 8;
        let packets = (bits_per_second / bits).max(u64::from(FRAME_RATE)) as u32;
        // A second of frames that differ by one packet at most.
        let upto = |frame: u32| packets * frame / FRAME_RATE;
        let bursts = (0..FRAME_RATE).map(|frame| upto(frame + 1) - upto(frame));
        Self::video(bursts.collect())
    }

    /// Video in three sizes at once.
    pub fn simulcast() -> Self {
        let largest = ENCODINGS[2];
        Self {
            payload: largest.payload,
            encodings: ENCODINGS.to_vec(),
            ..Self::video(vec![largest.packets])
        }
    }

    /// Packets in a second.
    pub fn rate(&self) -> f64 {
        let packets: u32 = self.bursts.iter().sum();
        f64::from(packets) / self.bursts.len() as f64 / self.interval.as_secs_f64()
    }
}

/// One peer of a room: what it sends, and whose tracks (peer, track) it receives.
#[derive(Clone, Debug, Default)]
pub struct Member {
    /// Its own tracks.
    pub sends: Vec<Flow>,
    /// The tracks of others.
    pub takes: Vec<(usize, usize)>,
}

/// A load: rooms of members.
#[derive(Clone, Debug)]
pub struct Shape {
    /// How it is called in tables.
    pub name: String,
    /// Each room's members.
    pub rooms: Vec<Vec<Member>>,
}

impl Shape {
    /// One room in which everybody talks.
    pub fn audio_room(members: usize) -> Self {
        let member = |own: usize| Member {
            sends: vec![Flow::audio()],
            takes: (0..members)
                .filter(|at| *at != own)
                .map(|at| (at, 0))
                .collect(),
        };
        Self {
            name: format!("audio-room {members}"),
            rooms: vec![(0..members).map(member).collect()],
        }
    }

    /// One picture of 1.5 Mbit/s for many: 170 packets a second, in bursts of six, six and five.
    pub fn fan_out(receivers: usize) -> Self {
        Self::fan_out_of(receivers, vec![6, 6, 5])
    }

    /// One picture for many, in these bursts.
    pub fn fan_out_of(receivers: usize, bursts: Vec<u32>) -> Self {
        let mut members = vec![Member {
            sends: vec![Flow::video(bursts)],
            takes: Vec::new(),
        }];
        let receiver = || Member {
            sends: Vec::new(),
            takes: vec![(0, 0)],
        };
        members.extend(std::iter::repeat_with(receiver).take(receivers));
        Self {
            name: format!("fan-out 1->{receivers}"),
            rooms: vec![members],
        }
    }

    /// Calls of two with sound and a picture of 0.8 Mbit/s in each direction: 280 packets a second each.
    pub fn pairs(calls: usize) -> Self {
        let member = |other: usize| Member {
            sends: vec![Flow::audio(), Flow::video(vec![3])],
            takes: vec![(other, 0), (other, 1)],
        };
        Self {
            name: format!("pairs {calls}"),
            rooms: (0..calls).map(|_| vec![member(1), member(0)]).collect(),
        }
    }

    /// One room in which everybody talks and shows a picture in three sizes.
    pub fn meeting(members: usize) -> Self {
        let member = |own: usize| Member {
            sends: vec![Flow::audio(), Flow::simulcast()],
            takes: (0..members)
                .filter(|at| *at != own)
                .flat_map(|at| [(at, 0), (at, 1)])
                .collect(),
        };
        Self {
            name: format!("meeting {members}"),
            rooms: vec![(0..members).map(member).collect()],
        }
    }

    /// Everybody in all rooms.
    pub fn members(&self) -> usize {
        self.rooms.iter().map(Vec::len).sum()
    }

    /// Everything that somebody receives.
    pub fn subscriptions(&self) -> usize {
        let members = self.rooms.iter().flatten();
        members.map(|member| member.takes.len()).sum()
    }

    /// Forwarded packets in a second.
    pub fn rate_out(&self) -> f64 {
        self.flows()
            .map(|(_, _, _, flow, receivers)| flow.rate() * receivers as f64)
            .sum()
    }

    /// Every flow: its room, its member, its track's number there, and how many take it.
    pub fn flows(&self) -> impl Iterator<Item = (usize, usize, usize, &Flow, usize)> {
        self.rooms.iter().enumerate().flat_map(|(room, members)| {
            members.iter().enumerate().flat_map(move |(at, member)| {
                member.sends.iter().enumerate().map(move |(track, flow)| {
                    let takes = |other: &&Member| other.takes.contains(&(at, track));
                    (room, at, track, flow, members.iter().filter(takes).count())
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shapes_have_the_rates_that_they_are_compared_by() {
        let near = |shape: Shape, rate: f64| {
            assert!(
                (shape.rate_out() - rate).abs() < rate / 500.0,
                "{}",
                shape.rate_out()
            );
        };
        near(Shape::audio_room(10), 4_500.0);
        near(Shape::fan_out(50), 8_500.0);
        near(Shape::pairs(50), 14_000.0);
    }

    #[test]
    fn a_bit_rate_becomes_even_frames() {
        let flow = Flow::video_at(1_500_000);
        assert!((flow.rate() - 170.0).abs() < 1.0, "{}", flow.rate());
        assert!(flow.bursts.iter().all(|burst| (5..=6).contains(burst)));
        assert!((Flow::video_at(1).rate() - 30.0).abs() < 0.1);
    }

    #[test]
    fn in_a_meeting_everybody_takes_everybody_else_twice() {
        let shape = Shape::meeting(5);
        assert_eq!((shape.members(), shape.subscriptions()), (5, 40));
    }
}

//! A meeting's views: everybody shows the next one large and the others small, and which size they are sent for that.

use anyhow::Result;
use homeline_protocol::id::TrackId;

use super::control::{self, Control};
use super::plan::{self, Participant};
use crate::result::model::Pictures;

/// A size on a screen, pixels across and down.
type Size = (u16, u16);

const LARGE: Size = (1_280, 720);
const SMALL: Size = (320, 180);

/// Tells the node how large everybody shows everybody else; the kinds of the errors.
pub(super) async fn tell(control: &Control, all: &[Participant]) -> Vec<String> {
    let mut errors = Vec::new();
    for one in all {
        for (track, size) in views(one, all.len()) {
            if let Err(error) = control.view((one.room, one.peer), track, size).await {
                errors.push(control::kind(&error));
            }
        }
    }
    errors
}

/// What everybody is sent at the moment, by what they show.
pub(super) async fn sent(control: &Control, all: &[Participant]) -> Result<Vec<Pictures>> {
    let mut found = [LARGE, SMALL].map(|size| Pictures {
        shown: words(size),
        ..Pictures::default()
    });
    let Some(room) = all.first().map(|one| one.room) else {
        return Ok(Vec::new());
    };
    let figures = control.room(room).await?;
    for one in all {
        let peer = figures.peers.iter().find(|peer| peer.peer == one.peer);
        for (track, size) in views(one, all.len()) {
            let received = peer.and_then(|peer| peer.received.iter().find(|of| of.track == track));
            let pictures = &mut found[usize::from(size == SMALL)];
            pictures.count += 1;
            let spatial = received
                .filter(|received| !received.paused)
                .and_then(|received| received.spatial);
            let sent = spatial.and_then(|at| size_of(all, one, track, at));
            pictures.as_asked += u64::from(sent == Some(size));
            let sent = sent.map_or_else(|| "nothing".to_owned(), words);
            *pictures.sent.entry(sent).or_default() += 1;
            pictures.bits_per_second += received.map_or(0, |received| received.bits_per_second);
        }
    }
    Ok(found.to_vec())
}

/// The pictures that somebody receives, and how large they are shown.
fn views(one: &Participant, members: usize) -> impl Iterator<Item = (TrackId, Size)> + '_ {
    let next = (one.at + 1) % members.max(1);
    let pictures = one.member.takes.iter().filter(|(_, track)| *track == 1);
    pictures.map(move |(other, track)| {
        let size = if *other == next { LARGE } else { SMALL };
        (plan::track_id(*other, *track), size)
    })
}

/// The size of an encoding of a track that somebody takes.
fn size_of(all: &[Participant], one: &Participant, track: TrackId, encoding: u8) -> Option<Size> {
    let mut takes = one.member.takes.iter();
    let (other, number) = takes.find(|(other, at)| plan::track_id(*other, *at) == track)?;
    let flow = all.get(*other)?.member.sends.get(*number)?;
    let encoding = flow.encodings.get(usize::from(encoding))?;
    Some((encoding.width, encoding.height))
}

fn words((width, height): Size) -> String {
    format!("{width} x {height}")
}

/// What a reader must know when some were sent another size than what they show.
pub(super) fn note(found: &[Pictures]) -> Option<String> {
    let others: u64 = found
        .iter()
        .map(|pictures| pictures.count - pictures.as_asked)
        .sum();
    let of: u64 = found.iter().map(|pictures| pictures.count).sum();
    (others > 0).then(|| {
        format!("{others} of {of} pictures were sent in another size than the one that is shown.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    #[test]
    fn everybody_shows_one_large_and_the_sizes_of_encodings_are_known() {
        let all = plan::participants(&Shape::meeting(4), 1);
        let large = |one: &Participant| {
            let views = views(one, 4).filter(|(_, size)| *size == LARGE);
            views.count()
        };
        assert!(all.iter().all(|one| large(one) == 1));
        let (track, _) = views(&all[3], 4).find(|(_, size)| *size == LARGE).unwrap();
        assert_eq!(track, plan::track_id(0, 1));
        assert_eq!(size_of(&all, &all[3], track, 2), Some(LARGE));
        assert_eq!(size_of(&all, &all[3], track, 0), Some(SMALL));
        assert_eq!(size_of(&all, &all[3], track, 3), None);
    }

    #[test]
    fn another_size_than_the_shown_one_is_told() {
        let mut pictures = Pictures {
            shown: words(LARGE),
            count: 3,
            as_asked: 3,
            ..Pictures::default()
        };
        assert_eq!(note(&[pictures.clone()]), None);
        pictures.as_asked = 1;
        assert!(note(&[pictures]).unwrap().starts_with("2 of 3 pictures"));
    }
}

//! Views, wanted encodings, speakers and the grades of connections, as tables.

use homeline_protocol::id::{PeerId, TrackId};
use homeline_protocol::media_control::PeerStatistics;
use homeline_protocol::session::{Event, Grade, PublishSection, Source, TrackView};

use super::*;

/// Anna and the kitchen talk, and both send a camera.
const SEEING: &str = "
    3  anna offers             -> negotiate:anna
    3  anna negotiated         -> forward:anna:true tracks1>kitchen
    3  kitchen offers          -> negotiate:kitchen
    3  kitchen negotiated      -> forward:kitchen:true tracks1>anna
";

/// Tables know a track by whose camera it is; `other` is of no device in the call.
fn camera(whose: &str, generation: u32) -> TrackId {
    let room = homeline_protocol::id::RoomId([7; 16]);
    crate::domain::calls::machine::camera_of(room, device(whose).0, generation)
}

/// `measured anna:loss kitchen:good`: the figures of each.
pub(super) fn input(words: &[&str]) -> Input {
    let (who, account) = device(words[0]);
    match words {
        [_, "shows", whose, size] => {
            let size: u16 = size.parse().unwrap();
            let track = camera(whose, 0);
            let (width, height) = (size, size);
            let view = TrackView {
                track,
                width,
                height,
            };
            Input::Act(who, account, Act::SetViews(vec![view]))
        }
        [_, "shows", whose, size, "times", times] => {
            let Input::Act(.., Act::SetViews(views)) = input(&[words[0], "shows", whose, size])
            else {
                unreachable!()
            };
            let views = vec![views[0]; times.parse().unwrap()];
            Input::Act(who, account, Act::SetViews(views))
        }
        [_, "takes", of, generation, layers @ ..] => {
            let layers = layers.iter().map(|layer| layer.parse().unwrap()).collect();
            let track = camera(of, generation.parse().unwrap());
            Input::LayersWanted(who, track, layers)
        }
        ["nobody", "speaks"] => Input::Speakers(vec![]),
        [_, "speaks", others @ ..] => {
            let others = others.iter().map(|other| device(other).0);
            Input::Speakers([who].into_iter().chain(others).collect())
        }
        [_, "measured", figures @ ..] => {
            let peers = figures.iter().map(|said| {
                let (name, state) = said.split_once(':').unwrap();
                figures_of(device(name).0, state)
            });
            Input::Measured(peers.collect())
        }
        other => panic!("{other:?}"),
    }
}

fn figures_of(device: DeviceId, state: &str) -> PeerStatistics {
    PeerStatistics {
        peer: PeerId(device.0),
        connected: state != "away",
        packets_in: 1,
        packets_out: 1,
        packets_dropped: 0,
        round_trip_ms: Some(20),
        loss_in_256ths: 0,
        loss_out_256ths: 0,
        jitter_ms: 4,
        quality: match state {
            "loss" => Some(30),
            "far" => Some(60),
            "new" => None,
            _ => Some(95),
        },
        quality_up: None,
        quality_down: None,
        estimate_bits_per_second: None,
        transport: None,
        published: vec![],
        received: vec![],
    }
}

pub(super) fn told(event: &Event) -> String {
    let grade = |grade: Grade| format!("{grade:?}").to_lowercase();
    match event {
        Event::LayersWanted { wanted, .. } => {
            let wanted: Vec<_> = wanted.iter().map(ToString::to_string).collect();
            format!("wanted:{}", wanted.join("+"))
        }
        Event::Speakers { devices, .. } => {
            let devices: Vec<_> = devices.iter().map(|one| name(*one)).collect();
            format!("speak:{}", devices.join("+"))
        }
        Event::CallConnections { own, others, .. } => {
            let own = own.map_or_else(|| "unknown".to_owned(), |own| grade(own.grade));
            let others = others
                .iter()
                .map(|one| format!(":{}-{}", name(one.device), grade(one.grade)));
            format!("lines:{own}{}", others.collect::<String>())
        }
        other => panic!("{other:?}"),
    }
}

pub(super) fn offered(words: &[&str]) -> Vec<PublishSection> {
    let section = |mid: &str, source| PublishSection {
        mid: mid.to_owned(),
        source,
    };
    let mut sections = vec![section("0", Source::Microphone)];
    if words.contains(&"with-camera") {
        sections.push(section("1", Source::Camera));
    }
    sections
}

#[test]
fn a_view_is_of_a_camera_of_this_call_and_of_nobody_else() {
    with(
        TALKING,
        "
        3  anna shows kitchen 300           -> !not-now
        3  anna offers                      -> negotiate:anna
        3  anna shows kitchen 300           -> !invalid
        3  kitchen offers with-camera       -> negotiate:kitchen
        3  kitchen negotiated               -> forward:kitchen:true tracks2>anna
        4  anna shows kitchen 300           -> view:anna
        4  anna shows kitchen 300           -> view:anna
        4  anna shows kitchen 0             -> view:anna
        5  anna shows anna 300              -> !invalid
        5  anna shows phone 300             -> !invalid
        5  anna shows kitchen 300 times 33  -> !invalid
        6  app shows kitchen 300            -> !elsewhere
        6  stranger shows kitchen 300       -> !not-found
        7  anna hangs-up                    -> kept:HungUp HungUp>anna HungUp>kitchen close
        8  anna shows kitchen 300           -> !over
        ",
    );
}

#[test]
fn whoever_only_rings_shows_nothing() {
    play(
        "
        0  start                   -> room incoming>app incoming>kitchen
        1  app rings               -> rings:app>anna
        1  app offers              -> negotiate:app
        1  anna offers with-camera -> negotiate:anna
        2  app shows anna 300      -> !invalid
        2  kitchen shows anna 300  -> !not-now
        ",
    );
}

#[test]
fn a_sender_hears_which_of_its_own_encodings_are_wanted() {
    with(
        &format!("{TALKING}{SEEING}"),
        "
        4  anna takes anna 0 0 2     -> wanted:0+2>anna
        4  anna takes anna 0 0 2     ->
        5  anna takes anna 0         -> wanted:>anna
        6  anna takes kitchen 0 1    ->
        6  stranger takes stranger 0 1 ->
        7  anna lost                 -> anna:gone>kitchen
        7  anna takes anna 0 1       ->
        8  anna back                 -> anna:here>kitchen wanted:1>anna
        9  anna takes anna 7 0       ->
        ",
    );
}

#[test]
fn speakers_are_told_to_participants_who_are_there() {
    with(
        &format!("{TALKING}{SEEING}"),
        "
        4  anna speaks               -> speak:anna>anna speak:anna>kitchen
        4  anna speaks               ->
        4  anna speaks app           ->
        5  kitchen speaks anna       -> speak:kitchen+anna>anna speak:kitchen+anna>kitchen
        6  anna lost                 -> anna:gone>kitchen
        6  nobody speaks             -> speak:>kitchen
        7  anna back                 -> anna:here>kitchen speak:>anna
        ",
    );
}

#[test]
fn nobody_hears_of_speakers_before_the_answer() {
    play(
        "
        0  start                  -> room incoming>app incoming>kitchen
        1  app rings              -> rings:app>anna
        2  anna speaks app        ->
        2  anna takes anna 0 1    ->
        2  x measured anna:good   ->
        ",
    );
}

#[test]
fn what_was_said_while_it_rang_is_told_with_the_answer() {
    with(
        "",
        "
        0  start                  -> room incoming>app incoming>kitchen
        1  kitchen rings          -> rings:kitchen>anna
        1  anna offers            -> negotiate:anna
        1  anna negotiated        ->
        3  anna takes anna 0      ->
        4  kitchen answers        -> answered:kitchen>anna forward:anna:true people>anna people>kitchen
                                     tracks1>kitchen AnsweredElsewhere>app kept:kitchen wanted:>anna
        ",
    );
}

#[test]
fn whoever_takes_a_call_over_hears_who_speaks() {
    with(
        groups::KEYED,
        "
        4  anna speaks              -> speak:anna>anna speak:anna>kitchen
        4  kitchen moves-to living  -> offered:kitchen>living
        5  living rings             ->
        6  living answers           -> replace:kitchen:living>anna
        7  anna replaces kitchen living 1
                                    -> Moved>kitchen people>anna people>living tracks0>anna
                                       speak:anna>living welcome>living commit1>anna commit1>kitchen
        ",
    );
}

#[test]
fn whoever_is_added_hears_who_speaks() {
    with(
        TALKING,
        "
        2  anna adds kitchen 0  -> welcome>kitchen commit0>anna key-frames
        3  kitchen speaks       -> speak:kitchen>anna speak:kitchen>kitchen
        3  anna invites cleo    -> kept:adding-cleo incoming>phone incoming>tablet
        4  phone rings          -> added-rings:phone>anna
        5  phone answers        -> added:phone>anna people3>anna people3>kitchen people3>phone
                                   AnsweredElsewhere>tablet kept:cleo speak:kitchen>phone
        ",
    );
}

#[test]
fn each_hears_its_figures_and_a_word_of_the_others_while_something_changes() {
    with(
        &format!("{TALKING}{SEEING}"),
        "
        5    tick                                       ->
        6    tick                                       -> statistics
        6.1  x measured anna:good kitchen:loss app:loss -> lines:good:kitchen-poor>anna lines:poor:anna-good>kitchen
        9    tick                                       -> statistics
        9.1  x measured anna:good kitchen:loss          ->
        9.2  x measured anna:good kitchen:far           -> lines:good:kitchen-fair>anna lines:fair:anna-good>kitchen
        10   kitchen lost                               -> kitchen:gone>anna
        10   x measured anna:good kitchen:away          -> lines:good>anna
        11   kitchen back                               -> kitchen:here>anna
        11   x measured anna:good kitchen:good          -> lines:good:kitchen-good>anna lines:good:anna-good>kitchen
        11.1 x measured anna:good kitchen:new           -> lines:good>anna lines:unknown:anna-good>kitchen
        12   anna hangs-up                              -> kept:HungUp HungUp>anna HungUp>kitchen close
        20   tick                                       ->
        ",
    );
}

//! The session machine, told as exchanges; no socket and no time of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use homeline_protocol::session::{
    ApiError, ErrorCode, Event, Outcome, Reply, Request, ServerFrame,
};

use super::config::SessionConfig;
use super::core::{Core, Input, Output};

struct Exchange {
    core: Core,
    start: Instant,
    secs: u64,
}

impl Exchange {
    fn new(config: SessionConfig) -> Self {
        let start = Instant::now();
        Self {
            core: Core::new(config, start),
            start,
            secs: 0,
        }
    }

    fn after(&mut self, secs: u64) -> &mut Self {
        self.secs += secs;
        self
    }

    fn step(&mut self, input: Input) -> String {
        let now = self.start + Duration::from_secs(self.secs);
        words(&self.core.step(now, input))
    }

    fn ask(&mut self, id: u64) -> String {
        self.step(Input::Request {
            id,
            body: Ok(Request::ListCalls),
        })
    }

    fn reply(&mut self, id: u64) -> String {
        self.step(Input::Replied {
            id,
            outcome: Outcome::Ok(Box::new(Reply::Done)),
        })
    }

    fn event(&mut self) -> String {
        self.step(Input::Event(Arc::new(Event::JoinRefused)))
    }

    fn ack(&mut self, event: u64, reply: u64) -> String {
        self.step(Input::Ack { event, reply })
    }
}

fn words(outputs: &[Output]) -> String {
    let word = |output: &Output| match output {
        Output::Send(ServerFrame::Reply {
            id,
            result: Outcome::Ok(_),
        }) => format!("reply{id}"),
        Output::Send(ServerFrame::Reply {
            id,
            result: Outcome::Error(error),
        }) => {
            format!("{:?}{id}", error.code)
        }
        Output::Send(ServerFrame::Event { seq, .. }) => format!("event{seq}"),
        Output::Send(ServerFrame::Pong) => "pong".to_owned(),
        Output::Send(other) => panic!("{other:?}"),
        Output::Run(id, _) => format!("run{id}"),
        Output::DropLink => "drop".to_owned(),
        Output::End(None) => "end".to_owned(),
        Output::End(Some(error)) => format!("end:{:?}", error.code),
    };
    outputs.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn requests_run_one_after_the_other_and_once() {
    let mut session = Exchange::new(SessionConfig::default());
    assert_eq!(session.ask(1), "run1");
    assert_eq!(session.ask(2), "", "waits");
    assert_eq!(session.ask(1), "", "its answer is still to come");
    assert_eq!(session.reply(1), "reply1 run2");
    assert_eq!(session.ask(1), "reply1", "the same answer");
    assert_eq!(session.ack(0, 1), "");
    assert_eq!(session.ask(1), "", "acknowledged: the client has it");
    assert_eq!(session.reply(2), "reply2");
    assert_eq!(session.ask(4), "end:BadRequest", "ids grow by one");
}

#[test]
fn a_request_that_does_not_parse_takes_its_turn_in_the_numbers() {
    let mut session = Exchange::new(SessionConfig::default());
    let error = ApiError::new(ErrorCode::BadRequest, "no");
    assert_eq!(
        session.step(Input::Request {
            id: 1,
            body: Err(error)
        }),
        "BadRequest1"
    );
    assert_eq!(session.ask(2), "run2");
}

#[test]
fn nothing_is_lost_or_repeated_over_a_lost_connection() {
    let mut session = Exchange::new(SessionConfig::default());
    assert_eq!(
        (session.event(), session.event()),
        ("event1".into(), "event2".into())
    );
    session.ask(1);
    assert_eq!(session.step(Input::Detached), "");
    assert_eq!(session.event(), "", "kept");
    assert_eq!(session.reply(1), "", "kept");
    assert!(session.core.can_resume(1) && session.core.can_resume(3));
    assert!(!session.core.can_resume(4), "never sent");
    assert_eq!(
        session.step(Input::Attached { last_event: 1 }),
        "event2 event3"
    );
    assert_eq!(
        session.ask(1),
        "reply1",
        "the client asks again for what it missed"
    );
    assert_eq!(session.event(), "event4");
    assert_eq!(session.ack(4, 1), "");
    assert!(
        !session.core.can_resume(3),
        "forgotten, since it was acknowledged"
    );
    assert_eq!(session.ack(5, 1), "end:BadRequest");
}

#[test]
fn silence_detaches_and_time_ends_a_session() {
    let mut session = Exchange::new(SessionConfig::default());
    assert_eq!(session.after(19).step(Input::Ping), "pong");
    assert_eq!(session.after(19).step(Input::Tick), "");
    assert_eq!(session.after(1).step(Input::Tick), "drop");
    assert!(!session.core.is_attached());
    assert_eq!(session.after(59).step(Input::Tick), "");
    assert_eq!(session.step(Input::Attached { last_event: 0 }), "");
    session.step(Input::Detached);
    assert_eq!(session.after(60).step(Input::Tick), "end");
}

#[test]
fn every_queue_has_its_bound() {
    let config = SessionConfig {
        outbox_events_max: 2,
        ..SessionConfig::default()
    };
    let mut session = Exchange::new(config);
    assert_eq!(
        (session.event(), session.event()),
        ("event1".into(), "event2".into())
    );
    assert_eq!(session.event(), "end:OutboxFull", "by number");

    let mut session = Exchange::new(SessionConfig {
        outbox_bytes_max: 8,
        ..SessionConfig::default()
    });
    assert_eq!(session.event(), "end:OutboxFull", "by bytes");

    let mut session = Exchange::new(SessionConfig {
        replies_max: 2,
        ..SessionConfig::default()
    });
    for id in 1..=2 {
        session.ask(id);
        session.reply(id);
    }
    assert_eq!(
        session.ask(3),
        "end:OutboxFull",
        "replies nobody acknowledged"
    );

    let config = SessionConfig {
        outbox_bytes_max: 40,
        ..SessionConfig::default()
    };
    let mut session = Exchange::new(config);
    assert_eq!(
        (session.ask(1), session.reply(1)),
        ("run1".into(), "reply1".into())
    );
    session.ask(2);
    session.ack(0, 1);
    assert_eq!(session.reply(2), "reply2", "the first was acknowledged");
    session.ask(3);
    assert_eq!(session.reply(3), "reply3 end:OutboxFull", "by bytes");

    let config = SessionConfig {
        requests_waiting_max: 1,
        ..SessionConfig::default()
    };
    let mut session = Exchange::new(config);
    assert_eq!(
        (session.ask(1), session.ask(2)),
        ("run1".into(), String::new())
    );
    assert_eq!(session.ask(3), "LimitReached3");
}

#[test]
fn requests_have_a_rate() {
    let config = SessionConfig {
        requests_per_second_max: 1,
        request_burst_max: 2,
        ..SessionConfig::default()
    };
    let mut session = Exchange::new(config);
    for id in 1..=2 {
        assert_eq!(session.ask(id), format!("run{id}"));
        session.reply(id);
    }
    assert_eq!(session.ask(3), "RateLimited3");
    assert_eq!(session.after(1).ask(4), "run4");
}

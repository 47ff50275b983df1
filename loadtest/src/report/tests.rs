//! What holds for every page.

use super::{comparison, page};
use crate::compare::Comparison;
use crate::result::RunResult;
use crate::result::model::tests::example;

/// Whatever would make a browser fetch something.
const OUTWARD: &[&str] = &[
    "http:", "https:", "src=", "href=", "url(", "@import", "<script", "<link",
];

fn pages() -> Vec<String> {
    let mut bare = example();
    bare.series.clear();
    bare.latencies.clear();
    bare.loss = None;
    bare.memory = None;
    bare.work = Default::default();
    let beside =
        |one: &RunResult, other: &RunResult| comparison(one, other, &Comparison::of(one, other));
    vec![
        page(&example()),
        page(&bare),
        beside(&example(), &example()),
        beside(&example(), &bare),
    ]
}

#[test]
fn a_page_needs_nothing_from_elsewhere() {
    for page in pages() {
        for outward in OUTWARD {
            assert!(!page.contains(outward), "{outward} in a page");
        }
    }
}

#[test]
fn a_page_has_no_broken_figures() {
    for page in pages() {
        assert!(!page.contains("NaN") && !page.contains("inf,") && !page.contains("inf\""));
        assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
        assert_eq!(
            page.matches("<section").count(),
            page.matches("</section>").count()
        );
    }
}

#[test]
fn text_never_becomes_markup() {
    let mut result = example();
    let hostile = "<script>alert('1')</script>\"&";
    result.scenario.title = hostile.to_owned();
    result.scenario.participant = hostile.to_owned();
    result.work.many = hostile.to_owned();
    result.work.one = hostile.to_owned();
    result.notes.push(hostile.to_owned());
    result.errors.insert(hostile.to_owned(), 1);
    result
        .options
        .insert(hostile.to_owned(), hostile.to_owned());
    result.machine.processor = hostile.to_owned();
    result.latencies[0].title = hostile.to_owned();
    result.generator.bottlenecks.push(hostile.to_owned());
    let both = comparison(&result, &example(), &Comparison::of(&result, &example()));
    for page in [page(&result), both] {
        assert!(!page.contains("<script>") && !page.contains("alert('1')"));
    }
}

#[test]
fn a_page_says_what_was_run_and_what_it_means() {
    let page = page(&example());
    for said in [
        "Audio-room of 10",
        "room to spare",
        "A processor",
        "Latency over time",
        "members",
    ] {
        assert!(page.contains(said), "{said}");
    }
    let plots = [
        "Latency over time",
        "how many took how long",
        "Processor over time",
        "Packets lost",
    ];
    for plot in plots {
        assert!(page.contains(plot), "{plot}");
    }
}

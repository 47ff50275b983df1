//! The page of one run.

use super::markup::{escape, frame, paragraph, section};
use super::words::{self, Tone};
use super::{plots, tables};
use crate::result::RunResult;

/// A result as one page.
pub fn page(result: &RunResult) -> String {
    let mut body = header(result);
    body += &verdict(result);
    body += &tiles(result);
    body += &latency(result);
    body += &processor(result);
    body += &loss(result);
    body += &pictures(result);
    body += &memory(result);
    body += &generator(result);
    body += &troubles(result);
    body += &facts(result);
    body += "<footer><p>Made by Homeline's load test. The page needs nothing from elsewhere: it can be mailed, \
             kept and printed. Dots and bars tell their values to a pointer.</p></footer>\n";
    frame(&format!("Load test: {}", result.scenario.title), &body)
}

fn header(result: &RunResult) -> String {
    format!(
        "<header>\n<p class=\"kind\">Homeline load test</p>\n<h1>{}</h1>\n<p class=\"story\">{}</p>\n\
         <p class=\"meta\">{} · measured for {} s · {} {}</p>\n</header>\n",
        escape(&plots::capital(&result.scenario.title)),
        escape(&result.scenario.story),
        escape(&result.began_at.replace('T', " ").replace('Z', " UTC")),
        words::plain(result.measured_s),
        escape(&result.server.kind),
        escape(&result.server.version)
    )
}

fn verdict(result: &RunResult) -> String {
    let verdict = words::verdict(result);
    let tone = match verdict.tone {
        Tone::Good => "good",
        Tone::Warn => "warn",
        Tone::Bad => "bad",
    };
    let sentences: String = verdict
        .sentences
        .iter()
        .map(|sentence| paragraph(sentence))
        .collect();
    format!(
        "<div class=\"verdict {tone}\">\n<h2>{}</h2>\n{sentences}</div>\n",
        escape(&verdict.headline)
    )
}

fn tiles(result: &RunResult) -> String {
    let mut tiles = String::new();
    let mut tile = |name: &str, value: String, more: String| {
        tiles.push_str(&format!(
            "<div class=\"tile\"><div class=\"name\">{}</div><div class=\"value\">{}</div>\
             <div class=\"more\">{}</div></div>\n",
            escape(name),
            escape(&value),
            escape(&more)
        ));
    };
    if let Some(latency) = result.latencies.first() {
        let more = format!("99 of 100 within {}", words::millis(latency.p99_ms));
        tile(&latency.title, words::millis(latency.p50_ms), more);
    }
    if let Some(loss) = &result.loss {
        let more = format!("of 1,000; {} in all", words::count(loss.lost));
        tile("Packets lost", words::plain(loss.per_mille), more);
    }
    let work = &result.work;
    if let Some(each) = work.cpu_us_each {
        let more = format!("for each {}", work.one);
        tile("Processor time", words::micros(each), more);
    }
    if let Some(cores) = work.cpu_cores {
        let more = format!("of one processor, of {}", result.machine.cores);
        tile(
            "Server busy",
            format!("{} %", words::plain(cores * 100.0)),
            more,
        );
    }
    if let Some(memory) = &result.memory {
        let more = format!("for each {}", result.scenario.participant);
        tile("Memory", words::bytes(memory.each_bytes), more);
    }
    if work.count > 0 {
        let more = format!("{} in all", words::count(work.count));
        let name = format!("{} a second", plots::capital(&work.many));
        tile(&name, words::count(work.per_second.round() as u64), more);
    }
    format!("<div class=\"tiles\">\n{tiles}</div>\n")
}

fn latency(result: &RunResult) -> String {
    if result.latencies.is_empty() {
        return String::new();
    }
    let mut body = paragraph(
        "How long things took, from the time at which they were meant to begin. A server that holds everything up \
         can't hide it by also holding the load up.",
    );
    body += &plots::latency_over_time(result);
    body += &result
        .latencies
        .first()
        .map(plots::distribution)
        .unwrap_or_default();
    body += &tables::latencies(result);
    section("Latency", &body)
}

fn processor(result: &RunResult) -> String {
    let mut body = String::new();
    if result.work.cpu_cores.is_none() {
        body += &paragraph(
            "The server's processor time and memory can't be read from here: it was not started by the load test.",
        );
    }
    body += &plots::processor(result);
    body += &plots::cost(result);
    body += &plots::throughput(result);
    section("Processor", &body)
}

fn loss(result: &RunResult) -> String {
    let Some(loss) = &result.loss else {
        return String::new();
    };
    let mut body = paragraph(
        "Every receiver counts by sequence numbers what it should have got and what it got.",
    );
    body += &plots::loss_over_time(result);
    body += &tables::list([
        ("sent by publishers", words::count(loss.sent)),
        ("received", words::count(loss.received)),
        ("lost, before repair", words::count(loss.lost)),
        ("sent again on request", words::count(loss.repaired)),
        ("came twice", words::count(loss.duplicates)),
        (
            "subscriptions",
            format!(
                "{}, of which {} got nothing",
                words::count(loss.subscriptions),
                words::count(loss.silent)
            ),
        ),
    ]);
    section("Loss", &body)
}

fn pictures(result: &RunResult) -> String {
    if result.pictures.is_empty() {
        return String::new();
    }
    let mut body = paragraph(
        "Every camera is sent in several sizes at once. Each receiver says how large it shows a picture, and the node \
         sends it the size that fits. This is what was sent at the end, by the node's own account.",
    );
    body += &tables::pictures(&result.pictures);
    section("Pictures", &body)
}

fn memory(result: &RunResult) -> String {
    let Some(memory) = &result.memory else {
        return String::new();
    };
    let mut body = plots::memory_steps(memory, &result.scenario.participant);
    body += &plots::memory_over_time(result);
    let mut list = vec![
        (
            "before anybody came",
            words::bytes(memory.before_bytes as f64),
        ),
        ("at the end", words::bytes(memory.after_bytes as f64)),
        ("for each further one", words::bytes(memory.each_bytes)),
    ];
    let all = result.machine.memory_bytes as f64;
    if result.server.same_machine && memory.each_bytes > 0.0 {
        let fits = (all / 2.0 / memory.each_bytes / 100.0).floor() * 100.0;
        let fits = format!(
            "{} {}s",
            words::count(fits as u64),
            result.scenario.participant
        );
        list.push(("half of this machine's memory would hold", fits));
    }
    body += &tables::list(list);
    section("Memory", &body)
}

fn generator(result: &RunResult) -> String {
    let generator = &result.generator;
    let mut body = paragraph(
        "A load test that is late or busy measures itself. It begins things by a clock, whether the server keeps up \
         or not, and tells how well it kept to that.",
    );
    for bottleneck in &generator.bottlenecks {
        body += &format!("<p class=\"worse\">{}</p>\n", escape(bottleneck));
    }
    if generator.bottlenecks.is_empty() {
        body += &paragraph("It kept up: the figures are the server's.");
    }
    let late = format!(
        "half within {}, 99 of 100 within {}, the latest {}",
        words::millis(generator.late_p50_ms),
        words::millis(generator.late_p99_ms),
        words::millis(generator.late_max_ms)
    );
    let mut list = vec![
        ("began late", late),
        ("not begun at all", words::count(generator.skipped)),
        ("processors busy with it", words::plain(generator.cpu_cores)),
    ];
    if let Some(busiest) = generator.busiest_thread {
        list.push((
            "its busiest thread",
            format!("{} % busy", words::plain(busiest * 100.0)),
        ));
    }
    body += &tables::list(list);
    section("The load test itself", &body)
}

fn troubles(result: &RunResult) -> String {
    let mut body = String::new();
    if !result.errors.is_empty() {
        body += &tables::errors(&result.errors);
    }
    for note in &result.notes {
        body += &paragraph(note);
    }
    if body.is_empty() {
        return String::new();
    }
    section("Errors and notes", &body)
}

fn facts(result: &RunResult) -> String {
    let machine = &result.machine;
    let whose = match (result.server.started_here, result.server.same_machine) {
        (true, _) => "started by the load test, on the same machine",
        (false, true) => "running before, on the same machine",
        (false, false) => "on another machine",
    };
    let server = format!("{} {}, {whose}", result.server.kind, result.server.version);
    let mut body = tables::list([
        ("server", server),
        (
            "processor",
            format!("{}, {} of them", machine.processor, machine.cores),
        ),
        ("memory", words::bytes(machine.memory_bytes as f64)),
        ("system", machine.system.clone()),
        ("load test", result.version.clone()),
    ]);
    let options = result
        .options
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()));
    body += "<h2 style=\"margin-top:18px\">Options</h2>\n";
    body += &tables::list(options);
    section("What was run, on what", &body)
}

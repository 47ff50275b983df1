//! The least delay of short spans of time: jitter leaves some packet of each untouched, and a queue leaves none.

/// The least of the last one to two spans of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Least {
    span: i64,
    began: i64,
    before: i64,
    least: i64,
}

impl Least {
    pub(super) const fn new(span: i64) -> Self {
        Self {
            span,
            began: i64::MIN,
            before: i64::MAX,
            least: i64::MAX,
        }
    }

    pub(super) fn note(&mut self, at: i64, value: i64) {
        if at.saturating_sub(self.began) >= self.span {
            (self.before, self.least) = (self.least, i64::MAX);
            self.began = at;
        }
        self.least = self.least.min(value);
    }

    pub(super) fn get(&self) -> i64 {
        self.before.min(self.least)
    }

    /// What was noted was more by this.
    pub(super) fn shift(&mut self, by: i64) {
        for value in [&mut self.before, &mut self.least] {
            if *value != i64::MAX {
                *value = value.saturating_add(by);
            }
        }
    }
}

/// Spans that are compared, and how long each is in microseconds.
const SPANS: usize = 3;
const SPAN: i64 = 300_000;
/// A level that rises by this from span to span grows: a fiftieth of what is sent stays behind.
const GROWTH: i64 = 6_000;

/// Whether delay grows from span to span. A step is seen between two spans and not between the next two.
#[derive(Clone, Copy, Debug)]
pub(super) struct Growth {
    began: i64,
    /// The newest first.
    least: [i64; SPANS],
}

impl Growth {
    pub(super) const fn new() -> Self {
        Self {
            began: i64::MIN,
            least: [i64::MAX; SPANS],
        }
    }

    pub(super) fn note(&mut self, at: i64, value: i64) {
        if at.saturating_sub(self.began) >= SPAN {
            self.least.rotate_right(1);
            self.least[0] = i64::MAX;
            self.began = at;
        }
        self.least[0] = self.least[0].min(value);
    }

    pub(super) fn grows(&self) -> bool {
        let mut pairs = self.least.windows(2);
        pairs.all(|pair| pair[1] != i64::MAX && pair[0].saturating_sub(pair[1]) > GROWTH)
    }
}

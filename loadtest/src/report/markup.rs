//! Text into markup, and the frame that every page has.

/// What is shown as text never becomes markup.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A whole page around a body.
pub(super) fn frame(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n\
         <style>\n{}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        escape(title),
        include_str!("style.css")
    )
}

/// A section with a heading.
pub(super) fn section(title: &str, body: &str) -> String {
    format!("<section>\n<h2>{}</h2>\n{body}</section>\n", escape(title))
}

/// A paragraph.
pub(super) fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", escape(text))
}

/// A plot in both widths, one of which is shown, with what it says in words.
pub(super) fn figure(
    title: &str,
    legend: &str,
    plot: impl Fn(f64, f64) -> String,
    says: &str,
) -> String {
    format!(
        "<figure>\n<figcaption><strong>{}</strong>{legend}</figcaption>\n\
         <div class=\"wide\">{}</div>\n<div class=\"narrow\">{}</div>\n<p class=\"says\">{}</p>\n</figure>\n",
        escape(title),
        plot(760.0, 250.0),
        plot(380.0, 230.0),
        escape(says)
    )
}

/// Names of lines, each beside its colour.
pub(super) fn legend(names: &[(&str, &str)]) -> String {
    let name = |(class, name): &(&str, &str)| {
        format!("<span class=\"key {class}\">{}</span>", escape(name))
    };
    let names: String = names.iter().map(name).collect();
    format!(" <span class=\"legend\">{names}</span>")
}

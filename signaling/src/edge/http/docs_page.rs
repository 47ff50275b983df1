//! A page for people made from the OpenAPI document: no scripts, no third party's code.

use std::fmt::Write as _;

use serde_json::Value;
use utoipa::openapi::OpenApi;

const METHODS: [&str; 2] = ["get", "post"];

/// The page.
pub(super) fn render(document: &OpenApi) -> String {
    let document = serde_json::to_value(document).unwrap_or_default();
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Homeline API</title><link rel=\"stylesheet\" href=\"/v1/docs.css\"></head><body>",
    );
    add(
        &mut page,
        format_args!("<h1>{} API</h1>", text(&document["info"]["title"])),
    );
    add(
        &mut page,
        format_args!(
            "<p class=\"text\">{}</p>",
            text(&document["info"]["description"])
        ),
    );
    add(
        &mut page,
        format_args!("<p><a href=\"/v1/openapi.json\">openapi.json</a></p>"),
    );
    for tag in array(&document["tags"]) {
        let (name, about) = (text(&tag["name"]), text(&tag["description"]));
        add(&mut page, format_args!("<h2>{name}</h2><p>{about}.</p>"));
        operations(&mut page, &document, &tag["name"]);
    }
    add(&mut page, format_args!("<h2>Types</h2>"));
    for (name, schema) in object(&document["components"]["schemas"]) {
        type_section(&mut page, name, schema);
    }
    page.push_str("</body></html>");
    page
}

fn operations(page: &mut String, document: &Value, tag: &Value) {
    for (path, item) in object(&document["paths"]) {
        for method in METHODS {
            let operation = &item[method];
            if !array(&operation["tags"]).contains(tag) {
                continue;
            }
            let (method, path) = (method.to_uppercase(), escape(path));
            add(
                page,
                format_args!("<h3><span class=\"method\">{method}</span> <code>{path}</code></h3>"),
            );
            let (summary, more) = (text(&operation["summary"]), text(&operation["description"]));
            add(
                page,
                format_args!("<p>{summary}</p><p class=\"text\">{more}</p>"),
            );
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            if !body.is_null() {
                add(page, format_args!("<p>Body: {}</p>", type_of(body)));
            }
            answers(page, &operation["responses"]);
        }
    }
}

fn answers(page: &mut String, responses: &Value) {
    page.push_str("<table><tr><th>Status</th><th>Body</th><th>When</th></tr>");
    for (status, response) in object(responses) {
        let body = type_of(&response["content"]["application/json"]["schema"]);
        let when = text(&response["description"]);
        add(
            page,
            format_args!("<tr><td>{status}</td><td>{body}</td><td>{when}</td></tr>"),
        );
    }
    page.push_str("</table>");
}

fn type_section(page: &mut String, name: &str, schema: &Value) {
    let (name, about) = (escape(name), text(&schema["description"]));
    add(
        page,
        format_args!("<h3 id=\"{name}\"><code>{name}</code></h3><p class=\"text\">{about}</p>"),
    );
    fields(page, schema);
    for variant in array(&schema["oneOf"]) {
        add(
            page,
            format_args!("<p class=\"text\">{}</p>", text(&variant["description"])),
        );
        fields(page, variant);
    }
    let values: Vec<_> = array(&schema["enum"]).iter().map(text).collect();
    if !values.is_empty() {
        add(
            page,
            format_args!(
                "<p>One of <code>{}</code></p>",
                values.join("</code>, <code>")
            ),
        );
    }
}

fn fields(page: &mut String, schema: &Value) {
    let mut rows = object(&schema["properties"]).peekable();
    if rows.peek().is_none() {
        return;
    }
    page.push_str("<table><tr><th>Field</th><th>Type</th><th>Meaning</th></tr>");
    for (name, field) in rows {
        let required = array(&schema["required"]).iter().any(|one| one == name);
        let optional = if required { "" } else { "?" };
        let (name, kind, about) = (escape(name), type_of(field), text(&field["description"]));
        add(
            page,
            format_args!(
                "<tr><td><code>{name}{optional}</code></td><td>{kind}</td><td>{about}</td></tr>"
            ),
        );
    }
    page.push_str("</table>");
}

/// A schema in a word, linked where it has a name.
fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next())
    {
        let name = escape(name);
        return format!("<a href=\"#{name}\">{name}</a>");
    }
    if let Some(values) = schema["enum"].as_array() {
        return values
            .iter()
            .map(|value| format!("<code>{}</code>", text(value)))
            .collect();
    }
    for key in ["oneOf", "allOf", "anyOf"] {
        if let Some(variants) = schema[key].as_array() {
            let words: Vec<_> = variants.iter().map(type_of).collect();
            return words.join(" or ");
        }
    }
    match &schema["type"] {
        Value::String(name) if name == "array" => format!("list of {}", type_of(&schema["items"])),
        Value::String(name) => escape(name),
        Value::Array(names) => names.iter().map(text).collect::<Vec<_>>().join(" or "),
        _ => String::new(),
    }
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// Escaped words; what stands between backticks is code.
fn text(value: &Value) -> String {
    let parts = value.as_str().unwrap_or_default().split('`').enumerate();
    parts
        .map(|(number, part)| match (number % 2 == 1, escape(part)) {
            (true, code) => format!("<code>{code}</code>"),
            (false, words) => words,
        })
        .collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn add(page: &mut String, part: std::fmt::Arguments<'_>) {
    page.write_fmt(part)
        .expect("a string takes all that is written");
}

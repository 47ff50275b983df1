//! UPnP's Internet Gateway Device: finds the home's router and asks for its address outside.
//!
//! Small and distrustful instead of a library: only the router is believed, it can send us nowhere else, and what it
//! says is read to a bound. Nothing in it is changed.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use http_body_util::Full;
use hyper::Request;
use hyper::header::{CONTENT_TYPE, HOST};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::http;

/// Where devices listen for who looks for them.
pub(super) const EVERYBODY: SocketAddr = SocketAddr::V4(std::net::SocketAddrV4::new(
    Ipv4Addr::new(239, 255, 255, 250),
    1900,
));

/// How long devices may take to answer; they are asked to take a second at most.
const PATIENCE: Duration = Duration::from_millis(2_500);

/// Answers that are looked at; a home has a handful of devices.
const ANSWERS_MAX: usize = 64;

const SEARCHED: [&str; 2] = [
    "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
];

/// The services that know an address, with what is before the version.
const SERVICES: [&str; 2] = [
    "urn:schemas-upnp-org:service:WANIPConnection:",
    "urn:schemas-upnp-org:service:WANPPPConnection:",
];

/// The address outside of the router at `gateway`, which is asked at its own address and at everybody's.
pub(super) async fn ask(gateway: Ipv4Addr, searched_at: &[SocketAddr]) -> Option<IpAddr> {
    let place = find(gateway, searched_at).await?;
    let question = Request::get(&place.path).header(HOST, place.at.to_string());
    let question = question.body(Full::default()).ok()?;
    let description = http::ask(place.at, question).await?;
    let (service, path) = service(&description)?;
    let envelope = format!(
        "<?xml version=\"1.0\"?>\r\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>\
         <u:GetExternalIPAddress xmlns:u=\"{service}\"/></s:Body></s:Envelope>"
    );
    let question = Request::post(&path)
        .header(HOST, place.at.to_string())
        .header(CONTENT_TYPE, "text/xml; charset=\"utf-8\"")
        .header("SOAPAction", format!("\"{service}#GetExternalIPAddress\""));
    let question = question.body(Full::from(envelope)).ok()?;
    let answer = http::ask(place.at, question).await?;
    let address = between(&answer, "<NewExternalIPAddress>", "</")?;
    // A router without a connection says nothing here.
    Some(
        address
            .trim()
            .parse()
            .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
    )
}

/// Where a router describes itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: SocketAddr,
    pub(super) path: String,
}

async fn find(gateway: Ipv4Addr, searched_at: &[SocketAddr]) -> Option<Place> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await.ok()?;
    for to in searched_at {
        for kind in SEARCHED {
            let search = format!(
                "M-SEARCH * HTTP/1.1\r\nHOST: {EVERYBODY}\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: {kind}\r\n\r\n"
            );
            if let Err(error) = socket.send_to(search.as_bytes(), to).await {
                tracing::debug!(%error, "the router could not be searched for");
            }
        }
    }
    let until = Instant::now() + PATIENCE;
    let mut buffer = [0; 1_500];
    for _ in 0..ANSWERS_MAX {
        let (len, from) = timeout_at(until, socket.recv_from(&mut buffer))
            .await
            .ok()?
            .ok()?;
        let answer = String::from_utf8_lossy(&buffer[..len]);
        if from.ip() == IpAddr::V4(gateway)
            && let Some(place) = place(&answer, gateway)
        {
            return Some(place);
        }
    }
    None
}

/// Reads the place from an answer to a search. One elsewhere than at the router is none.
pub(super) fn place(answer: &str, gateway: Ipv4Addr) -> Option<Place> {
    let mut lines = answer.lines();
    lines.next().filter(|status| status.contains(" 200"))?;
    let headers = lines.filter_map(|line| line.split_once(':'));
    let mut location = headers.filter(|(name, _)| name.trim().eq_ignore_ascii_case("location"));
    let url = location.next()?.1.trim().strip_prefix("http://")?;
    let (host, path) = url.split_once('/').unwrap_or((url, ""));
    let at: SocketAddr = host
        .parse()
        .or_else(|_| format!("{host}:80").parse())
        .ok()?;
    let plain = !path.contains(|letter: char| letter.is_ascii_control() || letter == ' ');
    let path = format!("/{path}");
    (at.ip() == IpAddr::V4(gateway) && plain).then_some(Place { at, path })
}

/// The first service that knows the address: its type and where it is asked. Only the path counts of a whole URL.
pub(super) fn service(description: &str) -> Option<(String, String)> {
    description.split("<service>").skip(1).find_map(|part| {
        let part = part.split("</service>").next()?;
        let kind = between(part, "<serviceType>", "</")?.trim();
        SERVICES.iter().find(|known| kind.starts_with(*known))?;
        let url = between(part, "<controlURL>", "</")?.trim();
        let path = match url.strip_prefix("http://") {
            Some(rest) => rest.split_once('/').map_or("", |(_, path)| path),
            None => url.trim_start_matches('/'),
        };
        let plain = |text: &str| {
            !text.contains(|letter: char| letter.is_ascii_control() || " \"<>".contains(letter))
        };
        (plain(kind) && plain(path)).then(|| (kind.to_owned(), format!("/{path}")))
    })
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?
        .1
        .split_once(after)
        .map(|(found, _)| found)
}

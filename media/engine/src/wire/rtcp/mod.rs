//! RTCP: compound packets read from borrowed bytes and written into a given buffer (RFC 3550 section 6).
//!
//! [`packets`] walks a received compound; [`Writer`] builds one. Reports and goodbyes are in `report`,
//! repair and key-frame requests in `feedback`, transport-wide congestion feedback in `transport`.

mod compound;
mod feedback;
mod report;
mod transport;

pub use compound::{Packet, Packets, RtcpError, RtcpNoRoom, Writer, packets};
pub use feedback::{FullIntraRequest, LostSequences, Nack, PictureLoss, Remb};
pub use report::{
    Goodbye, REPORT_BLOCKS_MAX, ReceiverReport, ReportBlock, SenderInfo, SenderReport,
    SourceDescription,
};
pub use transport::{
    Arrivals, FeedbackHeader, PacketStatus, STATUSES_MAX, TICK, TransportFeedback,
};

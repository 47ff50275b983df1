//! The dependency descriptor: which layer a frame belongs to and which frames it needs.
//!
//! AV1 RTP specification, appendix A. It is the only thing that the SFU knows of an encrypted frame. The
//! first three bytes and the key-frame test need no state; layers need the template structure that the
//! last key frame carried, which the caller keeps for each incoming stream.

use super::bits::BitReader;

/// Most templates in a structure: their ids have six bits.
pub const TEMPLATES_MAX: usize = 64;

/// Most decode targets: their count has five bits.
pub const DECODE_TARGETS_MAX: usize = 32;

/// Most spatial layers: their id has two bits.
pub const SPATIAL_LAYERS_MAX: usize = 4;

/// Bytes that every descriptor has.
pub const MANDATORY_LEN: usize = 3;

/// Why a descriptor could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// The bytes end too early.
    #[error("descriptor ends too early")]
    Truncated,
    /// Its template is not in the structure, or there is no structure yet: wait for a key frame.
    #[error("descriptor refers to an unknown template")]
    UnknownTemplate,
    /// More layers or templates than the specification allows.
    #[error("descriptor's structure is out of bounds")]
    OutOfBounds,
}

/// The mandatory first three bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mandatory {
    /// This packet is the first of its frame.
    pub start_of_frame: bool,
    /// This packet is the last of its frame.
    pub end_of_frame: bool,
    /// Which template describes the frame.
    pub template_id: u8,
    /// Counts frames of the stream, wrapping.
    pub frame_number: u16,
}

impl Mandatory {
    /// Reads the first three bytes; `None` when there are fewer.
    pub fn parse(descriptor: &[u8]) -> Option<Self> {
        let bytes: &[u8; 3] = descriptor.first_chunk()?;
        Some(Self {
            start_of_frame: bytes[0] & 0x80 != 0,
            end_of_frame: bytes[0] & 0x40 != 0,
            template_id: bytes[0] & 0x3f,
            frame_number: u16::from_be_bytes([bytes[1], bytes[2]]),
        })
    }
}

/// Whether the packet starts a key frame: the first packet of a frame that carries a template structure.
pub fn starts_key_frame(descriptor: &[u8]) -> bool {
    descriptor.len() > 3 && descriptor[0] & 0x80 != 0 && descriptor[3] & 0x80 != 0
}

/// How a decode target needs a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indication {
    /// The frame is not part of the target.
    NotPresent,
    /// Nothing in the target refers to it: it may be dropped.
    Discardable,
    /// The target may be entered here.
    Switch,
    /// The target breaks without it.
    Required,
}

impl Indication {
    const fn from_bits(bits: u64) -> Self {
        match bits & 3 {
            0 => Self::NotPresent,
            1 => Self::Discardable,
            2 => Self::Switch,
            _ => Self::Required,
        }
    }
}

/// One indication for every decode target, two bits each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Indications(u64);

impl Indications {
    /// The indication for a decode target; `NotPresent` for one that does not exist.
    pub const fn of(self, target: usize) -> Indication {
        if target < DECODE_TARGETS_MAX {
            Indication::from_bits(self.0 >> (2 * target))
        } else {
            Indication::NotPresent
        }
    }

    fn set(&mut self, target: usize, bits: u32) {
        self.0 |= u64::from(bits) << (2 * target);
    }
}

/// For every chain, how many frames back its previous frame lies; 0 when the frame starts the chain anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainDistances([u8; DECODE_TARGETS_MAX]);

impl ChainDistances {
    /// The distance for a chain; 0 for one that does not exist.
    pub fn of(&self, chain: usize) -> u8 {
        self.0.get(chain).copied().unwrap_or(0)
    }
}

/// A frame's place: what a template says, or what the descriptor says itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Spatial layer, 0 is the smallest picture.
    pub spatial_layer: u8,
    /// Temporal layer, 0 is the lowest rate.
    pub temporal_layer: u8,
    /// How each decode target needs the frame.
    pub indications: Indications,
    /// Where each chain's previous frame is.
    pub chains: ChainDistances,
    /// How many other frames it refers to; 0 for a key frame.
    pub references: u8,
}

/// Width and height of a spatial layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// Pixels across, at least 1.
    pub width: u32,
    /// Pixels down, at least 1.
    pub height: u32,
}

/// The template structure of a key frame. The only part of this module that allocates: once a key frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Structure {
    id_offset: u8,
    decode_targets: u8,
    chains: u8,
    /// For each decode target, the chain that protects it.
    protected_by: [u8; DECODE_TARGETS_MAX],
    templates: Vec<Frame>,
    resolutions: Option<[Resolution; SPATIAL_LAYERS_MAX]>,
}

impl Structure {
    /// How many decode targets there are, 1 to 32.
    pub fn decode_targets(&self) -> usize {
        usize::from(self.decode_targets)
    }

    /// How many chains there are; 0 when the stream has none.
    pub fn chains(&self) -> usize {
        usize::from(self.chains)
    }

    /// The chain that protects a decode target.
    pub fn protecting_chain(&self, target: usize) -> Option<usize> {
        let exists = self.chains > 0 && target < self.decode_targets();
        exists.then(|| usize::from(self.protected_by[target]))
    }

    /// The templates in order.
    pub fn templates(&self) -> &[Frame] {
        &self.templates
    }

    /// The size of a spatial layer's picture, when the sender tells.
    pub fn resolution(&self, spatial_layer: u8) -> Option<Resolution> {
        let found = *self.resolutions.as_ref()?.get(usize::from(spatial_layer))?;
        (found.width > 0).then_some(found)
    }

    /// The highest spatial and temporal layer that a decode target includes.
    pub fn layers_of(&self, target: usize) -> Option<(u8, u8)> {
        self.templates
            .iter()
            .filter(|frame| frame.indications.of(target) != Indication::NotPresent)
            .map(|frame| (frame.spatial_layer, frame.temporal_layer))
            .reduce(|a, b| (a.0.max(b.0), a.1.max(b.1)))
    }

    fn template(&self, id: u8) -> Option<&Frame> {
        let index = (id + 64 - self.id_offset) % 64;
        self.templates.get(usize::from(index))
    }
}

/// A whole descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// The first three bytes.
    pub mandatory: Mandatory,
    /// The frame's layer and dependencies.
    pub frame: Frame,
    /// A new structure: keep it for the frames that follow.
    pub structure: Option<Structure>,
    /// Which decode targets the sender still feeds, one bit each, when this frame says so.
    pub active_targets: Option<u32>,
}

impl Descriptor {
    /// Reads a descriptor. `known` is the structure that the stream's last key frame carried.
    pub fn parse(bytes: &[u8], known: Option<&Structure>) -> Result<Self, DescriptorError> {
        use DescriptorError::{Truncated, UnknownTemplate};
        let mandatory = Mandatory::parse(bytes).ok_or(Truncated)?;
        if bytes.len() == 3 {
            let structure = known.ok_or(UnknownTemplate)?;
            let frame = *structure
                .template(mandatory.template_id)
                .ok_or(UnknownTemplate)?;
            return Ok(Self {
                mandatory,
                frame,
                structure: None,
                active_targets: None,
            });
        }
        let mut reader = BitReader::new(&bytes[3..]);
        let flags = reader.bits(5).ok_or(Truncated)?;
        let carried = if flags & 0x10 != 0 {
            Some(read_structure(&mut reader)?)
        } else {
            None
        };
        let structure = carried.as_ref().or(known).ok_or(UnknownTemplate)?;
        let mut active_targets = carried.as_ref().map(|new| all_targets(new.decode_targets));
        if flags & 0x08 != 0 {
            let count = u32::from(structure.decode_targets);
            active_targets = Some(reader.bits(count).ok_or(Truncated)?);
        }
        let mut frame = *structure
            .template(mandatory.template_id)
            .ok_or(UnknownTemplate)?;
        if flags & 0x04 != 0 {
            frame.indications = read_indications(&mut reader, structure.decode_targets)?;
        }
        if flags & 0x02 != 0 {
            frame.references = read_custom_references(&mut reader)?;
        }
        if flags & 0x01 != 0 {
            frame.chains = read_chains(&mut reader, structure.chains, 8)?;
        }
        Ok(Self {
            mandatory,
            frame,
            structure: carried,
            active_targets,
        })
    }
}

const fn all_targets(count: u8) -> u32 {
    u32::MAX >> (32 - count as u32)
}

/// `template_dependency_structure()` of A.8.2.
fn read_structure(reader: &mut BitReader<'_>) -> Result<Structure, DescriptorError> {
    use DescriptorError::Truncated;
    let id_offset = reader.bits(6).ok_or(Truncated)? as u8;
    let decode_targets = reader.bits(5).ok_or(Truncated)? as u8 + 1;
    let mut templates = read_layers(reader)?;
    for frame in &mut templates {
        frame.indications = read_indications(reader, decode_targets)?;
    }
    for frame in &mut templates {
        while reader.flag().ok_or(Truncated)? {
            reader.bits(4).ok_or(Truncated)?;
            frame.references = frame.references.saturating_add(1);
        }
    }
    let chains = reader
        .non_symmetric(u32::from(decode_targets) + 1)
        .ok_or(Truncated)? as u8;
    let mut protected_by = [0; DECODE_TARGETS_MAX];
    if chains > 0 {
        for chain in &mut protected_by[..usize::from(decode_targets)] {
            *chain = reader.non_symmetric(u32::from(chains)).ok_or(Truncated)? as u8;
        }
        for frame in &mut templates {
            frame.chains = read_chains(reader, chains, 4)?;
        }
    }
    let mut resolutions = None;
    if reader.flag().ok_or(Truncated)? {
        let highest = templates.last().map_or(0, |frame| frame.spatial_layer);
        let mut sizes = [Resolution::default(); SPATIAL_LAYERS_MAX];
        for size in &mut sizes[..=usize::from(highest)] {
            size.width = reader.bits(16).ok_or(Truncated)? + 1;
            size.height = reader.bits(16).ok_or(Truncated)? + 1;
        }
        resolutions = Some(sizes);
    }
    Ok(Structure {
        id_offset,
        decode_targets,
        chains,
        protected_by,
        templates,
        resolutions,
    })
}

/// `template_layers()`: the layers go up by one step at a time until the end mark.
fn read_layers(reader: &mut BitReader<'_>) -> Result<Vec<Frame>, DescriptorError> {
    let mut templates = Vec::with_capacity(8);
    let (mut spatial_layer, mut temporal_layer) = (0_u8, 0_u8);
    loop {
        if templates.len() == TEMPLATES_MAX {
            return Err(DescriptorError::OutOfBounds);
        }
        templates.push(Frame {
            spatial_layer,
            temporal_layer,
            indications: Indications::default(),
            chains: ChainDistances([0; DECODE_TARGETS_MAX]),
            references: 0,
        });
        match reader.bits(2).ok_or(DescriptorError::Truncated)? {
            0 => {}
            1 => temporal_layer += 1,
            2 => {
                spatial_layer += 1;
                temporal_layer = 0;
            }
            _ => return Ok(templates),
        }
        if usize::from(spatial_layer) == SPATIAL_LAYERS_MAX || temporal_layer == 8 {
            return Err(DescriptorError::OutOfBounds);
        }
    }
}

fn read_indications(
    reader: &mut BitReader<'_>,
    decode_targets: u8,
) -> Result<Indications, DescriptorError> {
    let mut indications = Indications::default();
    for target in 0..usize::from(decode_targets) {
        indications.set(target, reader.bits(2).ok_or(DescriptorError::Truncated)?);
    }
    Ok(indications)
}

/// `frame_fdiffs()`: differences of four, eight or twelve bits. Only their count matters to an SFU that
/// follows chains.
fn read_custom_references(reader: &mut BitReader<'_>) -> Result<u8, DescriptorError> {
    let mut references = 0_u8;
    loop {
        match reader.bits(2).ok_or(DescriptorError::Truncated)? {
            0 => return Ok(references),
            nibbles => {
                reader.bits(4 * nibbles).ok_or(DescriptorError::Truncated)?;
                references = references.saturating_add(1);
            }
        }
    }
}

fn read_chains(
    reader: &mut BitReader<'_>,
    chains: u8,
    width: u32,
) -> Result<ChainDistances, DescriptorError> {
    let mut distances = ChainDistances([0; DECODE_TARGETS_MAX]);
    for distance in &mut distances.0[..usize::from(chains)] {
        *distance = reader.bits(width).ok_or(DescriptorError::Truncated)? as u8;
    }
    Ok(distances)
}

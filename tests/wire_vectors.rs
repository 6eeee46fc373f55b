//! WIRE.md's golden vectors are what the frames are.

use std::collections::BTreeSet;

use handover::{
    browser::packet::{Entry, Packet, PacketError},
    byte_stream::{
        Limits,
        frame::{Frame as ConnectionFrame, FrameError as ConnectionFrameError},
    },
    stream::frame::StreamFrame,
    wire::{Frame, FrameError},
};

const WIRE: &str = include_str!("../WIRE.md");

/// Each line of the section's block: bytes, and what they say.
fn vectors(section: &str) -> Vec<(Vec<u8>, &'static str)> {
    let after = WIRE.split_once(section).unwrap_or_else(|| panic!("WIRE.md has a section {section}")).1;
    let block = after.split("```").nth(1).expect("the section has a block");
    block.lines().skip(1).filter(|line| !line.trim().is_empty()).map(vector).collect()
}

fn vector(line: &'static str) -> (Vec<u8>, &'static str) {
    let (bytes, frame) = line.split_once('|').unwrap_or_else(|| panic!("no `|` in {line}"));
    let bytes = bytes.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).expect("two hex digits")).collect();
    (bytes, frame.trim())
}

#[test]
fn every_golden_vector_is_read_and_written_as_it_stands_there() {
    for (bytes, text) in vectors("## Golden vectors") {
        let frame = Frame::parse(&bytes).unwrap_or_else(|error| panic!("{text}: {error}"));

        assert_eq!(format!("{frame:?}"), text);
        assert_eq!(frame.to_bytes(), bytes, "{text}");
    }
}

#[test]
fn every_golden_vector_of_a_stream_is_read_and_written_as_it_stands_there() {
    for (bytes, text) in vectors("### Golden vectors of streams") {
        let frame = StreamFrame::parse(&bytes).unwrap_or_else(|error| panic!("{text}: {error}"));

        assert_eq!(format!("{frame:?}"), text);
        assert_eq!(frame.to_bytes(), bytes, "{text}");
    }
}

#[test]
fn every_golden_vector_of_a_packet_is_read_and_written_as_it_stands_there() {
    for (bytes, text) in vectors("### Golden vectors of packets") {
        let packet = Packet::parse(&bytes).unwrap_or_else(|error| panic!("{text}: {error}"));

        assert_eq!(format!("{packet:?}"), text);
        assert_eq!(packet.to_bytes(), bytes, "{text}");
    }
}

#[test]
fn every_kind_of_entry_of_a_packet_has_a_golden_vector() {
    let kinds: BTreeSet<u8> = vectors("### Golden vectors of packets").iter().map(|(bytes, _)| bytes[2]).collect();

    let all = (0..=u8::MAX).filter(|kind| Packet::parse(&[1, 1, *kind]) != Err(PacketError::Kind(*kind)));
    assert_eq!(kinds, all.collect());
    let has_earlier = |(bytes, _): &(Vec<u8>, &str)| {
        Packet::parse(bytes).unwrap().carried.iter().flatten().any(|entry| matches!(entry, Entry::Message { .. }))
    };
    assert!(vectors("### Golden vectors of packets").iter().any(has_earlier));
}

#[test]
fn every_kind_of_a_stream_s_frames_has_a_golden_vector() {
    let kinds: BTreeSet<u8> = vectors("### Golden vectors of streams").iter().map(|(bytes, _)| bytes[1]).collect();

    let all = (0..=u8::MAX).filter(|kind| StreamFrame::parse(&[1, *kind]) != Err(FrameError::Kind(*kind)));
    assert_eq!(kinds, all.collect());
}

#[test]
fn the_golden_vectors_of_a_preamble_are_read_and_written_as_they_stand_there() {
    for (bytes, text) in vectors("### Golden vectors of preambles") {
        let (limits, size) = Limits::read(&bytes).unwrap().unwrap_or_else(|| panic!("{text}: it is cut short"));

        assert_eq!(format!("{limits:?}"), text);
        assert_eq!(size, bytes.len());
        let mut written = Vec::new();
        limits.write(&mut written);
        assert_eq!(written, bytes, "{text}");
    }
}

#[test]
fn every_golden_vector_of_a_connection_is_read_and_written_as_it_stands_there() {
    for (bytes, text) in vectors("### Golden vectors of connections") {
        let (frame, rest) = ConnectionFrame::parse(&bytes).unwrap_or_else(|error| panic!("{text}: {error}"));

        assert_eq!(format!("{frame:?}"), text);
        assert!(rest.is_empty(), "{text}");
        let mut written = Vec::new();
        frame.write(&mut written);
        assert_eq!(written, bytes, "{text}");
    }
}

#[test]
fn every_kind_of_a_connection_s_frames_has_a_golden_vector() {
    let kinds: BTreeSet<u8> = vectors("### Golden vectors of connections").iter().map(|(bytes, _)| bytes[1]).collect();

    let is_known = |kind: &u8| ConnectionFrame::parse(&[1, *kind]) != Err(ConnectionFrameError::Kind(*kind));
    assert_eq!(kinds, (0..=u8::MAX).filter(is_known).collect());
}

#[test]
fn every_kind_of_frame_has_a_golden_vector() {
    let kinds: BTreeSet<u8> = vectors("## Golden vectors").iter().map(|(bytes, _)| bytes[1]).collect();

    let all = (0..=u8::MAX).filter(|kind| Frame::parse(&[1, *kind]) != Err(FrameError::Kind(*kind)));
    assert_eq!(kinds, all.collect());
}

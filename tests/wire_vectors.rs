//! WIRE.md's golden vectors are what the frames are.

use std::collections::BTreeSet;

use handover::{
    browser::packet::{Entry, Packet, PacketError},
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
fn every_kind_of_frame_has_a_golden_vector() {
    let kinds: BTreeSet<u8> = vectors("## Golden vectors").iter().map(|(bytes, _)| bytes[1]).collect();

    let all = (0..=u8::MAX).filter(|kind| Frame::parse(&[1, *kind]) != Err(FrameError::Kind(*kind)));
    assert_eq!(kinds, all.collect());
}

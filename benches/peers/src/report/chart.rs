//! `benches/chart.svg`: bars that are read on a light page and on a dark one.

use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::{Runs, tables::time};
use crate::{CONTENDERS, ROWS};

/// The rows that are shown.
const SHOWN: [(&str, &str); 6] = [
    ("null call, one thread, 1 outstanding", "null call, one thread"),
    ("null call, one thread, 64 outstanding", "64 outstanding, one thread"),
    ("null call, two threads, 1 outstanding", "null call, two threads"),
    ("null call, two threads, 64 outstanding", "64 outstanding, two threads"),
    ("item of a stream from the service, one thread", "item of a stream, one thread"),
    ("client passed, called once, dropped", "client passed, called once, dropped"),
];

const WIDTH: u32 = 960;
const COLUMNS: usize = 2;
const TITLE: i32 = 30;
const LINE: i32 = 18;
const MARGIN: i32 = 12;
/// Where bars begin, after the names.
const NAMES: i32 = 170;
/// What is left for the figure behind the longest bar.
const FIGURES: i32 = 80;

/// Neither black nor white, so that a page of either colour shows them.
const TEXT: RGBColor = RGBColor(0x80, 0x88, 0x90);
const OURS: RGBColor = RGBColor(0xe0, 0x7a, 0x1f);
const THEIRS: RGBColor = RGBColor(0x4a, 0x90, 0xd9);
const FLOOR: RGBColor = RGBColor(0x80, 0x88, 0x90);

/// A bar.
struct Bar {
    name: &'static str,
    colour: RGBColor,
    nanoseconds: f64,
}

/// The chart. Bars are as long as the logarithm: each step of the same length is the same ratio.
///
/// # Errors
/// A sentence, if it cannot be drawn.
pub fn chart(runs: &Runs) -> Result<String, String> {
    let panels: Vec<_> = SHOWN.iter().map(|(row, title)| (*title, bars(row, runs))).collect();
    let heights: Vec<_> =
        panels.chunks(COLUMNS).map(|line| line.iter().map(|(_, bars)| height(bars)).max().unwrap_or(0)).collect();
    let total = heights.iter().sum::<i32>() + TITLE;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, total.unsigned_abs())).into_drawing_area();
        let mut top = 0;
        for (line, height) in panels.chunks(COLUMNS).zip(heights) {
            for (column, (title, bars)) in line.iter().enumerate() {
                let left = i32::try_from(column).unwrap_or(0) * (WIDTH as i32 / COLUMNS as i32);
                draw(&root, (left, top), title, bars)
                    .map_err(|error| format!("the chart could not be drawn: {error}"))?;
            }
            top += height;
        }
        let note = "The scale is logarithmic: the same length is the same ratio.";
        let drawn = root.draw_text(note, &style(12, HPos::Left), (MARGIN, top + TITLE / 2));
        drawn.map_err(|error| format!("the chart could not be drawn: {error}"))?;
        root.present().map_err(|error| format!("the chart could not be drawn: {error}"))?;
    }
    Ok(svg)
}

fn bars(row: &str, runs: &Runs) -> Vec<Bar> {
    let row = ROWS.iter().find(|own| own.to_string() == row).expect("the chart shows rows that there are");
    let bar = |contender: &'static crate::Contender| {
        let nanoseconds = time(row, contender, runs)?;
        let colour = match contender.name {
            _ if contender.is_floor => FLOOR,
            name if name.starts_with("handover") => OURS,
            _ => THEIRS,
        };
        Some(Bar { name: contender.name, colour, nanoseconds })
    };
    let mut bars: Vec<_> = CONTENDERS.iter().filter_map(bar).collect();
    bars.sort_by(|one, other| one.nanoseconds.total_cmp(&other.nanoseconds));
    bars
}

fn height(bars: &[Bar]) -> i32 {
    TITLE + LINE * i32::try_from(bars.len()).unwrap_or(0) + MARGIN
}

type Root<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw(root: &Root<'_>, (left, top): (i32, i32), title: &str, bars: &[Bar]) -> Result<(), Box<dyn std::error::Error>> {
    root.draw_text(title, &style(15, HPos::Left), (left + MARGIN, top + TITLE / 2))?;
    let shortest = bars.first().map_or(1.0, |bar| bar.nanoseconds.max(0.1)) / 2.0;
    let decades = bars.last().map_or(1.0, |bar| (bar.nanoseconds / shortest).log10());
    let room = f64::from(WIDTH as i32 / COLUMNS as i32 - NAMES - FIGURES);
    for (index, bar) in (0..).zip(bars) {
        let y = top + TITLE + LINE * index;
        let length = (bar.nanoseconds.max(0.1) / shortest).log10() / decades * room;
        let (from, to) = (left + NAMES, left + NAMES + length as i32);
        root.draw_text(bar.name, &style(12, HPos::Right), (from - 6, y + LINE / 2))?;
        root.draw(&Rectangle::new([(from, y + 3), (to, y + LINE - 3)], bar.colour.filled()))?;
        root.draw_text(&duration(bar.nanoseconds), &style(12, HPos::Left), (to + 6, y + LINE / 2))?;
    }
    Ok(())
}

fn style(size: i32, x: HPos) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&TEXT).pos(Pos::new(x, VPos::Center))
}

fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        ..100.0 => format!("{nanoseconds:.1} ns"),
        ..1e3 => format!("{nanoseconds:.0} ns"),
        ..1e6 => format!("{:.1} µs", nanoseconds / 1e3),
        _ => format!("{:.1} ms", nanoseconds / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, Results};

    #[test]
    fn a_chart_has_a_bar_and_a_figure_for_everyone_measured_and_no_background() {
        let mut run = Results::default();
        run.set(Column::Time, SHOWN[0].0, "handover", vec![250.0]);
        run.set(Column::Time, SHOWN[0].0, "tonic, duplex", vec![18_000.0]);

        let svg = chart(&Runs { runs: vec![run], counts: Results::default() }).unwrap();

        assert!(svg.contains("250 ns") && svg.contains("18.0 µs"), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 2, "{svg}");
    }
}

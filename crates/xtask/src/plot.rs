//! Curves as pictures.

use std::path::Path;

use plotters::coord::combinators::IntoLogRange;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

use crate::growth::Curve;

const COLOURS: [RGBColor; 2] = [RGBColor(0x1f, 0x5f, 0xa8), RGBColor(0xb8, 0x4a, 0x1f)];

/// How the values' axis is divided.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upwards {
    /// From nothing on.
    Evenly,
    /// By powers of ten.
    ByPowers,
}

/// Writes an SVG with one line for each curve over an axis of counts by powers of ten.
pub(crate) fn write(
    path: &Path,
    title: &str,
    axes: (&str, &str),
    curves: &[(&str, Curve)],
    upwards: Upwards,
) -> Result<(), String> {
    let values = || curves.iter().flat_map(|(_, curve)| curve.iter().map(|(_, value)| *value));
    let highest = values().fold(0.0, f64::max) * 1.15;
    let lowest = values().fold(highest, f64::min);
    let drawn = match upwards {
        Upwards::Evenly => draw(path, title, axes, curves, 0.0..highest),
        Upwards::ByPowers => draw(path, title, axes, curves, (lowest / 1.15..highest).log_scale()),
    };
    drawn.map_err(|error| error.to_string())
}

fn draw<Y>(
    path: &Path,
    title: &str,
    (along, up): (&str, &str),
    curves: &[(&str, Curve)],
    values: Y,
) -> Result<(), Box<dyn std::error::Error>>
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let counts = curves.iter().flat_map(|(_, curve)| curve.iter().map(|(count, _)| f64::from(*count)));
    let widest = counts.fold(1.0, f64::max);
    let root = SVGBackend::new(path, (720, 400)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 18))
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(72)
        .build_cartesian_2d((1.0..widest * 1.2).log_scale(), values)?;
    let number = |value: &f64| crate::report::thousands(*value as u64);
    chart
        .configure_mesh()
        .x_desc(along)
        .y_desc(up)
        .x_label_formatter(&number)
        .y_label_formatter(&number)
        .light_line_style(TRANSPARENT)
        .axis_desc_style(("sans-serif", 14))
        .label_style(("sans-serif", 13))
        .draw()?;
    for ((name, curve), colour) in curves.iter().zip(COLOURS) {
        let points: Vec<(f64, f64)> = curve.iter().map(|(count, value)| (f64::from(*count), *value)).collect();
        chart
            .draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        chart.draw_series(points.into_iter().map(|point| Circle::new(point, 3, colour.filled())))?;
    }
    if curves.len() > 1 {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerLeft)
            .border_style(BLACK.mix(0.2))
            .background_style(WHITE)
            .label_font(("sans-serif", 13))
            .draw()?;
    }
    root.present()?;
    Ok(())
}

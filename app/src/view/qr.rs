//! A link as a QR code, drawn on the server: the code in it must not be sent to anybody who would
//! draw it.

use qrcode::{Color, EcLevel, QrCode};

use crate::view::QrView;

/// `None` for a text that is too long for one.
pub fn qr(text: &str) -> Option<QrView> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let size = code.width();
    let path = code
        .to_colors()
        .chunks(size)
        .enumerate()
        .map(|(y, row)| dark_runs(row, y))
        .collect();
    Some(QrView { size, path })
}

/// Dark squares side by side are one rectangle.
fn dark_runs(row: &[Color], y: usize) -> String {
    let mut x = 0;
    let mut path = String::new();
    for run in row.chunk_by(|one, next| one == next) {
        if run[0] == Color::Dark {
            path += &format!("M{x} {y}h{0}v1h-{0}z", run.len());
        }
        x += run.len();
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finder_patterns_are_where_they_belong() {
        let QrView { size, path } =
            qr("https://relink.example.com/link#7K3D-M9QX-2VBT-H4ZC").unwrap();
        assert_eq!(size % 4, 1, "{size}");
        let right = size - 7;
        assert!(path.starts_with("M0 0h7v1h-7z") && path.contains(&format!("M{right} 0h7v1h-7z")));
        assert!(path.contains(&format!("M0 {}h7v1h-7z", size - 1)));
        assert!(qr(&"x".repeat(9_000)).is_none());
    }
}

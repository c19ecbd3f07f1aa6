//! Plain text tables: columns as wide as their widest cell.

/// A table with a heading, two spaces between columns, no trailing spaces. The last cell of a row that ends early is a
/// remark: it runs on over the columns that the row has not, and widens none.
pub(super) fn render(heading: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = heading.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        let remark = usize::from(row.len() < heading.len());
        for (width, cell) in widths.iter_mut().zip(row).take(row.len() - remark.min(row.len())) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let heading: Vec<String> = heading.iter().map(|cell| (*cell).to_owned()).collect();
    let mut text = String::new();
    for row in std::iter::once(&heading).chain(rows) {
        let line: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Numbers as ranges: `0-3 7 9-10`.
pub(super) fn ranges(numbers: impl IntoIterator<Item = u64>) -> String {
    let mut found: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match found.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => found.push((number, number)),
        }
    }
    let words: Vec<String> = found
        .into_iter()
        .map(|(first, last)| if first == last { format!("{first}") } else { format!("{first}-{last}") })
        .collect();
    words.join(" ")
}

/// Numbers with commas between.
pub(super) fn listed(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}

/// `1 shard`, `2 shards`.
pub(super) fn counted(count: impl TryInto<u64>, what: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// What is there, or a dash.
pub(super) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or("-".into(), |value| value.to_string())
}

/// Bytes for a person.
pub(super) fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    let unit_name = units.get(unit).unwrap_or(&"B");
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {unit_name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = vec![vec!["1".into(), "leader".into()], vec!["12".into(), String::new()]];
        assert_eq!(render(&["NODE", "ROLE"], &rows), "NODE  ROLE\n1     leader\n12\n");
    }

    #[test]
    fn a_remark_widens_no_column() {
        let rows = vec![vec!["1".into(), "a long remark".into()], vec!["2".into(), "b".into(), "c".into()]];
        assert_eq!(render(&["N", "ROLE", "TERM"], &rows), "N  ROLE  TERM\n1  a long remark\n2  b     c\n");
    }

    #[test]
    fn numbers_become_ranges() {
        assert_eq!(ranges([0, 1, 2, 3, 7, 9, 10]), "0-3 7 9-10");
        assert_eq!(ranges([]), "");
    }

    #[test]
    fn sizes_are_readable() {
        assert_eq!((size(0), size(1023), size(1536)), ("0 B".into(), "1023 B".into(), "1.5 KiB".into()));
        assert_eq!(size(u64::MAX), "16777216.0 TiB");
    }
}

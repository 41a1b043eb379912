//! Tables in Vault's form: columns with four blanks between them, a rule below each heading, and nothing else.

/// What stands in a cell without a value.
const EMPTY: &str = "n/a";
const BETWEEN: &str = "    ";

/// A table with headings.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let head: Vec<String> = head.iter().map(|name| (*name).to_owned()).collect();
    let rule = head.iter().map(|name| "-".repeat(name.chars().count())).collect();
    columns([head, rule].iter().chain(rows))
}

/// Cells below each other.
pub fn columns<'r>(rows: impl IntoIterator<Item = &'r Vec<String>> + Clone) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows.clone() {
        widths.resize(widths.len().max(row.len()), 0);
        row.iter()
            .zip(&mut widths)
            .for_each(|(cell, width)| *width = (*width).max(shown(cell).chars().count()));
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(at, (cell, width))| {
            // Nothing stands after the last one that it would have to be in line with.
            let width = if at + 1 == row.len() { 0 } else { *width };
            format!("{:width$}", shown(cell))
        });
        cells.collect::<Vec<_>>().join(BETWEEN)
    };
    rows.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

fn shown(cell: &str) -> &str {
    if cell.is_empty() { EMPTY } else { cell }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_they_hold() {
        let rows = [vec!["a".to_owned(), String::new()], vec!["long one".to_owned(), "∞".to_owned()]];
        assert_eq!(
            table(&["Key", "Value"], &rows),
            "Key         Value\n---         -----\na           n/a\nlong one    ∞"
        );
    }

    proptest! {
        #[test]
        fn every_cell_of_a_column_begins_below_its_heading(cells in proptest::collection::vec(("[a-zé]{0,9}", "[a-z]{1,5}"), 1..6)) {
            let rows: Vec<Vec<String>> = cells.into_iter().map(|(a, b)| vec![a, b]).collect();
            let told = table(&["Key", "Value"], &rows);
            let begins = told.lines().next().unwrap().chars().collect::<String>().find("Value").unwrap();
            for (line, row) in told.lines().skip(2).zip(&rows) {
                let chars: Vec<char> = line.chars().collect();
                prop_assert_eq!(chars[begins..].iter().collect::<String>(), row[1].clone());
            }
        }
    }
}

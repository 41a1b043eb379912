//! The usual form of a policy: two blanks for each brace or bracket that is open, one around an equals sign, and no
//! more than one empty line. Comments and texts stay as they are.

use domain::document;

/// Brings a policy into that form.
pub(super) fn formatted(text: &str) -> Result<String, String> {
    document::parse(text).map_err(|problem| problem.to_string())?;
    let mut lines = Lines::default();
    text.lines().for_each(|line| lines.add(line));
    Ok(lines.done())
}

#[derive(Default)]
struct Lines {
    told: Vec<String>,
    depth: usize,
    in_comment: bool,
    /// What ends a text of several lines.
    until: Option<String>,
}

impl Lines {
    fn add(&mut self, line: &str) {
        if let Some(end) = &self.until {
            if line.trim() == end {
                self.until = None;
            }
            return self.told.push(line.to_owned());
        }
        let line = line.trim();
        if line.is_empty() {
            if self.told.last().is_some_and(|last| !last.is_empty()) {
                self.told.push(String::new());
            }
            return;
        }
        let parts = Parts::of(line, self.in_comment);
        let indent = self.depth.saturating_sub(parts.closes_first);
        self.told.push(format!("{}{}", "  ".repeat(indent), parts.spaced));
        self.depth = (self.depth + parts.opened).saturating_sub(parts.closed);
        self.in_comment = parts.in_comment;
        self.until = parts.until;
    }

    fn done(mut self) -> String {
        while self.told.last().is_some_and(String::is_empty) {
            self.told.pop();
        }
        self.told.join("\n") + "\n"
    }
}

/// What one line holds outside of texts and comments.
#[derive(Default)]
struct Parts {
    spaced: String,
    opened: usize,
    closed: usize,
    /// How many are closed before anything else.
    closes_first: usize,
    in_comment: bool,
    until: Option<String>,
}

impl Parts {
    fn of(line: &str, in_comment: bool) -> Self {
        let mut parts = Self { in_comment, ..Self::default() };
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            let taken = parts.take(c, rest);
            rest = &rest[taken..];
        }
        parts.spaced = parts.spaced.trim_end().to_owned();
        parts
    }

    /// Takes what begins here, and tells how long it is.
    fn take(&mut self, c: char, rest: &str) -> usize {
        if self.in_comment || rest.starts_with("/*") {
            let end = rest.find("*/").map(|at| at + 2);
            self.in_comment = end.is_none();
            return self.keep(&rest[..end.unwrap_or(rest.len())]);
        }
        match c {
            '#' => self.keep(rest),
            '/' if rest.starts_with("//") => self.keep(rest),
            '"' => self.keep(&rest[..text(rest)]),
            '<' if rest.starts_with("<<") => {
                self.until = Some(rest[2..].trim_start_matches('-').trim().to_owned());
                self.keep(rest)
            }
            '=' => {
                self.spaced.truncate(self.spaced.trim_end().len());
                self.spaced.push_str(" = ");
                1
            }
            ' ' | '\t' => {
                if !self.spaced.is_empty() && !self.spaced.ends_with(' ') {
                    self.spaced.push(' ');
                }
                1
            }
            '{' | '[' => {
                self.opened += 1;
                let alone = self
                    .spaced
                    .chars()
                    .next_back()
                    .is_some_and(|before| c == '{' && !" [{,(".contains(before));
                self.spaced.push_str(if alone { " " } else { "" });
                self.keep(&rest[..1])
            }
            '}' | ']' => {
                self.closed += 1;
                self.closes_first += usize::from(
                    self.opened == 0 && self.spaced.trim_end().chars().all(|c| "}] ,".contains(c)),
                );
                self.keep(&rest[..1])
            }
            c => self.keep(&rest[..c.len_utf8()]),
        }
    }

    fn keep(&mut self, part: &str) -> usize {
        self.spaced.push_str(part);
        part.len()
    }
}

/// How long the text in quotes is that begins here.
fn text(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            c => escaped = c == '\\' && !escaped,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_policy_gets_the_usual_form_and_keeps_its_words() {
        let given = "path \"a=b {\"   {\n\n\ncapabilities=[\"read\",\n  \"list\"]  # why=not\n      }\n/* a\n   b */\npath \"c\" { capabilities = [] }\n\n";
        let told = "path \"a=b {\" {\n\n  capabilities = [\"read\",\n    \"list\"] # why=not\n}\n/* a\nb */\npath \"c\" { capabilities = [] }\n";
        assert_eq!(formatted(given).unwrap(), told);
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        assert!(formatted("path \"a\" {").is_err());
    }

    proptest! {
        #[test]
        fn a_formatted_policy_means_the_same_and_stays(paths in proptest::collection::vec("[a-z/+*= {}#]{1,12}", 1..4), blanks in " {0,4}") {
            let rule = |path: &String| format!("{blanks}path{blanks} \"{path}\"{blanks}{{\n{blanks}capabilities={blanks}[\"read\"]\n{blanks}}}\n");
            let given: String = paths.iter().map(rule).collect();
            let told = formatted(&given).unwrap();
            let names = |text: &str| document::parse(text).unwrap().iter().map(|entry| entry.name.clone()).collect::<Vec<_>>();
            prop_assert_eq!(names(&given), names(&told));
            let usual = |path: &String| format!("\"{path}\" {{\n  capabilities = [\"read\"]\n}}");
            prop_assert!(paths.iter().all(|path| told.contains(&usual(path))));
            prop_assert_eq!(formatted(&told).unwrap(), told);
        }
    }
}

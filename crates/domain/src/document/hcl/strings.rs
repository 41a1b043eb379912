//! How texts are written in HCL.

/// How long the quoted text at the front is, quotes included. Quotes inside `${…}` do not end it, a line end outside
/// of it does not belong in it.
pub(super) fn quoted(text: &str) -> Option<usize> {
    let mut braces = 0_usize;
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' if braces == 0 => return Some(at + 1),
            '\n' if braces == 0 => return None,
            '\\' => {
                characters.next()?;
            }
            '$' if braces == 0 && matches!(characters.peek(), Some((_, '{'))) => {
                characters.next();
                braces = 1;
            }
            '{' if braces > 0 => braces += 1,
            '}' if braces > 0 => braces -= 1,
            _ => {}
        }
    }
    None
}

/// What stands between quotes, with the escapes resolved.
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let escape = after.chars().next()?;
        let after = &after[escape.len_utf8()..];
        let (character, after) = match escape {
            'a' => ('\u{7}', after),
            'b' => ('\u{8}', after),
            'f' => ('\u{c}', after),
            'n' => ('\n', after),
            'r' => ('\r', after),
            't' => ('\t', after),
            'v' => ('\u{b}', after),
            '\\' | '"' => (escape, after),
            'x' => code(after, 2)?,
            'u' => code(after, 4)?,
            'U' => code(after, 8)?,
            _ => return None,
        };
        plain.push(character);
        rest = after;
    }
    plain.push_str(rest);
    Some(plain)
}

fn code(text: &str, digits: usize) -> Option<(char, &str)> {
    let (number, after) = text.split_at_checked(digits)?;
    if !number.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    Some((char::from_u32(u32::from_str_radix(number, 16).ok()?)?, after))
}

/// The length of a text that is written over several lines, and the text: `<<END`, its lines, `END`. With `<<-END`
/// the lines lose the blanks that all of them begin with.
pub(super) fn heredoc(text: &str) -> Option<(usize, String)> {
    let (opening, body) = text.split_once('\n')?;
    let word = opening.strip_prefix("<<")?;
    let indented = word.starts_with('-');
    let word = word.trim_start_matches('-').trim_end();
    if word.is_empty() {
        return None;
    }
    let mut lines = Vec::new();
    let mut length = opening.len() + 1;
    for line in body.split_inclusive('\n') {
        if line.trim() == word {
            return Some((length + line.trim_end().len(), joined(&lines, indented)));
        }
        length += line.len();
        lines.push(line);
    }
    None
}

fn joined(lines: &[&str], indented: bool) -> String {
    let blanks = |line: &&str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let common = if indented { lines.iter().map(blanks).min().unwrap_or(0) } else { 0 };
    lines.iter().map(|line| &line[common..]).collect()
}

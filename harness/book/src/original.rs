//! `<!-- workbook:original 1 -->`: the Chinese original of a section of chapter 1, to be unfolded beside the English text.
//!
//! In the Chinese pages the original is the text itself, and the directive leaves nothing.

use std::path::Path;

use crate::{error::BookError, page::Page};

/// The words for the pictures of the original, which came as short codes.
const EMOJI: &[(&str, &str)] = &[
    (":jack_o_lantern:", "🎃"),
    (":haircut:", "💇"),
    (":dancers:", "💃"),
];

/// The sections of the original, from 1; the title of the whole belongs to the first.
pub fn sections(root: &Path) -> Result<Vec<String>, BookError> {
    let text = fs_err::read_to_string(root.join("book/original/chapter-01.zh.md"))?;
    let mut sections: Vec<String> = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.starts_with("```");
        if !fenced && line.starts_with("## ") || sections.is_empty() {
            sections.push(String::new());
        }
        if let Some(section) = sections.last_mut() {
            section.push_str(line);
            section.push('\n');
        }
    }
    // What stands before the first section is its title.
    let title = sections.remove(0);
    if let Some(first) = sections.first_mut() {
        first.insert_str(0, &title);
    }
    Ok(sections)
}

/// A line of the original as it is shown: emoji for their codes, and nothing for a picture that did not come with it.
pub fn shown(line: &str) -> Option<String> {
    if line.starts_with("![") {
        return None;
    }
    Some(EMOJI.iter().fold(line.to_owned(), |line, (code, emoji)| {
        line.replace(code, emoji)
    }))
}

pub(crate) fn original(page: &Page<'_>, number: &str) -> Result<String, BookError> {
    if !page.tongue.folder.is_empty() {
        return Ok(String::new());
    }
    let sections = sections(&page.workspace.root)?;
    let section = number
        .parse::<usize>()
        .ok()
        .and_then(|number| sections.get(number.checked_sub(1)?))
        .ok_or_else(|| page.wrong(format!("the original has no section {number}")))?;
    let mut fenced = false;
    let lines: Vec<String> = section
        .lines()
        .filter_map(|line| {
            fenced ^= line.starts_with("```");
            let title = line.trim_start_matches('#');
            if !fenced && title.len() < line.len() {
                // A heading would be one of the English page.
                return Some(format!("**{}**", title.trim()));
            }
            shown(line)
        })
        .collect();
    Ok(format!(
        "<details class=\"workbook-original\" lang=\"zh-CN\">\n<summary><span lang=\"en\">The original of this section, in Chinese</span></summary>\n\n{}\n\n</details>\n",
        lines.join("\n").trim()
    ))
}

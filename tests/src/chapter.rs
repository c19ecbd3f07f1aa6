//! A chapter of the README as something to be run: its fenced blocks in order, each known by its first line.
//!
//! The chapter is the source. Whoever reads it takes the blocks one by one and names each, so that a block that was added,
//! dropped or moved is noticed; a check of a copy would not notice anything.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_path_buf()
}

/// A fenced block: what it is for, by its first line, and all its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The first line without its `# `.
    pub title: String,
    /// Everything between the fences, the first line included.
    pub text: String,
}

/// The blocks that are still to be taken.
#[derive(Clone, Debug)]
pub struct Chapter {
    blocks: VecDeque<Block>,
}

impl Chapter {
    /// The chapter of the README under this heading.
    pub fn of_readme(heading: &str) -> Self {
        let readme = std::fs::read_to_string(root().join("README.md")).expect("there is a README");
        Self::find(&readme, heading).unwrap_or_else(|| panic!("the README has no chapter {heading:?}"))
    }

    fn find(readme: &str, heading: &str) -> Option<Self> {
        let mut lines = readme.lines().skip_while(|line| line.strip_prefix("## ") != Some(heading));
        lines.next()?;
        let mut blocks = VecDeque::new();
        let mut open: Option<String> = None;
        for line in lines {
            match (&mut open, line.starts_with("```")) {
                (None, true) => open = Some(String::new()),
                (None, false) if line.starts_with("## ") => break,
                (None, false) => {}
                (Some(text), false) => text.extend([line, "\n"]),
                (Some(text), true) => {
                    let first = text.lines().next().unwrap_or_default();
                    blocks.push_back(Block { title: first.trim_start_matches("# ").into(), text: text.clone() });
                    open = None;
                }
            }
        }
        Some(Self { blocks })
    }

    /// The next block, which must be this one.
    pub fn take(&mut self, title: &str) -> Block {
        let next = self.blocks.pop_front().unwrap_or_else(|| panic!("the chapter ends before the block {title:?}"));
        assert_eq!(next.title, title, "the chapter's blocks are not those that this test knows, in their order");
        next
    }

    /// How many blocks were not taken.
    pub fn left(&self) -> usize {
        self.blocks.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = "## One\n```sh\n# other\n```\n## Two\ntext\n```sh\n# first: a\nls\n\n# a remark\n```\nmore\n\
                          ```toml\n# second\n```\n## Three\n```sh\n# third\n```\n";

    #[test]
    fn a_chapter_is_its_blocks_in_order() {
        let mut chapter = Chapter::find(README, "Two").expect("it is there");
        assert_eq!(chapter.left(), 2);
        assert_eq!(chapter.take("first: a").text, "# first: a\nls\n\n# a remark\n");
        assert_eq!(chapter.take("second").text, "# second\n");
        assert_eq!(chapter.left(), 0);
        assert!(Chapter::find(README, "Four").is_none());
    }

    #[test]
    #[should_panic(expected = "not those that this test knows")]
    fn a_block_that_is_not_expected_is_noticed() {
        Chapter::find(README, "Two").expect("it is there").take("second");
    }
}

//! The language of stories: what is read is written as it was, and the documentation is true.

use std::fs;

use cordboard_server::scenario::Story;

use crate::folder::{root, stories};

#[test]
fn every_story_is_written_as_it_is_read() {
    for (name, story) in stories() {
        let again: Story = story.to_string().parse().unwrap();
        assert_eq!(story, again, "{name}:\n{story}");
        assert!(!story.title().is_empty(), "{name} has no title");
    }
}

#[test]
fn every_line_of_the_documentation_is_read_and_written() {
    let text = fs::read_to_string(root().join("scenarios/README.md")).unwrap();
    let mut lines = 0;
    for block in text.split("```story\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
        let story: Story = block.parse().unwrap_or_else(|error| panic!("{error} of\n{block}"));
        let again: Story = story.to_string().parse().unwrap();
        assert_eq!(story, again);
        lines += story.steps.len();
    }
    assert!(lines > 60, "the documentation shows {lines} steps only");
}

#[test]
fn a_wrong_line_is_named() {
    for (text, wanted) in [
        ("extension 201\nask 201 fly\n", "line 2: \"fly\" is no request"),
        ("extension 201\n\nask 201 answer call\n", "line 3: no call \"call\" has begun"),
        ("extension 201 colour=red\n", "line 1: colour=… means nothing here"),
        ("extension 201\nextension 201\n", "line 2: 201 is there twice"),
        ("wait 5\n", "line 1: \"5\" is no time; right would be 15s or 250ms"),
        ("wait 5s\nextension 201\n", "line 2: extension stands after the first step"),
        ("dance\n", "line 1: \"dance\" begins no line"),
        ("now 201 dances call\n", "line 1: \"dances\" is no happening"),
    ] {
        let error = text.parse::<Story>().unwrap_err().to_string();
        assert!(error.starts_with(wanted), "{error}");
    }
}

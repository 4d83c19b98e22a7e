//! Stories by chance: whatever is asked and whatever happens, every invariant holds, and nothing is left at the end.

use cordboard_server::scenario::Story;
use cordboard_sim::{author, stories};

const SEEDS: u64 = 400;

#[test]
fn every_invariant_holds_of_stories_by_chance() {
    for seed in 0..SEEDS {
        let story = author::write(seed);
        if let Err(why) = stories::check(&story) {
            panic!("seed {seed}: {why}\n{}", stories::shorten(&story));
        }
    }
}

#[test]
fn a_story_by_chance_can_be_written_down() {
    for seed in 0..SEEDS {
        let story = author::write(seed);
        let read: Story = story.to_string().parse().unwrap_or_else(|error| panic!("seed {seed}: {error}\n{story}"));
        assert_eq!(read, story, "seed {seed}");
    }
}

//! What must hold of every story.

use cordboard_sim::stories::check;

use crate::folder::stories;

#[test]
fn every_invariant_holds_of_every_story() {
    let broken: Vec<String> =
        stories().iter().filter_map(|(name, story)| check(story).err().map(|why| format!("{name}: {why}"))).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

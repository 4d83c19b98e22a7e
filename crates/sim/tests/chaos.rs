//! Whatever a phone system says, nothing panics, every invariant holds, and when all channels are gone no call is left.

use cordboard_sim::chance::Chance;
use cordboard_sim::chaos::live;
use cordboard_sim::invariants::check;

#[test]
fn a_phone_system_gone_mad_breaks_nothing() {
    for seed in 0..300 {
        let mut chance = Chance::new(seed);
        let bytes: Vec<u8> = (0..1_600).map(|_| chance.number().to_le_bytes().first().copied().unwrap_or(0)).collect();
        let life = live(&bytes);
        check(&life).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        let left = life.world.calls.values().filter(|call| !call.ended);
        let left: Vec<_> = left
            .map(|call| (&call.keys, call.legs.values().map(|leg| (&leg.key, leg.state)).collect::<Vec<_>>()))
            .collect();
        assert!(left.is_empty(), "seed {seed}: calls without channels: {left:#?}");
        assert!(life.world.timers.is_empty(), "seed {seed}: a timer never ran out");
    }
}

//! A run that stops, is saved, and goes on elsewhere.

use nt_engine::{Depth, Pause, Replay, SelfTrade, Source};
use proptest::{prop_assert, prop_assert_eq};

use super::draw::Draw;
use super::session::{Played, Session, Shape, holds_of_every};

/// Plays a session that stops in the middle of turns and between them, and is resumed from its bytes each time.
fn interrupted(session: &Session) -> (Played, usize) {
    let mut draw = Draw(session.spare);
    let seldom = draw.pick(&[1, 2, 5, 20]);
    let mut stops = 0;
    let played = session.watch(|replay, sources, _| {
        if draw.one_in(seldom) {
            *replay = session.resumed(replay, sources);
            stops += 1;
        }
        if draw.one_in(3) {
            let turns = if draw.one_in(2) { replay.turns() + draw.below(3) } else { u64::MAX };
            replay.set_pause(Pause { time_ns: replay.now_ns() + draw.between(0, 90), turns });
        }
    });
    (played, stops)
}

/// Law 16: a run resumed from a snapshot equals the run that never stopped, wherever it stopped.
#[test]
fn a_resumed_run_equals_the_run_that_never_stopped() {
    holds_of_every(30, Shape { replies: true, ..Shape::default() }, |session| {
        let (whole, (parts, stops)) = (session.play(), interrupted(&session));
        prop_assert_eq!(&parts.error, &whole.error);
        prop_assert_eq!(parts.outcome(), whole.outcome());
        prop_assert_eq!(parts.replay.touches(), whole.replay.touches());
        prop_assert_eq!(parts.replay.fill_touches(), whole.replay.fill_touches());
        Ok(stops.min(whole.fills().len()))
    });
}

/// The same by the rules of hftbacktest.
#[test]
fn a_resumed_run_like_hftbacktest_equals_the_run_that_never_stopped() {
    let shape = Shape { depth: Some(Depth::Levels), orders: super::session::Orders::Limits, ..Shape::default() };
    holds_of_every(60, shape, |mut session| {
        session.settings.like_hftbacktest = true;
        session.settings.venue.self_trade = SelfTrade::default();
        if session.settings.venue.queue == nt_engine::QueueModel::Front {
            session.settings.venue.queue = nt_engine::QueueModel::Power(2);
        }
        let (whole, (parts, stops)) = (session.play(), interrupted(&session));
        prop_assert_eq!(&parts.error, &whole.error);
        prop_assert_eq!(parts.outcome(), whole.outcome());
        Ok(stops)
    });
}

/// Bytes that were changed are refused, or make a run that is still sound: nothing panics while they are read.
#[test]
fn no_change_of_a_state_makes_reading_it_panic() {
    holds_of_every(60, Shape::default(), |session| {
        let mut draw = Draw(session.spare);
        let mut saved = Vec::new();
        let turn = draw.below(20) as usize;
        let mut turns = 0;
        session.watch(|replay, sources, _| {
            turns += 1;
            if turns == turn {
                saved = replay.save().expect("a state");
                for _ in 0..8 {
                    let mut changed = saved.clone();
                    let at = draw.below(changed.len() as u64) as usize;
                    match draw.below(3) {
                        0 => changed[at] = draw.below(256) as u8,
                        1 => changed.truncate(at),
                        _ => changed.insert(at, draw.below(256) as u8),
                    }
                    if let Ok(read) = read(&session, &changed, sources) {
                        assert_eq!(read.placed().len(), read.engine().orders().len());
                    }
                }
            }
        });
        prop_assert!(turns < turn || turn == 0 || !saved.is_empty());
        Ok(saved.len().min(1))
    });
}

fn read(session: &Session, bytes: &[u8], sources: &[Source<'_>]) -> Result<Replay, nt_core::Error> {
    let new = Replay::new(session.config, session.instruments.clone(), sources.len(), session.settings.clone());
    let mut new = new.expect("settings that make sense");
    new.restore(bytes, sources)?;
    Ok(new)
}

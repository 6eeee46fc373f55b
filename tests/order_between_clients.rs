//! Two clients have no order between them, on a link that lets ports overtake each other; whoever needs one keeps to one port.

mod common;

use std::{cell::RefCell, rc::Rc};

use common::{settle, within};
use futures::future::{join, join_all};
use handover::{
    context,
    prelude::*,
    testing::{LinkOptions, connect_over},
};

#[service]
trait Times {
    #[rpc(oneway)]
    async fn stamp(&self, who: u32, number: u32);
}

#[service]
trait Places {
    #[rpc(oneway)]
    async fn visit(&self, who: u32, number: u32);
}

/// One port for both: the parts of its client are clients too, and go through it.
#[service]
trait Diary: Times + Places {
    async fn lines(&self) -> u32;
}

type Lines = Rc<RefCell<Vec<(u32, u32)>>>;

struct Paper(Lines);

impl Times for Paper {
    async fn stamp(&self, who: u32, number: u32) {
        self.0.borrow_mut().push((who, number));
    }
}

impl Places for Paper {
    async fn visit(&self, who: u32, number: u32) {
        self.0.borrow_mut().push((who, number));
    }
}

impl Diary for Paper {
    async fn lines(&self) -> u32 {
        u32::try_from(self.0.borrow().len()).unwrap()
    }
}

fn diary(seed: u64) -> (DiaryClient, Lines) {
    let lines = Lines::default();
    let (paper, options) = (Paper(lines.clone()), LinkOptions::seeded(seed).reorder_ports(6));
    (connect_over(options, |port| DiaryServer::new(paper).serve(port)).0, lines)
}

const SEEDS: std::ops::Range<u64> = 0..40;
const EACH: u32 = 20;

/// C16
#[test]
fn clients_overtake_each_other_and_each_keeps_its_own_order() {
    let overtaken = SEEDS.filter(|seed| {
        context::block_on(async {
            let (diary, lines) = diary(*seed);
            let (one, other) = (diary.clone(), diary.narrow().calls(u64::from(EACH)).client());

            for number in 0..EACH {
                one.stamp(1, number).await.unwrap();
                other.stamp(2, number).await.unwrap();
                // Some wait together, at the service too.
                if number % 4 == 3 {
                    settle().await;
                }
            }
            within(async {
                while lines.borrow().len() < 2 * EACH as usize {
                    settle().await;
                }
            })
            .await;

            let lines = lines.take();
            for who in [1, 2] {
                let own: Vec<_> = lines.iter().filter(|line| line.0 == who).map(|line| line.1).collect();
                assert_eq!(own, (0..EACH).collect::<Vec<_>>(), "seed {seed}");
            }
            let as_made = (0..EACH).flat_map(|number| [(1, number), (2, number)]);
            !lines.into_iter().eq(as_made)
        })
    });

    assert!(overtaken.count() > 10, "the link lets nothing overtake, so nothing is shown");
}

/// C16
#[test]
fn the_parts_of_one_client_are_on_one_port_and_keep_their_order_with_each_other() {
    for seed in SEEDS {
        context::block_on(async {
            let (diary, lines) = diary(seed);
            let (times, places): (&TimesClient, &PlacesClient) = (diary.as_ref(), diary.as_ref());

            for number in 0..EACH {
                times.stamp(1, number).await.unwrap();
                places.visit(2, number).await.unwrap();
                settle().await;
            }

            assert_eq!(diary.lines().await, Ok(2 * EACH), "it comes behind all of them");
            let as_made = (0..EACH).flat_map(|number| [(1, number), (2, number)]);
            assert!(lines.take().into_iter().eq(as_made), "seed {seed}");
        });
    }
}

/// C16
#[test]
fn nothing_of_ours_relies_on_an_order_between_ports() {
    for seed in SEEDS {
        context::block_on(async {
            let (diary, lines) = diary(seed);
            // Each clone is made by a frame on one port and called by another, which may come first.
            let clones: Vec<_> = (0..5).map(|_| diary.clone().clone().narrow().client()).collect();

            let counted = within(join(diary.lines(), join_all(clones.iter().map(DiaryClient::lines)))).await;

            assert_eq!(counted, (Ok(0), vec![Ok(0); 5]), "seed {seed}");
            assert_eq!(lines.take(), []);
        });
    }
}

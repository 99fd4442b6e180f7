//! Where the cards stand, and how lines get from one to another: Sugiyama's method, as `dugong` implements it.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use dugong::graphlib::{Graph, GraphOptions};
use dugong::{EdgeLabel, GraphLabel, NodeLabel, RankDir};

/// Room between columns, for the lines, and between cards of one.
const BETWEEN_COLUMNS: f64 = 110.0;
const BETWEEN_CARDS: f64 = 26.0;
/// Cards that stand alone make rows of at least this width.
const LEAST_WIDTH: f64 = 800.0;
/// Between lines that pass a card, and beside it.
const BETWEEN_LINES: f64 = 22.0;

/// A rectangle, by its left upper corner. All lengths are in pixels of the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Place {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Place {
    pub(super) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

/// Where a line ends: a card, and which of its rows. A line, by its ends.
pub(super) type Knot = (usize, usize);
pub(super) type Tie = [Knot; 2];

/// A column of cards.
#[derive(Clone, Copy, Debug)]
struct Column {
    centre: f64,
    left: f64,
    right: f64,
}

/// A column that a line passes on its way: its edges, and at which height.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passage {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) y: f64,
}

/// Of each pair of connected cards, the left one first.
type Passages = HashMap<(usize, usize), Vec<Passage>>;

/// Cards in columns.
#[derive(Debug)]
pub(super) struct Layout {
    /// Of each card: as wide as the widest of its column.
    pub(super) places: Vec<Place>,
    passages: Passages,
}

impl Layout {
    /// Arranges cards of these sizes.
    pub(super) fn of(sizes: &[(f64, f64)], ties: &[Tie]) -> Layout {
        let (order, edges) = directed(sizes.len(), ties);
        let mut graph: Graph<NodeLabel, EdgeLabel, GraphLabel> =
            Graph::new(GraphOptions { directed: true, ..GraphOptions::default() });
        graph.set_graph(GraphLabel {
            rankdir: RankDir::LR,
            nodesep: BETWEEN_CARDS,
            ranksep: BETWEEN_COLUMNS,
            edgesep: BETWEEN_LINES,
            ..GraphLabel::default()
        });
        let connected: HashSet<usize> = edges.iter().flat_map(|&((from, to), _)| [from, to]).collect();
        for card in order.iter().filter(|card| connected.contains(card)) {
            if let Some(&(width, height)) = sizes.get(*card) {
                graph.set_node(card.to_string(), NodeLabel { width, height, ..NodeLabel::default() });
            }
        }
        for &((from, to), weight) in &edges {
            let label = EdgeLabel { weight, ..EdgeLabel::default() };
            graph.set_edge_with_label(from.to_string(), to.to_string(), label);
        }
        dugong::layout_dagreish(&mut graph);
        let place = |(card, &(width, height)): (usize, &(f64, f64))| {
            let node = graph.node(&card.to_string());
            let centre = |at: Option<f64>| at.unwrap_or(0.0);
            let (x, y) = node.map_or((0.0, 0.0), |node| (centre(node.x), centre(node.y)));
            Place { x: (x - width / 2.0).round(), y: (y - height / 2.0).round(), width, height }
        };
        let mut places: Vec<Place> = sizes.iter().enumerate().map(place).collect();
        let columns = columns(&places, &connected);
        let passages: Passages = edges
            .iter()
            .map(|&((from, to), _)| {
                let points = graph.edge(&from.to_string(), &to.to_string(), None).map_or(&[][..], |edge| &edge.points);
                let ends = [places.get(from), places.get(to)]
                    .map(|place| place.map_or(0.0, |place| place.x + place.width / 2.0));
                let between = |column: &&Column| ends[0] + 1.0 < column.centre && column.centre < ends[1] - 1.0;
                let passage = columns.iter().filter(between).filter_map(|&Column { centre, left, right }| {
                    let at = points.iter().min_by(|a, b| (a.x - centre).abs().total_cmp(&(b.x - centre).abs()))?;
                    Some(Passage { left, right, y: at.y.round() })
                });
                ((from, to), passage.collect())
            })
            .collect();
        for &card in &connected {
            let place = &mut places[card];
            let centre = place.x + place.width / 2.0;
            if let Some(column) = columns.iter().find(|column| (column.left..column.right).contains(&centre)) {
                (place.x, place.width) = (column.left, column.right - column.left);
            }
        }
        let alone: Vec<usize> = (0..sizes.len()).filter(|card| !connected.contains(card)).collect();
        line_up(&mut places, &alone);
        Layout { passages, places }
    }

    /// The columns on the way from one card to another one on its right.
    pub(super) fn passages(&self, left: usize, right: usize) -> &[Passage] {
        self.passages.get(&(left, right)).map_or(&[], Vec::as_slice)
    }
}

/// Puts cards that nothing connects with others in rows below these.
fn line_up(places: &mut [Place], alone: &[usize]) {
    let others = || (0..places.len()).filter(|card| !alone.contains(card)).filter_map(|card| places.get(card));
    let width = others().map(Place::right).fold(LEAST_WIDTH, f64::max);
    let top = others().map(|place| place.bottom() + BETWEEN_CARDS).fold(0.0, f64::max);
    let (mut x, mut y, mut bottom) = (0.0, top, top);
    for &card in alone {
        let Some(place) = places.get_mut(card) else { continue };
        if x > 0.0 && x + place.width > width {
            (x, y) = (0.0, bottom + BETWEEN_CARDS);
        }
        (place.x, place.y) = (x, y);
        x += place.width + BETWEEN_CARDS;
        bottom = bottom.max(place.bottom());
    }
}

/// Connected cards with the same centre, from the left.
fn columns(places: &[Place], connected: &HashSet<usize>) -> Vec<Column> {
    let mut columns: BTreeMap<i64, Column> = BTreeMap::new();
    for place in places.iter().enumerate().filter_map(|(card, place)| connected.contains(&card).then_some(place)) {
        let centre = place.x + place.width / 2.0;
        // Corners were rounded.
        let key = (centre / 8.0).round() as i64;
        let near = [key - 1, key, key + 1].into_iter().find(|key| columns.contains_key(key)).unwrap_or(key);
        let column = columns.entry(near).or_insert(Column { centre, left: place.x, right: place.right() });
        column.left = column.left.min(place.x);
        column.right = column.right.max(place.right());
    }
    columns.into_values().collect()
}

/// Two cards, and how many lines connect them.
type Edge = ((usize, usize), f64);

/// Ties as edges that lead away from the first card of each group, so that a chain of cards becomes a row, and what hangs on
/// one card a column. Besides, the cards in the order of that search.
fn directed(cards: usize, ties: &[Tie]) -> (Vec<usize>, Vec<Edge>) {
    let ties = ties.iter().filter(|[a, b]| a.0 != b.0 && a.0.max(b.0) < cards);
    let mut ends: Vec<(Knot, usize)> = ties.flat_map(|&[a, b]| [(a, b.0), (b, a.0)]).collect();
    ends.sort_unstable();
    let mut neighbours: Vec<Vec<usize>> = vec![Vec::new(); cards];
    for ((card, _), other) in ends {
        neighbours[card].push(other);
    }
    let mut order = Vec::new();
    let mut rank: Vec<Option<usize>> = vec![None; cards];
    for first in 0..cards {
        let mut waiting = VecDeque::from([first]);
        while let Some(card) = waiting.pop_front() {
            if rank[card].is_none() {
                rank[card] = Some(order.len());
                order.push(card);
                waiting.extend(&neighbours[card]);
            }
        }
    }
    let mut edges: Vec<Edge> = Vec::new();
    let mut known: HashMap<(usize, usize), usize> = HashMap::new();
    for &card in &order {
        for &other in neighbours[card].iter().filter(|&&other| rank[card] < rank[other]) {
            let at = *known.entry((card, other)).or_insert(edges.len());
            if at == edges.len() {
                edges.push(((card, other), 0.0));
            }
            edges[at].1 += 1.0;
        }
    }
    (order, edges)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines between the first rows of cards.
    fn ties(pairs: &[(usize, usize)]) -> Vec<Tie> {
        pairs.iter().map(|&(a, b)| [(a, 0), (b, 0)]).collect()
    }

    #[test]
    fn a_chain_becomes_a_row() {
        let layout = Layout::of(&[(100.0, 50.0); 4], &ties(&[(0, 1), (1, 2), (2, 3)]));
        let lefts: Vec<f64> = layout.places.iter().map(|place| place.x).collect();
        assert!(lefts.windows(2).all(|pair| pair[0] + 100.0 + 20.0 < pair[1]), "{lefts:?}");
    }

    #[test]
    fn what_hangs_on_one_card_becomes_a_column_in_the_order_of_its_rows() {
        // The hub is not the first card, and its rows have an order of their own.
        let hub = [[(0, 0), (3, 2)], [(1, 0), (3, 3)], [(2, 0), (3, 1)], [(4, 0), (3, 0)]];
        let places = Layout::of(&[(100.0, 50.0); 5], &hub).places;
        assert!(places[0].x < places[3].x);
        assert!([1, 2, 4].iter().all(|&leaf| places[leaf].x > places[3].x), "{places:?}");
        assert!(places[4].bottom() < places[2].y && places[2].bottom() < places[1].y, "{places:?}");
    }

    #[test]
    fn no_card_lies_on_another_one() {
        for seed in 0..20usize {
            let cards = 3 + seed;
            let sizes: Vec<(f64, f64)> =
                (0..cards).map(|at| (80.0 + (at * seed % 7 * 20) as f64, 40.0 + (at % 5 * 30) as f64)).collect();
            let pairs: Vec<(usize, usize)> =
                (0..cards * 2).map(|at| (at * (seed + 3) % cards, (at * 7 + seed) % cards)).collect();
            let places = Layout::of(&sizes, &ties(&pairs)).places;
            for (at, a) in places.iter().enumerate() {
                for b in &places[at + 1..] {
                    let apart = a.right() <= b.x || b.right() <= a.x || a.bottom() <= b.y || b.bottom() <= a.y;
                    assert!(apart, "{seed}: {a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_is_laid_out() {
        assert!(Layout::of(&[], &[]).places.is_empty());
        assert_eq!(Layout::of(&[(10.0, 10.0)], &ties(&[(0, 0), (0, 5)])).places.len(), 1);
    }
}

//! What a model knows of each feature: a column for each number, as a file has it.

use std::borrow::Cow;

/// A feature.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Feature {
    /// Its number by the hashes of their names: features are summed up in this order.
    pub rank: u32,
    pub weights: [f32; 3],
    pub idf: f64,
}

/// The bytes of a number, or of a few, for each feature or text, the least first. Those of the fast model, which is part of the program,
/// are read where they lie, and take no memory beside it.
pub(crate) type Column<const N: usize> = Cow<'static, [[u8; N]]>;

/// The idf of each feature.
#[derive(Debug, Clone)]
pub(crate) enum Idf {
    /// Which of the few that there are: features of one document frequency have one idf.
    Few(Vec<f64>, Column<2>),
    Each(Vec<f64>),
}

/// The features, by their places.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    ranks: Column<4>,
    weights: Column<12>,
    idf: Idf,
}

impl Idf {
    /// The values that some numbers stand for; `None` where one is beyond the last value, or there are more values than numbers.
    pub fn numbered(values: Vec<f64>, numbers: Column<2>) -> Option<Self> {
        let last = numbers.iter().map(|number| u16::from_le_bytes(*number)).max();
        let fits = last.is_none_or(|last| usize::from(last) < values.len()) && values.len() <= 1 << 16;
        fits.then_some(Self::Few(values, numbers))
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Few(_, numbers) => numbers.len(),
            Self::Each(values) => values.len(),
        }
    }

    #[inline]
    fn get(&self, at: usize) -> f64 {
        match self {
            Self::Few(values, numbers) => values[usize::from(u16::from_le_bytes(numbers[at]))],
            Self::Each(values) => values[at],
        }
    }

    /// The idf of all features, in their order.
    pub fn all(&self) -> Vec<f64> {
        (0..self.len()).map(|at| self.get(at)).collect()
    }
}

/// Three weights as they are written.
#[inline]
pub(crate) fn weights(bytes: &[u8; 12]) -> [f32; 3] {
    let (of_classes, _) = bytes.as_chunks::<4>();
    [0, 1, 2].map(|k| f32::from_le_bytes(of_classes[k]))
}

impl Columns {
    /// `None` where the columns are not equally long.
    pub fn new(ranks: Column<4>, weights: Column<12>, idf: Idf) -> Option<Self> {
        (ranks.len() == weights.len() && weights.len() == idf.len()).then_some(Self { ranks, weights, idf })
    }

    pub fn len(&self) -> usize {
        self.ranks.len()
    }

    #[inline]
    pub fn rank(&self, place: u32) -> u32 {
        u32::from_le_bytes(self.ranks[place as usize])
    }

    #[inline]
    pub fn weights(&self, place: u32) -> [f32; 3] {
        weights(&self.weights[place as usize])
    }

    #[inline]
    pub fn idf(&self, place: u32) -> f64 {
        self.idf.get(place as usize)
    }

    /// All features, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Feature> {
        let feature = |place| Feature { rank: self.rank(place), weights: self.weights(place), idf: self.idf(place) };
        (0..self.len() as u32).map(feature)
    }
}

impl FromIterator<Feature> for Columns {
    fn from_iter<I: IntoIterator<Item = Feature>>(features: I) -> Self {
        let mut columns = (Vec::new(), Vec::new(), Vec::new());
        for Feature { rank, weights, idf } in features {
            let mut bytes = [0; 12];
            bytes.as_chunks_mut::<4>().0.iter_mut().zip(weights).for_each(|(to, weight)| *to = weight.to_le_bytes());
            columns.0.push(rank.to_le_bytes());
            columns.1.push(bytes);
            columns.2.push(idf);
        }
        Self { ranks: columns.0.into(), weights: columns.1.into(), idf: Idf::Each(columns.2) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_hold_the_numbers_that_were_put_in() {
        let features = |n: u32| {
            (0..n).map(|i| {
                let weight = i as f32 + 0.1;
                Feature { rank: u32::MAX - i, weights: [weight, -weight, weight / 3.0], idf: 1.0 / f64::from(i + 1) }
            })
        };
        let columns: Columns = features(5).collect();
        let numbers = |f: Feature| (f.rank, f.weights, f.idf);
        assert!(columns.iter().map(numbers).eq(features(5).map(numbers)));
        assert_eq!(columns.idf.all(), features(5).map(|f| f.idf).collect::<Vec<_>>());
        let few = Idf::numbered(vec![0.5, 2.5], vec![[1, 0], [0, 0], [1, 0]].into()).expect("numbers of values");
        assert_eq!(few.all(), [2.5, 0.5, 2.5]);
        assert!(Columns::new(columns.ranks[..3].to_vec().into(), columns.weights[..3].to_vec().into(), few).is_some());
    }

    #[test]
    fn columns_that_do_not_fit_are_refused() {
        assert!(Idf::numbered(vec![1.0; 256], vec![[0, 1]].into()).is_none());
        assert!(Idf::numbered(vec![1.0; 257], vec![[0, 1]].into()).is_some());
        assert!(Idf::numbered(Vec::new(), Vec::new().into()).is_some());
        assert!(Idf::numbered(vec![1.0; (1 << 16) + 1], vec![[0, 0]].into()).is_none());
        for (ranks, weights, idf) in [(1, 2, 2), (2, 1, 2), (2, 2, 1)] {
            let idf = Idf::Each(vec![1.0; idf]);
            assert!(Columns::new(vec![[0; 4]; ranks].into(), vec![[0; 12]; weights].into(), idf).is_none());
        }
    }
}

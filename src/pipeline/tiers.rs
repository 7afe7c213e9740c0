//! The models that come with the program, and where the large ones are found.
//!
//! The fast one is part of the program. The accurate and the small one are files beside it, or part of it too with the
//! feature `embed-accurate`.

use std::env;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::Pipeline;
use crate::error::{Error, Result};
use crate::model::cascade::Cascade;
use crate::model::file as model_file;
use crate::model::{Kind, Model};

static FAST_MODEL: &[u8] = include_bytes!("../../models/fast.detente");

/// Each large model by its file, with its bytes where they are part of the program.
struct Large {
    file: &'static str,
    embedded: Option<&'static [u8]>,
}

#[cfg(feature = "embed-accurate")]
static EMBEDDED: [Option<&[u8]>; 2] =
    [Some(include_bytes!("../../models/accurate.detente")), Some(include_bytes!("../../models/small.detente"))];
#[cfg(not(feature = "embed-accurate"))]
static EMBEDDED: [Option<&[u8]>; 2] = [None, None];

static ACCURATE: Large = Large { file: "accurate.detente", embedded: EMBEDDED[0] };
static SMALL: Large = Large { file: "small.detente", embedded: EMBEDDED[1] };

/// The variable that names a folder of models.
const FOLDER: &str = "DETENTE_MODELS";

impl Pipeline {
    /// The fast model: masked n-grams. It is part of the program.
    pub fn fast() -> &'static Self {
        static PIPELINE: OnceLock<Pipeline> = OnceLock::new();
        PIPELINE.get_or_init(|| {
            let (model, manifest) =
                model_file::read_trusted(FAST_MODEL).expect("the embedded model is whole: a test reads it");
            Self::new(model, manifest)
        })
    }

    /// The accurate model: an encoder beside n-grams, a hundred times slower and more. It is looked for as
    /// `accurate.detente` in the folder that the variable `DETENTE_MODELS` names, and there only; without the variable beside
    /// the program, and in a folder `models` there, in one of the four folders above, or where the program was started. With
    /// the feature `embed-accurate` it is part of the program, and not looked for.
    ///
    /// # Errors
    /// [`Error::NoModel`] where it is not found, and what [`load`](Self::load) gives.
    pub fn accurate() -> Result<Self> {
        ACCURATE.load()
    }

    /// The small model: a smaller encoder beside n-grams, which learnt from larger ones; some seven times as fast as the
    /// accurate model. It is looked for as `small.detente`, where that is.
    ///
    /// # Errors
    /// As [`accurate`](Self::accurate).
    pub fn small() -> Result<Self> {
        SMALL.load()
    }

    /// Both one after the other: where `first` gives a piece of evidence a class with at least the probability `sure_from`,
    /// its answer is taken, and `then` reads the rest. Without a number it is the one that was chosen when `first` was
    /// trained, so that of its held-out rows some one in sixteen is handed on. `None` where `first` is no encoder and n-grams together, whose probabilities
    /// of a piece of evidence are calibrated.
    pub fn cascade(first: &Self, then: &Self, sure_from: Option<f64>) -> Option<Self> {
        let Kind::Stacked(stacked) = first.model.evidence.kind() else { return None };
        let sure_from = sure_from.unwrap_or(stacked.stack().sure_from);
        let evidence = Cascade::new(first.model.evidence.clone(), then.model.evidence.clone(), sure_from);
        let model = Model { evidence: Arc::new(evidence), head: then.model.head.clone() };
        Some(Self { gazetteer: then.gazetteer.clone(), model, manifest: then.manifest.clone() })
    }
}

impl Large {
    fn load(&self) -> Result<Pipeline> {
        if let Some(bytes) = self.embedded {
            return Pipeline::from_bytes(bytes);
        }
        match self.places().iter().find(|path| path.is_file()) {
            Some(path) => Pipeline::load(path),
            None => Err(Error::NoModel { name: self.file, variable: FOLDER }),
        }
    }

    /// Where the file may lie, in the order in which it is looked for.
    fn places(&self) -> Vec<PathBuf> {
        if let Some(folder) = env::var_os(FOLDER) {
            return vec![PathBuf::from(folder).join(self.file)];
        }
        let program = env::current_exe().and_then(|path| path.canonicalize()).unwrap_or_default();
        let beside = program.parent().map(|folder| folder.join(self.file));
        let models = program.ancestors().skip(1).take(5).map(|folder| folder.join("models").join(self.file));
        beside.into_iter().chain(models).chain([PathBuf::from("models").join(self.file)]).collect()
    }
}

//! The models that come with the program, and where the large one is found.
//!
//! The fast one is part of the program. The accurate one is a file beside it, or part of it too with the feature
//! `embed-accurate`.

use std::env;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::Pipeline;
use crate::error::{Error, Result};
use crate::model::file as model_file;
use crate::model::{Kind, Model};

static FAST_MODEL: &[u8] = include_bytes!("../../models/fast.detente");

#[cfg(feature = "embed-accurate")]
static ACCURATE_MODEL: Option<&[u8]> = Some(include_bytes!("../../models/accurate.detente"));
#[cfg(not(feature = "embed-accurate"))]
static ACCURATE_MODEL: Option<&[u8]> = None;

/// The variable that names a folder of models.
const FOLDER: &str = "DETENTE_MODELS";
const FILE: &str = "accurate.detente";

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

    /// The accurate model: an encoder beside n-grams, some hundred times slower. It is looked for as `accurate.detente`, in
    /// the folder that the variable `DETENTE_MODELS` names; then beside the program, and in a folder `models` there, in one
    /// of the four folders above, or where the program was started; with the feature `embed-accurate` it is part of the
    /// program.
    ///
    /// # Errors
    /// [`Error::NoModel`] where it is not found, and what [`load`](Self::load) gives.
    pub fn accurate() -> Result<Self> {
        if let Some(bytes) = ACCURATE_MODEL {
            return Self::from_bytes(bytes);
        }
        let places = places();
        match places.iter().find(|path| path.is_file()) {
            Some(path) => Self::load(path),
            None => Err(Error::NoModel { name: FILE, variable: FOLDER }),
        }
    }

    /// This model as a cascade: where the n-grams alone give a piece of evidence a class with at least the probability
    /// `sure_from`, their answer is taken, and the encoder reads the rest. Without a number it is the one that was chosen
    /// in training, so that the encoder is asked about a fifth. `None` for a model of one kind only.
    pub fn cascade(&self, sure_from: Option<f64>) -> Option<Self> {
        let Kind::Stacked(stacked) = self.model.evidence.kind() else { return None };
        let stacked = stacked.with_sure_from(Some(sure_from.unwrap_or(stacked.stack().sure_from)));
        let model = Model { evidence: Arc::new(stacked), head: self.model.head.clone() };
        Some(Self { gazetteer: self.gazetteer.clone(), model, manifest: self.manifest.clone() })
    }
}

/// Where the file may lie, in the order in which it is looked for.
fn places() -> Vec<PathBuf> {
    if let Some(folder) = env::var_os(FOLDER) {
        return vec![PathBuf::from(folder).join(FILE)];
    }
    let program = env::current_exe().and_then(|path| path.canonicalize()).unwrap_or_default();
    let beside = program.parent().map(|folder| folder.join(FILE));
    let models = program.ancestors().skip(1).take(5).map(|folder| folder.join("models").join(FILE));
    beside.into_iter().chain(models).chain([PathBuf::from("models").join(FILE)]).collect()
}

//! MPNet by rten, on an ONNX file; windows come as lines of piece ids.
use rten::{Model, NodeId};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use std::time::Instant;
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let a: Vec<String> = std::env::args().collect();
    let t0 = Instant::now();
    let model = Model::load_file(&a[1])?;
    println!("load {:.3}", t0.elapsed().as_secs_f64());
    let p: NodeId = model.node_id("p")?;
    let m: NodeId = model.node_id("m")?;
    let out = model.output_ids()[0];
    let mut ids: Vec<Vec<i32>> =
        std::fs::read_to_string(&a[2])?.lines().map(|l| l.split(' ').map(|x| x.parse().unwrap()).collect()).collect();
    ids.sort_by_key(Vec::len);
    let mut sum = 0f32;
    for round in 0..2 {
        let t0 = Instant::now();
        sum = 0.0;
        for c in ids.chunks(16) {
            let s = c.iter().map(Vec::len).max().unwrap();
            let flat: Vec<i32> =
                c.iter().flat_map(|r| r.iter().copied().chain(std::iter::repeat_n(1, s - r.len()))).collect();
            let mask: Vec<i32> = c.iter().flat_map(|r| (0..s).map(|i| i32::from(i < r.len()))).collect();
            let pieces = NdTensor::from_data([c.len(), s], flat);
            let mask = NdTensor::from_data([c.len(), s], mask);
            let mut outs = model.run(vec![(p, pieces.into()), (m, mask.into())], &[out], None)?;
            let x: NdTensor<f32, 3> = outs.remove(0).try_into()?;
            for b in 0..c.len() {
                for k in 0..x.size(2) {
                    sum += x[[b, 0, k]];
                }
            }
        }
        if round == 1 {
            println!("rten {:.2} windows/s sum {sum}", ids.len() as f64 / t0.elapsed().as_secs_f64());
        }
    }
    let _ = sum;
    Ok(())
}

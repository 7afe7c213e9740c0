//! MPNet forward by candle, on the tensors of training/export.py; windows come as lines of piece ids.
use candle_core::{D, DType, Device, IndexOp, Result, Tensor};
use std::collections::HashMap;
const FAR: [usize; 8] = [8, 12, 16, 23, 32, 46, 64, 91];
fn bucket(q: usize, k: usize) -> u32 {
    let d = q.abs_diff(k);
    let b = if d < 8 { d } else { 7 + FAR.iter().filter(|f| **f <= d).count() };
    (if k > q { 16 + b } else { b }) as u32
}
struct M {
    t: HashMap<String, Tensor>,
    layers: usize,
    heads: usize,
}
impl M {
    fn lin(&self, x: &Tensor, n: &str) -> Result<Tensor> {
        let w = &self.t[&format!("{n}.weight")];
        let (b, s, d) = x.dims3()?;
        x.reshape((b * s, d))?.matmul(&w.t()?)?.broadcast_add(&self.t[&format!("{n}.bias")])?.reshape((b, s, w.dim(0)?))
    }
    fn norm(&self, x: &Tensor, n: &str) -> Result<Tensor> {
        candle_nn::ops::layer_norm(
            &x.contiguous()?,
            &self.t[&format!("{n}.gain")],
            &self.t[&format!("{n}.offset")],
            1e-5,
        )
    }
    fn forward(&self, ids: &[Vec<u32>]) -> Result<Tensor> {
        let b = ids.len();
        let s = ids.iter().map(Vec::len).max().unwrap();
        let flat: Vec<u32> =
            ids.iter().flat_map(|r| r.iter().copied().chain(std::iter::repeat_n(1, s - r.len()))).collect();
        let mask: Vec<f32> =
            ids.iter().flat_map(|r| (0..s).map(|i| if i < r.len() { 0. } else { f32::MIN / 2. })).collect();
        let mask = Tensor::from_vec(mask, (b, 1, 1, s), &Device::Cpu)?;
        let w = self.t["pieces"].dim(1)?;
        let x = self.t["pieces"].index_select(&Tensor::from_vec(flat, b * s, &Device::Cpu)?, 0)?.reshape((b, s, w))?;
        let mut x = self.norm(&x.broadcast_add(&self.t["places"].narrow(0, 0, s)?)?, "norm")?;
        let bk: Vec<u32> = (0..s).flat_map(|q| (0..s).map(move |k| bucket(q, k))).collect();
        let bias = self.t["relative"]
            .index_select(&Tensor::from_vec(bk, s * s, &Device::Cpu)?, 0)?
            .reshape((s, s, self.heads))?
            .permute((2, 0, 1))?
            .unsqueeze(0)?
            .contiguous()?;
        let bias = bias.broadcast_add(&mask)?;
        let hd = w / self.heads;
        for l in 0..self.layers {
            let qkv = self.lin(&x, &format!("{l}.queries_keys_values"))?.reshape((b, s, 3, self.heads, hd))?;
            let part = |i: usize| qkv.i((.., .., i))?.transpose(1, 2)?.contiguous();
            let (q, k, v) = (part(0)?, part(1)?, part(2)?);
            let a = (q.matmul(&k.t()?)? * (1.0 / (hd as f64).sqrt()))?.broadcast_add(&bias)?;
            let a = candle_nn::ops::softmax_last_dim(&a)?;
            let c = a.matmul(&v)?.transpose(1, 2)?.reshape((b, s, w))?;
            x = self.norm(&(self.lin(&c, &format!("{l}.gathered"))? + &x)?, &format!("{l}.attention_norm"))?;
            let u = self.lin(&x, &format!("{l}.up"))?.gelu_erf()?;
            x = self.norm(&(self.lin(&u, &format!("{l}.down"))? + &x)?, &format!("{l}.norm"))?;
        }
        let _ = D::Minus1;
        Ok(x)
    }
}
fn main() -> Result<()> {
    let a: Vec<String> = std::env::args().collect();
    let t0 = std::time::Instant::now();
    let t = candle_core::safetensors::load(&a[1], &Device::Cpu)?;
    let layers = (0..).take_while(|l| t.contains_key(&format!("{l}.up.weight"))).count();
    let heads = t["relative"].dim(1)?;
    let t = t.into_iter().map(|(k, v)| Ok((k, v.to_dtype(DType::F32)?))).collect::<Result<_>>()?;
    let m = M { t, layers, heads };
    println!("load {:.3}", t0.elapsed().as_secs_f64());
    let mut ids: Vec<Vec<u32>> =
        std::fs::read_to_string(&a[2])?.lines().map(|l| l.split(' ').map(|x| x.parse().unwrap()).collect()).collect();
    ids.sort_by_key(Vec::len);
    let t0 = std::time::Instant::now();
    let mut sum = 0f32;
    for c in ids.chunks(16) {
        sum += m.forward(c)?.i((.., 0, 0))?.sum_all()?.to_scalar::<f32>()?;
    }
    println!("candle {:.2} windows/s sum {sum}", ids.len() as f64 / t0.elapsed().as_secs_f64());
    Ok(())
}

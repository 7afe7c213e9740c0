"""PyTorch on one thread, on the windows of tests/data/encoder.jsonl: sentences a second. Writes the windows as word pieces
(speed.ids), and the network as ONNX in 32 bits and in 8, for other engines."""

import argparse
import json
import sys
import time
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).parent.parent))
import rows as data  # noqa: E402
from model import StanceEncoder, read_stored  # noqa: E402


class Vectors(torch.nn.Module):
    def __init__(self, net: StanceEncoder):
        super().__init__()
        self.encoder = net.encoder

    def forward(self, p, m):
        return self.encoder(input_ids=p, attention_mask=m).last_hidden_state


def padded(batch: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, batch))
    pieces = torch.full((len(batch), longest), data.PAD)
    mask = torch.zeros(len(batch), longest, dtype=torch.long)
    for i, ids in enumerate(batch):
        pieces[i, : len(ids)], mask[i, : len(ids)] = torch.tensor(ids), 1
    return pieces, mask


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--trained", type=Path, required=True, help="what finetune.py stored")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer = data.load_tokenizer(args.trained / "pieces.txt")
    windows = Path("tests/data/encoder.jsonl").read_text(encoding="utf-8").splitlines()
    ids = sorted((data.encode(tokenizer, json.loads(line))[0] for line in windows), key=len)
    (args.out / "speed.ids").write_text("".join(" ".join(map(str, row)) + "\n" for row in ids))
    started = time.time()
    net = StanceEncoder(args.base, args.trained / "pieces.txt")
    net.load_state_dict(read_stored(load_file(args.trained / "stored.safetensors"))[0])
    net = Vectors(net).eval()
    print(f"load {time.time() - started:.2f} s")
    for kind in (torch.float32, torch.bfloat16):
        for _ in range(2):
            started = time.time()
            with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=kind == torch.bfloat16):
                for start in range(0, len(ids), 16):
                    net(*padded(ids[start : start + 16]))
            rate = len(ids) / (time.time() - started)
        print(f"{kind}: {rate:.1f} windows a second")
    axes = {name: {0: "b", 1: "s"} for name in "pm"}
    full, small = args.out / "f32.onnx", args.out / "int8.onnx"
    torch.onnx.export(net, padded(ids[:2]), full, input_names=["p", "m"], dynamic_axes=axes, opset_version=17, dynamo=False)
    quantize_dynamic(full, small, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"])


if __name__ == "__main__":
    main()

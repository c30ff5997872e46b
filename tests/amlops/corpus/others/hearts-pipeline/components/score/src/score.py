import argparse
import pathlib

parser = argparse.ArgumentParser()
parser.add_argument("--model_path", type=pathlib.Path)
parser.add_argument("--data_path", type=pathlib.Path)
parser.add_argument("--score_mode", type=str)
parser.add_argument("--scores_path", type=pathlib.Path)
args = parser.parse_args()

rule = float((args.model_path / "rule.txt").read_text())
for file in sorted(args.data_path.glob("*.csv")):
    rows = file.read_text().split()[1:]
    text = "\n".join(str(int(float(row) > rule)) for row in rows)
    (args.scores_path / f"{file.stem}-{args.score_mode}.csv").write_text(text)
